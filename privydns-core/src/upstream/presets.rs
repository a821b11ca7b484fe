//! Public resolvers by name, with addresses, so that their names do not have to be resolved.
//!
//! Presets describe services of other operators as of September 2026. The name of a preset is also a text of an
//! upstream: `"quad9".parse::<Upstream>()`. Every service has two presets, one for DNS over TLS and one for DNS over
//! HTTPS, whose name ends in `-https`. [`ALL`] lists the presets:
//!
//! ```
//! use privydns_core::presets;
//!
//! for preset in presets::ALL {
//!     println!("{preset:<30} {} ({}); filters {}", preset.operator(), preset.protocol(), preset.filtering());
//! }
//! ```

use std::fmt;

use super::{Protocol, Upstream};

/// A public resolver.
///
/// ```
/// use privydns_core::{Config, presets};
///
/// let config = Config::builder().upstream(presets::QUAD9.upstream()).build()?;
/// assert_eq!(presets::find("quad9-https").map(|preset| preset.operator()), Some("Quad9"));
/// # Ok::<_, privydns_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Preset {
    /// The name of the preset.
    name: &'static str,
    /// The operator of the service.
    operator: &'static str,
    /// The content that the service blocks.
    filtering: &'static str,
    /// The text of the upstream.
    text: &'static str,
}

impl Preset {
    /// The preset's name, such as `quad9-https`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The operator of the service.
    pub const fn operator(&self) -> &'static str {
        self.operator
    }

    /// The content that the service blocks; `nothing` if it blocks none.
    pub const fn filtering(&self) -> &'static str {
        self.filtering
    }

    /// The upstream as text.
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// Returns the upstream, labelled with the preset's name.
    ///
    /// ```
    /// use privydns_core::presets;
    ///
    /// assert_eq!(presets::QUAD9.upstream().label(), "quad9");
    /// ```
    #[expect(clippy::missing_panics_doc, reason = "every preset parses, and a test proves it")]
    pub fn upstream(&self) -> Upstream {
        self.text.parse::<Upstream>().expect("a preset is a valid upstream").with_label(self.name)
    }

    /// The protocol of the upstream.
    pub fn protocol(&self) -> Protocol {
        if self.text.starts_with("https:") { Protocol::Https } else { Protocol::Tls }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

/// Returns the preset with a name.
pub fn find(name: &str) -> Option<&'static Preset> {
    ALL.iter().find(|preset| preset.name == name)
}

