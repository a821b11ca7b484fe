//! Public resolvers by name, with their addresses, so that nothing has to be resolved to reach them.
//!
//! A preset is a fact about somebody else's service, as of September 2026. Each can be written wherever an
//! upstream is parsed: `"quad9".parse::<Upstream>()`. Each is there twice: over TLS, and, with `-https` behind its
//! name, over HTTPS. [`ALL`] lists them:
//!
//! ```
//! use privydns_core::upstream::presets;
//!
//! for preset in presets::ALL {
//!     println!("{preset:<30} {} ({}); filters {}", preset.operator, preset.protocol(), preset.filtering);
//! }
//! ```

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
        Ok(self.text.parse::<Upstream>()?.with_label(self.name))
    }

    /// What is spoken to it.
    pub fn protocol(&self) -> Protocol {
        if self.text.starts_with("https:") { Protocol::Https } else { Protocol::Tls }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
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
        "tls://dns.adguard-dns.com#ip=94.140.14.14,94.140.15.15,2a10:50c0::ad1:ff,2a10:50c0::ad2:ff";
    /// AdGuard for families, over TLS.
    ADGUARD_FAMILY = "adguard-family", "AdGuard",
        "advertisements, trackers, malware, adult content; safe search",
        "tls://family.adguard-dns.com#ip=94.140.14.15,94.140.15.16,2a10:50c0::bad1:ff,2a10:50c0::bad2:ff";
    /// AdGuard for families, over HTTPS.
    ADGUARD_FAMILY_HTTPS = "adguard-family-https", "AdGuard",
        "advertisements, trackers, malware, adult content; safe search",
        "https://family.adguard-dns.com/dns-query#ip=\
        94.140.14.15,94.140.15.16,2a10:50c0::bad1:ff,2a10:50c0::bad2:ff";
    /// AdGuard, blocking advertisements and trackers, over HTTPS.
    ADGUARD_HTTPS = "adguard-https", "AdGuard", "advertisements, trackers, malware",
        "https://dns.adguard-dns.com/dns-query#ip=\
        94.140.14.14,94.140.15.15,2a10:50c0::ad1:ff,2a10:50c0::ad2:ff";
    /// AdGuard without filtering, over TLS.
    ADGUARD_UNFILTERED = "adguard-unfiltered", "AdGuard", "nothing",
        "tls://unfiltered.adguard-dns.com#ip=94.140.14.140,94.140.14.141,2a10:50c0::1:ff,2a10:50c0::2:ff";
    /// AdGuard without filtering, over HTTPS.
    ADGUARD_UNFILTERED_HTTPS = "adguard-unfiltered-https", "AdGuard", "nothing",
        "https://unfiltered.adguard-dns.com/dns-query#ip=\
        94.140.14.140,94.140.14.141,2a10:50c0::1:ff,2a10:50c0::2:ff";
    /// CleanBrowsing's adult filter, over TLS.
    CLEANBROWSING_ADULT = "cleanbrowsing-adult", "CleanBrowsing",
        "malware, phishing, adult content; safe search",
        "tls://adult-filter-dns.cleanbrowsing.org#ip=\
        185.228.168.10,185.228.169.11,2a0d:2a00:1::1,2a0d:2a00:2::1";
    /// CleanBrowsing's adult filter, over HTTPS. Its path ends with a slash.
    CLEANBROWSING_ADULT_HTTPS = "cleanbrowsing-adult-https", "CleanBrowsing",
        "malware, phishing, adult content; safe search",
        "https://doh.cleanbrowsing.org/doh/adult-filter/#ip=\
        185.228.168.10,185.228.169.11,2a0d:2a00:1::1,2a0d:2a00:2::1";
    /// CleanBrowsing's family filter, over TLS.
    CLEANBROWSING_FAMILY = "cleanbrowsing-family", "CleanBrowsing",
        "malware, phishing, adult and mixed content, proxies; safe search",
        "tls://family-filter-dns.cleanbrowsing.org#ip=\
        185.228.168.168,185.228.169.168,2a0d:2a00:1::,2a0d:2a00:2::";
    /// CleanBrowsing's family filter, over HTTPS. Its path ends with a slash.
    CLEANBROWSING_FAMILY_HTTPS = "cleanbrowsing-family-https", "CleanBrowsing",
        "malware, phishing, adult and mixed content, proxies; safe search",
        "https://doh.cleanbrowsing.org/doh/family-filter/#ip=\
        185.228.168.168,185.228.169.168,2a0d:2a00:1::,2a0d:2a00:2::";
    /// CleanBrowsing's security filter, over TLS.
    CLEANBROWSING_SECURITY = "cleanbrowsing-security", "CleanBrowsing", "malware, phishing",
        "tls://security-filter-dns.cleanbrowsing.org#ip=\
        185.228.168.9,185.228.169.9,2a0d:2a00:1::2,2a0d:2a00:2::2";
    /// CleanBrowsing's security filter, over HTTPS. Its path ends with a slash.
    CLEANBROWSING_SECURITY_HTTPS = "cleanbrowsing-security-https", "CleanBrowsing", "malware, phishing",
        "https://doh.cleanbrowsing.org/doh/security-filter/#ip=\
        185.228.168.9,185.228.169.9,2a0d:2a00:1::2,2a0d:2a00:2::2";
    /// Cloudflare, over TLS.
    CLOUDFLARE = "cloudflare", "Cloudflare", "nothing",
        "tls://cloudflare-dns.com#ip=1.1.1.1,1.0.0.1,2606:4700:4700::1111,2606:4700:4700::1001";
    /// Cloudflare for families, over TLS.
    CLOUDFLARE_FAMILY = "cloudflare-family", "Cloudflare", "malware, adult content",
        "tls://family.cloudflare-dns.com#ip=1.1.1.3,1.0.0.3,2606:4700:4700::1113,2606:4700:4700::1003";
    /// Cloudflare for families, over HTTPS.
    CLOUDFLARE_FAMILY_HTTPS = "cloudflare-family-https", "Cloudflare", "malware, adult content",
        "https://family.cloudflare-dns.com/dns-query#ip=\
        1.1.1.3,1.0.0.3,2606:4700:4700::1113,2606:4700:4700::1003";
    /// Cloudflare, over HTTPS.
    CLOUDFLARE_HTTPS = "cloudflare-https", "Cloudflare", "nothing",
        "https://cloudflare-dns.com/dns-query#ip=1.1.1.1,1.0.0.1,2606:4700:4700::1111,2606:4700:4700::1001";
    /// Cloudflare, blocking malware, over TLS.
    CLOUDFLARE_SECURITY = "cloudflare-security", "Cloudflare", "malware",
        "tls://security.cloudflare-dns.com#ip=1.1.1.2,1.0.0.2,2606:4700:4700::1112,2606:4700:4700::1002";
    /// Cloudflare, blocking malware, over HTTPS.
    CLOUDFLARE_SECURITY_HTTPS = "cloudflare-security-https", "Cloudflare", "malware",
        "https://security.cloudflare-dns.com/dns-query#ip=\
        1.1.1.2,1.0.0.2,2606:4700:4700::1112,2606:4700:4700::1002";
    /// Control D without filtering, over TLS.
    CONTROLD = "controld", "Control D", "nothing",
        "tls://p0.freedns.controld.com#ip=76.76.2.0,76.76.10.0,2606:1a40::,2606:1a40:1::";
    /// Control D without filtering, over HTTPS.
    CONTROLD_HTTPS = "controld-https", "Control D", "nothing",
        "https://freedns.controld.com/p0#ip=76.76.2.0,76.76.10.0,2606:1a40::,2606:1a40:1::";
    /// DNS.SB, over TLS.
    DNS_SB = "dns-sb", "DNS.SB", "nothing",
        "tls://dot.sb#ip=185.222.222.222,45.11.45.11,2a09::,2a11::";
    /// DNS.SB, over HTTPS.
    DNS_SB_HTTPS = "dns-sb-https", "DNS.SB", "nothing",
        "https://doh.dns.sb/dns-query#ip=185.222.222.222,45.11.45.11,2a09::,2a11::";
    /// DNS4EU without filtering, over TLS.
    DNS4EU = "dns4eu", "DNS4EU", "nothing",
        "tls://unfiltered.joindns4.eu#ip=\
        86.54.11.100,86.54.11.200,2a13:1001::86:54:11:100,2a13:1001::86:54:11:200";
    /// DNS4EU without filtering, over HTTPS.
    DNS4EU_HTTPS = "dns4eu-https", "DNS4EU", "nothing",
        "https://unfiltered.joindns4.eu/dns-query#ip=\
        86.54.11.100,86.54.11.200,2a13:1001::86:54:11:100,2a13:1001::86:54:11:200";
    /// DNS4EU, blocking malware, over TLS.
    DNS4EU_PROTECTIVE = "dns4eu-protective", "DNS4EU", "malware, phishing",
        "tls://protective.joindns4.eu#ip=\
        86.54.11.1,86.54.11.201,2a13:1001::86:54:11:1,2a13:1001::86:54:11:201";
    /// DNS4EU, blocking malware, over HTTPS.
    DNS4EU_PROTECTIVE_HTTPS = "dns4eu-protective-https", "DNS4EU", "malware, phishing",
        "https://protective.joindns4.eu/dns-query#ip=\
        86.54.11.1,86.54.11.201,2a13:1001::86:54:11:1,2a13:1001::86:54:11:201";
    /// Google, over TLS.
    GOOGLE = "google", "Google", "nothing",
        "tls://dns.google#ip=8.8.8.8,8.8.4.4,2001:4860:4860::8888,2001:4860:4860::8844";
    /// Google, over HTTPS. It answers a query of more than 512 octets with HTTP status 413 or 414.
    GOOGLE_HTTPS = "google-https", "Google", "nothing",
        "https://dns.google/dns-query#ip=8.8.8.8,8.8.4.4,2001:4860:4860::8888,2001:4860:4860::8844";
    /// Mullvad without filtering, over TLS.
    MULLVAD = "mullvad", "Mullvad", "nothing",
        "tls://dns.mullvad.net#ip=194.242.2.2,2a07:e340::2";
    /// Mullvad, blocking advertisements, over TLS.
    MULLVAD_ADBLOCK = "mullvad-adblock", "Mullvad", "advertisements, trackers",
        "tls://adblock.dns.mullvad.net#ip=194.242.2.3,2a07:e340::3";
    /// Mullvad, blocking advertisements, over HTTPS.
    MULLVAD_ADBLOCK_HTTPS = "mullvad-adblock-https", "Mullvad", "advertisements, trackers",
        "https://adblock.dns.mullvad.net/dns-query#ip=194.242.2.3,2a07:e340::3";
    /// Mullvad, blocking all that it can block, over TLS.
    MULLVAD_ALL = "mullvad-all", "Mullvad",
        "advertisements, trackers, malware, social media, adult content, gambling",
        "tls://all.dns.mullvad.net#ip=194.242.2.9,2a07:e340::9";
    /// Mullvad, blocking all that it can block, over HTTPS.
    MULLVAD_ALL_HTTPS = "mullvad-all-https", "Mullvad",
        "advertisements, trackers, malware, social media, adult content, gambling",
        "https://all.dns.mullvad.net/dns-query#ip=194.242.2.9,2a07:e340::9";
    /// Mullvad, blocking advertisements and malware, over TLS.
    MULLVAD_BASE = "mullvad-base", "Mullvad", "advertisements, trackers, malware",
        "tls://base.dns.mullvad.net#ip=194.242.2.4,2a07:e340::4";
    /// Mullvad, blocking advertisements and malware, over HTTPS.
    MULLVAD_BASE_HTTPS = "mullvad-base-https", "Mullvad", "advertisements, trackers, malware",
        "https://base.dns.mullvad.net/dns-query#ip=194.242.2.4,2a07:e340::4";
    /// Mullvad, blocking social media, too, over TLS.
    MULLVAD_EXTENDED = "mullvad-extended", "Mullvad", "advertisements, trackers, malware, social media",
        "tls://extended.dns.mullvad.net#ip=194.242.2.5,2a07:e340::5";
    /// Mullvad, blocking social media, too, over HTTPS.
    MULLVAD_EXTENDED_HTTPS = "mullvad-extended-https", "Mullvad",
        "advertisements, trackers, malware, social media",
        "https://extended.dns.mullvad.net/dns-query#ip=194.242.2.5,2a07:e340::5";
    /// Mullvad for families, over TLS.
    MULLVAD_FAMILY = "mullvad-family", "Mullvad",
        "advertisements, trackers, malware, adult content, gambling",
        "tls://family.dns.mullvad.net#ip=194.242.2.6,2a07:e340::6";
    /// Mullvad for families, over HTTPS.
    MULLVAD_FAMILY_HTTPS = "mullvad-family-https", "Mullvad",
        "advertisements, trackers, malware, adult content, gambling",
        "https://family.dns.mullvad.net/dns-query#ip=194.242.2.6,2a07:e340::6";
    /// Mullvad without filtering, over HTTPS.
    MULLVAD_HTTPS = "mullvad-https", "Mullvad", "nothing",
        "https://dns.mullvad.net/dns-query#ip=194.242.2.2,2a07:e340::2";
    /// `NextDNS` without an account, over TLS. With one, its name is `ID.dns.nextdns.io`.
    NEXTDNS = "nextdns", "NextDNS", "nothing",
        "tls://dns.nextdns.io#ip=45.90.28.0,45.90.30.0,2a07:a8c0::,2a07:a8c1::";
    /// `NextDNS` without an account, over HTTPS. With one, its path is `/ID`.
    NEXTDNS_HTTPS = "nextdns-https", "NextDNS", "nothing",
        "https://dns.nextdns.io/dns-query#ip=45.90.28.0,45.90.30.0,2a07:a8c0::,2a07:a8c1::";
    /// OpenDNS, over TLS. Where a name has no record of a type, it sends no SOA, so that this is not kept.
    OPENDNS = "opendns", "Cisco", "phishing",
        "tls://dns.opendns.com#ip=208.67.222.222,208.67.220.220,2620:119:35::35,2620:119:53::53";
    /// OpenDNS, over HTTPS. Where a name has no record of a type, it sends no SOA, so that this is not kept.
    OPENDNS_HTTPS = "opendns-https", "Cisco", "phishing",
        "https://doh.opendns.com/dns-query#ip=208.67.222.222,208.67.220.220,2620:119:35::35,2620:119:53::53";
    /// Quad9, blocking malware, over TLS.
    QUAD9 = "quad9", "Quad9", "malware",
        "tls://dns.quad9.net#ip=9.9.9.9,149.112.112.112,2620:fe::fe,2620:fe::9";
    /// Quad9, blocking malware, over HTTPS. It speaks HTTP/2 and no HTTP/1.1.
    QUAD9_HTTPS = "quad9-https", "Quad9", "malware",
        "https://dns.quad9.net/dns-query#ip=9.9.9.9,149.112.112.112,2620:fe::fe,2620:fe::9";
    /// Quad9 without filtering, over TLS. It does not validate.
    QUAD9_UNFILTERED = "quad9-unfiltered", "Quad9", "nothing",
        "tls://dns10.quad9.net#ip=9.9.9.10,149.112.112.10,2620:fe::10,2620:fe::fe:10";
    /// Quad9 without filtering, over HTTPS. It does not validate, and speaks HTTP/2 and no HTTP/1.1.
    QUAD9_UNFILTERED_HTTPS = "quad9-unfiltered-https", "Quad9", "nothing",
        "https://dns10.quad9.net/dns-query#ip=9.9.9.10,149.112.112.10,2620:fe::10,2620:fe::fe:10";
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

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
        assert!(ALL.is_sorted_by(|one, next| one.name < next.name), "sorted, and no name twice");
    }

    #[test]
    fn a_server_is_the_same_over_tls_and_over_https() {
        let is_https = |preset: &&Preset| preset.protocol() == Protocol::Https;
        assert_eq!(ALL.iter().filter(is_https).count() * 2, ALL.len());
        for preset in ALL.iter().filter(is_https) {
            let other = preset.name.strip_suffix("-https").and_then(find).expect(preset.name);
            assert_eq!((preset.operator, preset.filtering), (other.operator, other.filtering), "{preset}");
            let addresses = |preset: &Preset| preset.upstream().expect("a preset").addresses().to_vec();
            assert_eq!(addresses(preset), addresses(other), "{preset}");
            assert!(addresses(preset).iter().any(IpAddr::is_ipv6), "{preset}");
            assert!(addresses(preset).iter().any(IpAddr::is_ipv4), "{preset}");
        }
    }

    #[test]
    fn a_name_that_is_no_preset_is_an_error() {
        assert!("quad8".parse::<Upstream>().is_err());
        assert!(find("").is_none());
    }
}
