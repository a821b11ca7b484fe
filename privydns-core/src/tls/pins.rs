//! Pins of public keys (RFC 7858 Section 4.2) and hashes of certificates.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};

use crate::error::{ConfigError, Error};

/// The SHA-256 of a public key (DER of `SubjectPublicKeyInfo`).
///
/// The text is base64, as in kdig, Knot and Stubby.
///
/// ```
/// use privydns_core::Pin;
///
/// let pin: Pin = "/SlsviBkb05Y/8XiKF9+CZsgCtrqPQk5bh47o0R3/Cg=".parse()?;
/// assert_eq!(pin.to_string(), "/SlsviBkb05Y/8XiKF9+CZsgCtrqPQk5bh47o0R3/Cg=");
/// # Ok::<(), privydns_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin([u8; 32]);

impl Pin {
    /// Creates a pin from the hash.
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The hash.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Pin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let hash = BASE64.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        hash.map(Self)
            .ok_or_else(|| ConfigError::Tls("a pin is the base64 of 32 bytes, 44 characters".into()).into())
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", BASE64.encode_display(&self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

/// The SHA-256 of the signed part of a certificate (DER of `TBSCertificate`, RFC 5280 Section 4.1), as in DNS stamps.
///
/// The text is hexadecimal, as in tools for stamps. To compute the hash of a certificate, run
/// `openssl asn1parse -in certificate.pem -strparse 4 -noout -out - | openssl dgst -sha256`.
///
/// ```
/// use privydns_core::TbsHash;
///
/// let hash: TbsHash = "3e1a1a0f6c53f3e97a492d57084b5b9807059ee057ab1505876fd83fda3db838".parse()?;
/// assert_eq!(hash.as_bytes()[..2], [0x3e, 0x1a]);
/// # Ok::<(), privydns_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TbsHash([u8; 32]);

impl TbsHash {
    /// Creates a hash from its bytes.
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The bytes of the hash.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for TbsHash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let hash = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        hash.map(Self).ok_or_else(|| {
            ConfigError::Tls("the hash of a certificate is 64 hexadecimal digits".into()).into()
        })
    }
}

impl fmt::Display for TbsHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", HEXLOWER.encode_display(&self.0))
    }
}

impl fmt::Debug for TbsHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TbsHash({self})")
    }
}
