use super::*;

/// Conformance 26: GET expands the template, POST expands it without variables (RFC 8484 Section 4.1).
#[test]
fn the_path_is_the_template_expanded_for_the_method() {
    let message = [0xfb, 0xff, 0x00, 0x01];
    // template, path over POST, path over GET
    let rows = [
        ("/dns-query{?dns}", "/dns-query", "/dns-query?dns=-_8AAQ"),
        ("/dns-query", "/dns-query", "/dns-query?dns=-_8AAQ"),
        ("/q?a=b{&dns}", "/q?a=b", "/q?a=b&dns=-_8AAQ"),
        ("/q?a=b", "/q?a=b", "/q?a=b&dns=-_8AAQ"),
        ("/{dns}", "/", "/-_8AAQ"),
        ("/dns{/dns}/end", "/dns/end", "/dns/-_8AAQ/end"),
        ("/q{?other,dns*}", "/q", "/q?dns=-_8AAQ"),
        ("/q{;dns}{?other}", "/q", "/q;dns=-_8AAQ"),
        ("/q{?dns}{&dns}", "/q", "/q?dns=-_8AAQ"),
    ];
    for (template, post, get) in rows {
        for (method, path) in [(HttpMethod::Post, post), (HttpMethod::Get, get)] {
            let endpoint = Endpoint::new("dns.example", template, method);
            let mut out = b"> ".to_vec();
            endpoint.append_path(&message, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("> {path}"), "{template} {method:?}");
            assert_eq!(endpoint.body(&message).is_some(), method == HttpMethod::Post);
        }
    }
}