/// Defines two presets for each row, over TLS and over HTTPS: names of the constants, name of the preset over TLS,
/// operator, description, filtered content, host over TLS, host and path over HTTPS, and addresses.
macro_rules! presets {
    ($($(#[$note:meta])* $tls:ident, $https:ident = $name:literal, $operator:literal, $title:literal,
       filters $filtering:literal, tls $tls_host:literal, https $https_host:literal $path:literal,
       [$first:literal $(, $address:literal)*];)*) => {
        $(
            #[doc = concat!($title, ", over TLS.")]
            #[doc = ""]
            $(#[$note])*
            pub const $tls: Preset = Preset {
                name: $name,
                operator: $operator,
                filtering: $filtering,
                text: concat!("tls://", $tls_host, "#ip=", $first $(, ",", $address)*),
            };

            #[doc = concat!($title, ", over HTTPS.")]
            #[doc = ""]
            $(#[$note])*
            pub const $https: Preset = Preset {
                name: concat!($name, "-https"),
                operator: $operator,
                filtering: $filtering,
                text: concat!("https://", $https_host, $path, "#ip=", $first $(, ",", $address)*),
            };
        )*

        /// All presets, sorted by name.
        pub const ALL: &[Preset] = &sorted([$($tls, $https),*]);
    };
}

/// Sorts presets by name at compile time.
const fn sorted<const COUNT: usize>(mut presets: [Preset; COUNT]) -> [Preset; COUNT] {
    let mut end = 1;
    while end < COUNT {
        let mut at = end;
        while at > 0 && is_before(presets[at].name.as_bytes(), presets[at - 1].name.as_bytes()) {
            (presets[at], presets[at - 1]) = (presets[at - 1], presets[at]);
            at -= 1;
        }
        end += 1;
    }
    presets
}

/// Compares byte strings at compile time.
const fn is_before(one: &[u8], other: &[u8]) -> bool {
    match (one, other) {
        ([first, one @ ..], [second, other @ ..]) if *first == *second => is_before(one, other),
        ([first, ..], [second, ..]) => *first < *second,
        ([], other) => !other.is_empty(),
        (_, []) => false,
    }
}

presets! {
    ADGUARD, ADGUARD_HTTPS = "adguard", "AdGuard",
        "AdGuard, blocking advertisements and trackers", filters "advertisements, trackers, malware",
        tls "dns.adguard-dns.com", https "dns.adguard-dns.com" "/dns-query",
        ["94.140.14.14", "94.140.15.15", "2a10:50c0::ad1:ff", "2a10:50c0::ad2:ff"];
    ADGUARD_FAMILY, ADGUARD_FAMILY_HTTPS = "adguard-family", "AdGuard",
        "AdGuard for families", filters "advertisements, trackers, malware, adult content; safe search",
        tls "family.adguard-dns.com", https "family.adguard-dns.com" "/dns-query",
        ["94.140.14.15", "94.140.15.16", "2a10:50c0::bad1:ff", "2a10:50c0::bad2:ff"];
    ADGUARD_UNFILTERED, ADGUARD_UNFILTERED_HTTPS = "adguard-unfiltered", "AdGuard",
        "AdGuard without filtering", filters "nothing",
        tls "unfiltered.adguard-dns.com", https "unfiltered.adguard-dns.com" "/dns-query",
        ["94.140.14.140", "94.140.14.141", "2a10:50c0::1:ff", "2a10:50c0::2:ff"];
    CLEANBROWSING_ADULT, CLEANBROWSING_ADULT_HTTPS = "cleanbrowsing-adult", "CleanBrowsing",
        "The adult filter of `CleanBrowsing`", filters "malware, phishing, adult content; safe search",
        tls "adult-filter-dns.cleanbrowsing.org", https "doh.cleanbrowsing.org" "/doh/adult-filter/",
        ["185.228.168.10", "185.228.169.11", "2a0d:2a00:1::1", "2a0d:2a00:2::1"];
    CLEANBROWSING_FAMILY, CLEANBROWSING_FAMILY_HTTPS = "cleanbrowsing-family", "CleanBrowsing",
        "The family filter of `CleanBrowsing`",
        filters "malware, phishing, adult and mixed content, proxies; safe search",
        tls "family-filter-dns.cleanbrowsing.org", https "doh.cleanbrowsing.org" "/doh/family-filter/",
        ["185.228.168.168", "185.228.169.168", "2a0d:2a00:1::", "2a0d:2a00:2::"];
    CLEANBROWSING_SECURITY, CLEANBROWSING_SECURITY_HTTPS = "cleanbrowsing-security", "CleanBrowsing",
        "The security filter of `CleanBrowsing`", filters "malware, phishing",
        tls "security-filter-dns.cleanbrowsing.org", https "doh.cleanbrowsing.org" "/doh/security-filter/",
        ["185.228.168.9", "185.228.169.9", "2a0d:2a00:1::2", "2a0d:2a00:2::2"];
    CLOUDFLARE, CLOUDFLARE_HTTPS = "cloudflare", "Cloudflare",
        "Cloudflare", filters "nothing",
        tls "cloudflare-dns.com", https "cloudflare-dns.com" "/dns-query",
        ["1.1.1.1", "1.0.0.1", "2606:4700:4700::1111", "2606:4700:4700::1001"];
    CLOUDFLARE_FAMILY, CLOUDFLARE_FAMILY_HTTPS = "cloudflare-family", "Cloudflare",
        "Cloudflare for families", filters "malware, adult content",
        tls "family.cloudflare-dns.com", https "family.cloudflare-dns.com" "/dns-query",
        ["1.1.1.3", "1.0.0.3", "2606:4700:4700::1113", "2606:4700:4700::1003"];
    CLOUDFLARE_SECURITY, CLOUDFLARE_SECURITY_HTTPS = "cloudflare-security", "Cloudflare",
        "Cloudflare, blocking malware", filters "malware",
        tls "security.cloudflare-dns.com", https "security.cloudflare-dns.com" "/dns-query",
        ["1.1.1.2", "1.0.0.2", "2606:4700:4700::1112", "2606:4700:4700::1002"];
    CONTROLD, CONTROLD_HTTPS = "controld", "Control D",
        "Control D without filtering", filters "nothing",
        tls "p0.freedns.controld.com", https "freedns.controld.com" "/p0",
        ["76.76.2.0", "76.76.10.0", "2606:1a40::", "2606:1a40:1::"];
    DNS_SB, DNS_SB_HTTPS = "dns-sb", "DNS.SB",
        "DNS.SB", filters "nothing",
        tls "dot.sb", https "doh.dns.sb" "/dns-query",
        ["185.222.222.222", "45.11.45.11", "2a09::", "2a11::"];
    DNS4EU, DNS4EU_HTTPS = "dns4eu", "DNS4EU",
        "DNS4EU without filtering", filters "nothing",
        tls "unfiltered.joindns4.eu", https "unfiltered.joindns4.eu" "/dns-query",
        ["86.54.11.100", "86.54.11.200", "2a13:1001::86:54:11:100", "2a13:1001::86:54:11:200"];
    DNS4EU_PROTECTIVE, DNS4EU_PROTECTIVE_HTTPS = "dns4eu-protective", "DNS4EU",
        "DNS4EU, blocking malware", filters "malware, phishing",
        tls "protective.joindns4.eu", https "protective.joindns4.eu" "/dns-query",
        ["86.54.11.1", "86.54.11.201", "2a13:1001::86:54:11:1", "2a13:1001::86:54:11:201"];
    /// Over HTTPS, the server answers queries of more than 512 bytes with HTTP status 413 or 414.
    GOOGLE, GOOGLE_HTTPS = "google", "Google",
        "Google", filters "nothing",
        tls "dns.google", https "dns.google" "/dns-query",
        ["8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844"];
    MULLVAD, MULLVAD_HTTPS = "mullvad", "Mullvad",
        "Mullvad without filtering", filters "nothing",
        tls "dns.mullvad.net", https "dns.mullvad.net" "/dns-query",
        ["194.242.2.2", "2a07:e340::2"];
    MULLVAD_ADBLOCK, MULLVAD_ADBLOCK_HTTPS = "mullvad-adblock", "Mullvad",
        "Mullvad, blocking advertisements", filters "advertisements, trackers",
        tls "adblock.dns.mullvad.net", https "adblock.dns.mullvad.net" "/dns-query",
        ["194.242.2.3", "2a07:e340::3"];
    MULLVAD_ALL, MULLVAD_ALL_HTTPS = "mullvad-all", "Mullvad",
        "Mullvad, blocking all supported categories",
        filters "advertisements, trackers, malware, social media, adult content, gambling",
        tls "all.dns.mullvad.net", https "all.dns.mullvad.net" "/dns-query",
        ["194.242.2.9", "2a07:e340::9"];
    MULLVAD_BASE, MULLVAD_BASE_HTTPS = "mullvad-base", "Mullvad",
        "Mullvad, blocking advertisements and malware", filters "advertisements, trackers, malware",
        tls "base.dns.mullvad.net", https "base.dns.mullvad.net" "/dns-query",
        ["194.242.2.4", "2a07:e340::4"];
    MULLVAD_EXTENDED, MULLVAD_EXTENDED_HTTPS = "mullvad-extended", "Mullvad",
        "Mullvad, also blocking social media", filters "advertisements, trackers, malware, social media",
        tls "extended.dns.mullvad.net", https "extended.dns.mullvad.net" "/dns-query",
        ["194.242.2.5", "2a07:e340::5"];
    MULLVAD_FAMILY, MULLVAD_FAMILY_HTTPS = "mullvad-family", "Mullvad",
        "Mullvad for families", filters "advertisements, trackers, malware, adult content, gambling",
        tls "family.dns.mullvad.net", https "family.dns.mullvad.net" "/dns-query",
        ["194.242.2.6", "2a07:e340::6"];
    /// With an account, the name over TLS is `ID.dns.nextdns.io` and the path over HTTPS is `/ID`.
    NEXTDNS, NEXTDNS_HTTPS = "nextdns", "NextDNS",
        "`NextDNS` without an account", filters "nothing",
        tls "dns.nextdns.io", https "dns.nextdns.io" "/dns-query",
        ["45.90.28.0", "45.90.30.0", "2a07:a8c0::", "2a07:a8c1::"];
    /// NODATA answers have no SOA record, so they are not cached.
    OPENDNS, OPENDNS_HTTPS = "opendns", "Cisco",
        "OpenDNS", filters "phishing",
        tls "dns.opendns.com", https "doh.opendns.com" "/dns-query",
        ["208.67.222.222", "208.67.220.220", "2620:119:35::35", "2620:119:53::53"];
    /// Over HTTPS, the server supports HTTP/2 but not HTTP/1.1.
    QUAD9, QUAD9_HTTPS = "quad9", "Quad9",
        "Quad9, blocking malware", filters "malware",
        tls "dns.quad9.net", https "dns.quad9.net" "/dns-query",
        ["9.9.9.9", "149.112.112.112", "2620:fe::fe", "2620:fe::9"];
    /// The server does not validate DNSSEC. Over HTTPS, the server supports HTTP/2 but not HTTP/1.1.
    QUAD9_UNFILTERED, QUAD9_UNFILTERED_HTTPS = "quad9-unfiltered", "Quad9",
        "Quad9 without filtering", filters "nothing",
        tls "dns10.quad9.net", https "dns10.quad9.net" "/dns-query",
        ["9.9.9.10", "149.112.112.10", "2620:fe::10", "2620:fe::fe:10"];
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn every_preset_parses_to_an_upstream_with_addresses() {
        for preset in ALL {
            let upstream = preset.upstream();
            assert!(!upstream.needs_bootstrap(), "{preset}");
            assert_eq!(upstream.protocol(), preset.protocol(), "{preset}");
            assert_eq!(upstream.label(), preset.name);
            assert_eq!(preset.name.parse::<Upstream>().expect(preset.name), upstream);
            assert_eq!(
                upstream.to_string().parse::<Upstream>().expect(preset.name).to_string(),
                upstream.to_string()
            );
        }
        assert!(ALL.is_sorted_by(|one, next| one.name < next.name), "sorted, without repeated names");
    }

    #[test]
    fn presets_of_a_service_have_the_same_addresses() {
        let is_https = |preset: &&Preset| preset.protocol() == Protocol::Https;
        assert_eq!(ALL.iter().filter(is_https).count() * 2, ALL.len());
        for preset in ALL.iter().filter(is_https) {
            let other = preset.name.strip_suffix("-https").and_then(find).expect(preset.name);
            assert_eq!((preset.operator, preset.filtering), (other.operator, other.filtering), "{preset}");
            let addresses = |preset: &Preset| preset.upstream().addresses().to_vec();
            assert_eq!(addresses(preset), addresses(other), "{preset}");
            assert!(addresses(preset).iter().any(IpAddr::is_ipv6), "{preset}");
            assert!(addresses(preset).iter().any(IpAddr::is_ipv4), "{preset}");
        }
    }

    #[test]
    fn unknown_preset_name_is_an_error() {
        assert!("quad8".parse::<Upstream>().is_err());
        assert!(find("").is_none());
    }
}
