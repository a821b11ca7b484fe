//! Public resolvers by name, with their addresses, so that nothing has to be resolved to reach them.
//!
//! A preset is a fact about somebody else's service, as of September 2026. Each can be written wherever an
//! upstream is parsed: `"quad9".parse::<Upstream>()`.

use std::fmt;

use super::{Protocol, Upstream};
use crate::error::Error;

/// A public resolver.
///
/// ```
/// use privydns_core::{Config, upstream::presets};
///
/// let config = Config::builder().upstream(presets::QUAD9.upstream()?).build()?;
/// assert_eq!(presets::find("quad9-https").map(|preset| preset.operator), Some("Quad9"));
/// # Ok::<_, privydns_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preset {
    /// What it is called here.
    pub name: &'static str,
    /// Who runs it.
    pub operator: &'static str,
    /// What it holds back on purpose.
    pub filtering: &'static str,
    /// The upstream, as text.
    pub text: &'static str,
}

impl Preset {
    /// The upstream, labelled with the preset's name.
    ///
    /// # Errors
    /// None for the presets of this crate.
    pub fn upstream(&self) -> Result<Upstream, Error> {
        Ok(self.text.parse::<Upstream>()?.labelled(self.name))
    }

    /// What is spoken to it.
    pub fn protocol(&self) -> Protocol {
        if self.text.starts_with("https:") { Protocol::Https } else { Protocol::Tls }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The preset of that name.
pub fn find(name: &str) -> Option<&'static Preset> {
    ALL.iter().find(|preset| preset.name == name)
}

macro_rules! presets {
    ($($(#[$doc:meta])* $constant:ident = $name:literal, $operator:literal, $filtering:literal, $text:literal;)*) => {
        $($(#[$doc])* pub const $constant: Preset =
            Preset { name: $name, operator: $operator, filtering: $filtering, text: $text };)*

        /// All of them, sorted by name.
        pub const ALL: &[Preset] = &[$($constant),*];
    };
}

presets! {
    /// AdGuard, blocking advertisements and trackers, over TLS.
    ADGUARD = "adguard", "AdGuard", "advertisements, trackers, malware",
        "tls://dns.adguard-dns.com#ip=94.140.14.14,94.140.15.15";
    /// AdGuard for families, over TLS.
    ADGUARD_FAMILY = "adguard-family", "AdGuard", "as adguard, and adult content; safe search",
        "tls://family.adguard-dns.com#ip=94.140.14.15,94.140.15.16";
    /// AdGuard, blocking advertisements and trackers, over HTTPS.
    ADGUARD_HTTPS = "adguard-https", "AdGuard", "advertisements, trackers, malware",
        "https://dns.adguard-dns.com/dns-query#ip=94.140.14.14,94.140.15.15";
    /// AdGuard without filtering, over TLS.
    ADGUARD_UNFILTERED = "adguard-unfiltered", "AdGuard", "nothing",
        "tls://unfiltered.adguard-dns.com#ip=94.140.14.140,94.140.14.141";
    /// CleanBrowsing's security filter, over TLS.
    CLEANBROWSING_SECURITY = "cleanbrowsing-security", "CleanBrowsing", "malware, phishing",
        "tls://security-filter-dns.cleanbrowsing.org#ip=185.228.168.9,185.228.169.9";
    /// CleanBrowsing's security filter, over HTTPS.
    CLEANBROWSING_SECURITY_HTTPS = "cleanbrowsing-security-https", "CleanBrowsing", "malware, phishing",
        "https://doh.cleanbrowsing.org/doh/security-filter/#ip=185.228.168.9,185.228.169.9";
    /// Cloudflare, over TLS.
    CLOUDFLARE = "cloudflare", "Cloudflare", "nothing",
        "tls://cloudflare-dns.com#ip=1.1.1.1,1.0.0.1,2606:4700:4700::1111,2606:4700:4700::1001";
    /// Cloudflare, over HTTPS.
    CLOUDFLARE_HTTPS = "cloudflare-https", "Cloudflare", "nothing",
        "https://cloudflare-dns.com/dns-query#ip=1.1.1.1,1.0.0.1,2606:4700:4700::1111,2606:4700:4700::1001";
    /// Control D without filtering, over TLS.
    CONTROLD = "controld", "Control D", "nothing",
        "tls://p0.freedns.controld.com#ip=76.76.2.0,76.76.10.0,2606:1a40::";
    /// Control D without filtering, over HTTPS.
    CONTROLD_HTTPS = "controld-https", "Control D", "nothing",
        "https://freedns.controld.com/p0#ip=76.76.2.0,76.76.10.0,2606:1a40::";
    /// DNS.SB, over TLS.
    DNS_SB = "dns-sb", "DNS.SB", "nothing",
        "tls://dot.sb#ip=185.222.222.222,45.11.45.11,2a09::,2a11::";
    /// DNS.SB, over HTTPS.
    DNS_SB_HTTPS = "dns-sb-https", "DNS.SB", "nothing",
        "https://doh.dns.sb/dns-query#ip=185.222.222.222,45.11.45.11,2a09::,2a11::";
    /// DNS4EU without filtering, over TLS.
    DNS4EU = "dns4eu", "DNS4EU", "nothing",
        "tls://unfiltered.joindns4.eu#ip=86.54.11.100,86.54.11.200,2a13:1001::86:54:11:100";
    /// DNS4EU without filtering, over HTTPS.
    DNS4EU_HTTPS = "dns4eu-https", "DNS4EU", "nothing",
        "https://unfiltered.joindns4.eu/dns-query#ip=86.54.11.100,86.54.11.200,2a13:1001::86:54:11:100";
    /// Google, over TLS.
    GOOGLE = "google", "Google", "nothing",
        "tls://dns.google#ip=8.8.8.8,8.8.4.4,2001:4860:4860::8888,2001:4860:4860::8844";
    /// Google, over HTTPS.
    GOOGLE_HTTPS = "google-https", "Google", "nothing",
        "https://dns.google/dns-query#ip=8.8.8.8,8.8.4.4,2001:4860:4860::8888,2001:4860:4860::8844";
    /// Mullvad without filtering, over TLS.
    MULLVAD = "mullvad", "Mullvad", "nothing",
        "tls://dns.mullvad.net#ip=194.242.2.2,2a07:e340::2";
    /// Mullvad without filtering, over HTTPS.
    MULLVAD_HTTPS = "mullvad-https", "Mullvad", "nothing",
        "https://dns.mullvad.net/dns-query#ip=194.242.2.2,2a07:e340::2";
    /// OpenDNS, over TLS.
    OPENDNS = "opendns", "Cisco", "phishing",
        "tls://dns.opendns.com#ip=208.67.222.222,208.67.220.220";
    /// OpenDNS, over HTTPS.
    OPENDNS_HTTPS = "opendns-https", "Cisco", "phishing",
        "https://doh.opendns.com/dns-query#ip=208.67.222.222,208.67.220.220";
    /// Quad9, blocking malware, over TLS.
    QUAD9 = "quad9", "Quad9", "malware",
        "tls://dns.quad9.net#ip=9.9.9.9,149.112.112.112,2620:fe::fe,2620:fe::9";
    /// Quad9, blocking malware, over HTTPS. It speaks HTTP/2 alone.
    QUAD9_HTTPS = "quad9-https", "Quad9", "malware",
        "https://dns.quad9.net/dns-query#ip=9.9.9.9,149.112.112.112,2620:fe::fe,2620:fe::9";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_an_upstream_with_addresses_found_by_its_name() {
        for preset in ALL {
            let upstream = preset.upstream().expect(preset.name);
            assert!(!upstream.needs_bootstrap(), "{preset}");
            assert_eq!(upstream.protocol(), preset.protocol(), "{preset}");
            assert_eq!(&**upstream.label(), preset.name);
            assert_eq!(preset.name.parse::<Upstream>().expect(preset.name), upstream);
            assert_eq!(
                upstream.to_string().parse::<Upstream>().expect(preset.name).to_string(),
                upstream.to_string()
            );
        }
        assert!(
            ALL.windows(2).all(|pair| pair[0].name < pair[1].name || pair[0].operator == pair[1].operator)
        );
    }

    #[test]
    fn a_name_that_is_no_preset_is_an_error() {
        assert!("quad8".parse::<Upstream>().is_err());
        assert!(find("").is_none());
    }
}
