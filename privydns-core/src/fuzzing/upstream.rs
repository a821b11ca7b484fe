//! Fuzz target: texts from users, such as upstreams, proxies, names, pins and certificate files.

use data_encoding::BASE64URL_NOPAD;
use hickory_proto::op::Message as Reference;
use hickory_proto::rr::RecordType;

use super::stream::question;
use crate::connection::{Http1, Key, Machine};
use crate::doh::Endpoint;
use crate::error::{ConfigError, ErrorKind};
use crate::message::{Carrier, Query, QueryName, encode};
use crate::proxy::Proxy;
use crate::testkit::epoch;
use crate::tls::{ClientCertificate, Pin, Roots};
use crate::upstream::{HttpMethod, Stamp, Upstream};

/// The input is a text that is parsed as an upstream and as everything else that is read from text.
pub fn upstream(input: &[u8]) {
    a_stamp(&format!("sdns://{}", BASE64URL_NOPAD.encode(input)));
    let Ok(text) = std::str::from_utf8(input) else { return files(input) };
    for parsed in [text.parse::<Upstream>(), Upstream::tls(text), Upstream::https(text)] {
        match parsed {
            Ok(upstream) => an_upstream(&upstream),
            Err(error) => {
                let ErrorKind::Config(ConfigError::Syntax(error)) = error.kind() else { panic!("{error:?}") };
                assert!(text.get(error.span()).is_some(), "the span is within the text");
                assert!(error.to_string().len() < 600);
            }
        }
    }
    a_stamp(text);
    if let Ok(name) = QueryName::parse(text) {
        a_name(&name);
    }
    if let Ok(pin) = text.parse::<Pin>() {
        assert_eq!(pin.to_string().parse::<Pin>().ok(), Some(pin));
    }
    if let Ok(proxy) = text.parse::<Proxy>() {
        assert!(!proxy.to_string().contains('@'), "credentials are hidden");
    }
    files(input);
}

/// An upstream equals the upstream parsed from its own text, and no part of the text can inject request syntax.
fn an_upstream(upstream: &Upstream) {
    if let Ok(stamp) = upstream.to_stamp() {
        assert_eq!(stamp.upstream().authority(), upstream.authority());
        assert_eq!(stamp.upstream().tbs_hashes(), upstream.tbs_hashes());
        assert!(upstream.pins().is_empty(), "a stamp cannot carry pins");
        a_stamp(&stamp.to_string());
    }
    let text = upstream.to_string();
    let reread = text.parse::<Upstream>().unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(reread.to_string(), text);
    // A preset's label is its name, which is not part of the text.
    assert_eq!(reread.with_label("same"), upstream.clone().with_label("same"), "{text}");
    assert!(!matches!(upstream.port(), 0 | 53), "a port for unencrypted DNS");
    assert!(!text.chars().any(char::is_control));
    for method in [HttpMethod::Post, HttpMethod::Get] {
        let Some(endpoint) = Endpoint::of(&upstream.clone().with_http_method(method)) else { continue };
        let mut machine = Http1::new(epoch(), endpoint.into());
        machine.submit(epoch(), Key(0), &question(Key(0)));
        let mut request = Vec::new();
        assert!(machine.poll_transmit(epoch(), &mut request));
        let mut fields = [httparse::EMPTY_HEADER; 8];
        let mut parsed = httparse::Request::new(&mut fields);
        assert!(parsed.parse(&request).expect("a request").is_complete());
        assert_eq!(
            parsed.headers.len(),
            if method == HttpMethod::Post { 4 } else { 2 },
            "no additional fields"
        );
        let host = parsed.headers.iter().find(|field| field.name == "Host").expect("a host");
        assert_eq!(host.value, upstream.authority().as_bytes());
    }
}

/// A stamp equals the stamp parsed from its own text, and so does its upstream.
fn a_stamp(text: &str) {
    let Ok(stamp) = text.parse::<Stamp>() else { return };
    let printed = stamp.to_string();
    assert_eq!(printed.parse::<Stamp>().ok().as_ref(), Some(&stamp), "{printed}");
    let upstream = stamp.upstream();
    assert_eq!(upstream.to_string().parse::<Upstream>().ok().as_ref(), Some(upstream));
    assert_eq!(upstream.to_stamp().ok().as_ref().map(Stamp::upstream), Some(upstream), "{printed}");
}

/// A name survives the conversion to text and to wire form.
fn a_name(name: &QueryName) {
    assert_eq!(QueryName::parse(&name.to_string()).as_ref(), Ok(name));
    assert!(name.as_wire().len() <= 255 && name.labels().all(|label| (1..=63).contains(&label.len())));
    let query = Query::for_name(name.clone(), RecordType::A);
    let mut bytes = Vec::new();
    encode(&query, 0, Carrier::Stream, &mut bytes);
    assert_eq!(bytes.len() % 128, 0, "the query is padded to a multiple of 128 bytes");
    let read = Reference::from_vec(&bytes).expect("hickory-proto reads what is sent");
    assert_eq!(read.queries[0].name(), &name.to_name());
    let _ = crate::message::local_answer(&query);
}

fn files(input: &[u8]) {
    let _ = Roots::from_pem(input);
    let half = input.len() / 2;
    let _ = ClientCertificate::from_pem(&input[..half], &input[half..]);
}
