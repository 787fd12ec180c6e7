//! The committed cases.

use std::collections::BTreeSet;

use conformance::case::Case;
use conformance::corpus::{all, folder, wished};

#[test]
fn every_case_is_readable_and_expects_something() {
    let cases = all(&folder()).unwrap();
    assert!(cases.len() >= 906, "{}", cases.len());
    for found in &cases {
        let case = &found.case;
        let expects = !case.steps.is_empty() || case.refusal().is_some() || case.accepted;
        assert!(expects, "{} expects nothing", found.id);
    }
}

#[test]
fn a_wish_is_a_topic_a_case_or_a_file() {
    let ids = |wishes: &[&str]| -> BTreeSet<String> {
        let wishes: Vec<String> = wishes.iter().map(|wish| (*wish).to_owned()).collect();
        wished(&folder(), &wishes)
            .unwrap()
            .into_iter()
            .map(|found| found.id)
            .collect()
    };
    let one = BTreeSet::from(["weights/90-10".to_owned()]);
    assert_eq!(ids(&["weights/90-10"]), one);
    assert_eq!(ids(&["90-10"]), one);
    assert_eq!(ids(&[folder().join("weights/90-10.yaml").to_str().unwrap()]), one);
    let topic = ids(&["weights", "90-10"]);
    assert!(topic.len() > 20 && topic.iter().all(|id| id.starts_with("weights/")));
    assert_eq!(ids(&[]).len(), all(&folder()).unwrap().len());
    assert!(wished(&folder(), &["no-such-thing".to_owned()]).is_err());
}

#[test]
fn a_misspelt_key_is_an_error_that_says_where() {
    let error = Case::parse("case: c\ntitle: t\nsteps:\n- sned: {url: 'http://a/'}\n")
        .unwrap_err()
        .to_string();
    assert!(error.contains("sned") && error.contains("line 4"), "{error}");
    let error = Case::parse("case: c\ntitle: t\nsteps:\n- send: {url: 'http://a/'}\n")
        .unwrap_err()
        .to_string();
    assert!(error.contains("record the case first"), "{error}");
    let two = "case: c\ntitle: t\nsteps:\n- {wait: 1, delete: x}\n";
    assert!(
        Case::parse(two)
            .unwrap_err()
            .to_string()
            .contains("a step is one of")
    );
}
