//! What kubectl and the API server refuse.

use super::catalogue::{Check, Istioctl, Layer, Severity};

const fn refused(code: &'static str, what: &'static str, why: &'static str, fix: &'static str) -> Check {
    Check {
        code,
        istio: Some("IST0106"),
        severity: Severity::Error,
        layer: Layer::Schema,
        what,
        why,
        fix,
        istioctl: Istioctl::Never,
    }
}

/// Text that cannot be read.
pub(crate) static NOT_YAML: Check = refused(
    "TL0001",
    "text that is no YAML",
    "kubectl stops at such a document; `istioctl analyze` exits with 65.",
    "Mind indentation, quotes, and a blank after each `:` and `-`.",
);

/// Nothing to apply.
pub(crate) static NO_OBJECTS: Check = refused(
    "TL0002",
    "no object at all",
    "kubectl says `no objects passed to apply` and exits with 1.",
    "Name the file or folder that has the manifests.",
);

/// No such kind, or not in this version.
pub(crate) static KIND: Check = refused(
    "TL0003",
    "a kind or apiVersion that does not exist",
    "The API server has no such resource. `istioctl validate` calls it valid without looking inside.",
    "VirtualService and DestinationRule are `networking.istio.io/v1` (or v1beta1, v1alpha3).",
);

/// Name, namespace, labels, ...
pub(crate) static METADATA: Check = refused(
    "TL0004",
    "metadata that Kubernetes does not take",
    "The API server refuses the object. `istioctl validate` does not look at metadata.",
    "Names are lower-case letters, digits, `-` and `.`; label values have at most 63 characters.",
);

/// A key twice in one mapping: kubectl takes the last one in silence, `istioctl validate` refuses it.
pub(crate) static DUPLICATE_KEY: Check = Check {
    layer: Layer::Webhook,
    istioctl: Istioctl::Never,
    ..refused(
        "TL0005",
        "a key that is given twice",
        "kubectl takes the last one in silence; `istioctl validate` refuses the file, `istioctl analyze` does not.",
        "Remove one of the two. In a list, the second one wants a `-` of its own.",
    )
};

/// A field that the type does not have.
pub(crate) static UNKNOWN_FIELD: Check = refused(
    "TL0006",
    "an unknown field",
    "The API server refuses it, or drops it with a warning if validation is not strict: then the rule does less than it says.",
    "Mind spelling and indentation; field names are in camelCase.",
);

/// Text for a number and the like.
pub(crate) static WRONG_TYPE: Check = refused(
    "TL0007",
    "a value of the wrong type",
    "The API server refuses the object; `istioctl validate` takes some of these (numbers as text).",
    "YAML reads plain `y`, `no`, `on`, `1.0`, `1e3` as booleans and numbers: put texts in quotes.",
);

/// A required field that is not there.
pub(crate) static MISSING: Check = refused(
    "TL0008",
    "a required field is missing",
    "The API server refuses the object.",
    "Add the field.",
);

/// Not one of the words of an enumeration.
pub(crate) static NOT_ONE_OF: Check = refused(
    "TL0009",
    "a word that is not one of those allowed",
    "The API server refuses the object.",
    "Use one of the words listed; they are in capitals.",
);

/// A number out of its range.
pub(crate) static RANGE: Check = refused(
    "TL0010",
    "a number out of its range",
    "The API server refuses the object.",
    "Choose a number in the range.",
);

/// Fields of which one may be given.
pub(crate) static EXCLUSIVE: Check = refused(
    "TL0011",
    "fields that exclude each other",
    "The API server refuses the object; `istioctl validate` takes the last one.",
    "Keep one of them.",
);

/// Not a duration, or below a millisecond.
pub(crate) static DURATION: Check = refused(
    "TL0012",
    "not a duration of at least a millisecond",
    "The API server refuses the object: `must be a valid duration greater than 1ms`.",
    "Durations look like 500ms, 1.5s, 1m30s, 1h.",
);

/// A text that has to follow a pattern.
pub(crate) static FORMAT: Check = refused(
    "TL0013",
    "a text of the wrong form",
    "The API server refuses the object.",
    "See the message.",
);

/// All of them.
pub(crate) static ALL: &[&Check] = &[
    &NOT_YAML,
    &NO_OBJECTS,
    &KIND,
    &METADATA,
    &DUPLICATE_KEY,
    &UNKNOWN_FIELD,
    &WRONG_TYPE,
    &MISSING,
    &NOT_ONE_OF,
    &RANGE,
    &EXCLUSIVE,
    &DURATION,
    &FORMAT,
];
