//! The TLS settings of one upstream, independent of where the upstream is and which protocol it speaks.

use super::{ClientCertificate, Pin, Roots, TbsHash, TlsVersion};

/// What a server must prove in the handshake, and what this client shows the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TlsRequirements {
    pub(crate) roots: Roots,
    /// If not empty, a key on the server's path must match one of the pins.
    pub(crate) pins: Vec<Pin>,
    /// If not empty, a certificate on the server's path must match one of the hashes.
    pub(crate) hashes: Vec<TbsHash>,
    pub(crate) client_certificate: Option<ClientCertificate>,
    /// The minimum version as configured; see [`minimum_version`](Self::minimum_version) for the default.
    pub(crate) minimum_version: Option<TlsVersion>,
}

/// How the server authenticates itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authentication {
    /// A path to a root, the server's name or address in the certificate, and a pin if there are pins.
    Path,
    /// A pinned key alone (RFC 7858 Section 4.2).
    PinsAlone,
}

impl TlsRequirements {
    /// Adds a pin, unless the pin is present.
    pub(crate) fn add_pin(&mut self, pin: Pin) {
        if !self.pins.contains(&pin) {
            self.pins.push(pin);
        }
    }

    /// Adds the hash of a certificate, unless the hash is present.
    pub(crate) fn add_hash(&mut self, hash: TbsHash) {
        if !self.hashes.contains(&hash) {
            self.hashes.push(hash);
        }
    }

    /// The minimum version of TLS. The default is TLS 1.2, and TLS 1.3 with a client certificate, because TLS 1.2 sends
    /// certificates in clear text.
    pub(crate) fn minimum_version(&self) -> TlsVersion {
        let default = if self.client_certificate.is_some() { TlsVersion::Tls13 } else { TlsVersion::Tls12 };
        self.minimum_version.unwrap_or(default)
    }

    /// The requirements for a server that another server designates (RFC 9462): without pins, which are for the other
    /// server's key, and without the client certificate, which is shown to no other server.
    pub(crate) fn for_designated(&self) -> Self {
        Self { pins: Vec::new(), client_certificate: None, ..self.clone() }
    }
}
