//! Reading the version of an answer.

use http::HeaderMap;
use load_client::version::{VersionReader, VersionSource};

/// `service/version/instance` of each hop, or the reason for none.
fn read(source: &str, headers: &[(&'static str, &str)], body: &str) -> Option<String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, value.parse().unwrap());
    }
    let hops = VersionReader::new(source.parse().unwrap()).read(&map, body.as_bytes())?;
    let shown = hops
        .iter()
        .map(|hop| format!("{}/{}/{}", hop.service, hop.version, hop.instance));
    Some(shown.collect::<Vec<_>>().join(" "))
}

#[test]
fn served_by_names_every_hop_the_nearest_first() {
    let header = |value| read("header:x-served-by", &[("x-served-by", value)], "");
    assert_eq!(
        header("pay/v2/p-1, auth/v1/a/1").as_deref(),
        Some("pay/v2/p-1 auth/v1/a/1")
    );
    assert_eq!(header("pay/v2/").as_deref(), Some("pay/v2/"));
    for other_format in ["v2", "pay/v2", "pay//p-1", "pay/v2/p-1, ", "cache-fra-1"] {
        assert_eq!(header(other_format), None, "{other_format}");
    }
    assert_eq!(read("header:x-served-by", &[], ""), None);
}

#[test]
fn any_other_header_is_the_version_itself() {
    assert_eq!(
        read("header:x-version", &[("x-version", " v3 ")], "").as_deref(),
        Some("/v3/")
    );
    assert_eq!(read("header:X-Version", &[("x-version", "")], ""), None);
}

#[test]
fn a_pointer_finds_text_numbers_and_booleans_in_json() {
    let body = r#"{"build":{"version":"v1","number":7,"canary":true,"tags":[]}}"#;
    assert_eq!(read("json:/build/version", &[], body).as_deref(), Some("/v1/"));
    assert_eq!(read("json:/build/number", &[], body).as_deref(), Some("/7/"));
    assert_eq!(read("json:/build/canary", &[], body).as_deref(), Some("/true/"));
    for nothing in ["json:/build/tags", "json:/other"] {
        assert_eq!(read(nothing, &[], body), None);
    }
    assert_eq!(read("json:/version", &[], "<html>"), None);
}

#[test]
fn an_expression_captures_the_version_from_the_body() {
    let source = r"regex:Hello version: (v\d+)";
    assert_eq!(
        read(source, &[], "Hello version: v2, instance: x").as_deref(),
        Some("/v2/")
    );
    assert_eq!(read(source, &[], "Hello"), None);
}

#[test]
fn a_wrong_source_is_refused_with_advice() {
    let message = |text: &str| text.parse::<VersionSource>().unwrap_err().to_string();
    assert!(message("x-version").contains("header:NAME"));
    assert!(message("cookie:x").contains("header:NAME"));
    assert!(message("header:x version").contains("not the name of a header"));
    assert!(message("json:version").contains("begins with a slash"));
    assert!(message("regex:v[0-9]+").contains("parentheses"));
    assert!(message("regex:(").contains("does not compile"));
}
