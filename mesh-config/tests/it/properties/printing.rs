//! Objects are the same after they were printed, as `get -o yaml` and `get -o json` do, and read again.

use std::collections::BTreeSet;

use mesh_config::{Object, parse};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use regex::Regex;

use crate::generate;
use crate::kit::source;

/// The only object of a text.
fn read(text: &str) -> Result<Object, TestCaseError> {
    match parse(&[source(text)]) {
        Ok(objects) if objects.len() == 1 => Ok(objects.into_iter().next().unwrap()),
        Ok(objects) => Err(TestCaseError::fail(format!(
            "{} objects in\n{text}",
            objects.len()
        ))),
        Err(problems) => Err(TestCaseError::fail(format!("{problems}\n{text}"))),
    }
}

/// All that is said, without the places where it is written.
fn meaning(object: &Object) -> String {
    let places = Regex::new("Mark \\{[^}]*\\}").unwrap();
    let said = format!("{:?} {:?} {:?}", object.api_version, object.metadata, object.spec);
    places.replace_all(&said, "").into_owned()
}

proptest! {
    #[test]
    fn an_object_is_the_same_after_it_was_printed_and_read_again(written in generate::object()) {
        let object = read(&written.to_string())?;
        prop_assert_eq!(object.content(), &written);
        let blocks = !object.content().to_string().contains("\\t");
        let options = serde_saphyr::ser_options! { prefer_block_scalars: blocks };
        let yaml = serde_saphyr::to_string_with_options(object.content(), options).unwrap();
        for printed in [yaml, format!("{:#}", object.content())] {
            let again = read(&printed)?;
            prop_assert_eq!(again.content(), object.content(), "{}", printed);
            prop_assert_eq!(meaning(&again), meaning(&object), "{}", printed);
        }
    }
}

#[test]
fn objects_of_every_kind_are_generated() {
    let mut runner = TestRunner::deterministic();
    let kinds: BTreeSet<String> = (0..400)
        .map(|_| {
            generate::object().new_tree(&mut runner).unwrap().current()["kind"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let expected = [
        "Deployment",
        "DestinationRule",
        "Gateway",
        "Namespace",
        "Service",
        "ServiceAccount",
        "ServiceEntry",
        "Sidecar",
        "VirtualService",
        "WorkloadEntry",
    ];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
