//! Where something that applies was written.

use std::fmt;

use serde::Serialize;

use crate::object::{Object, ObjectKey};
use crate::problem::Mark;
use crate::route::RuleRef;

/// The object that says something, and the line that does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// Which object.
    pub object: ObjectKey,
    /// Name of the source.
    pub file: String,
    /// 1-based.
    pub line: usize,
}

impl Origin {
    /// A place inside an object.
    pub(crate) fn new(object: &Object, mark: Mark) -> Self {
        Origin {
            object: object.key(),
            file: object.place.file.clone(),
            line: mark.line,
        }
    }

    /// Whether both are in one object.
    pub(crate) fn is_beside(&self, other: &Origin) -> bool {
        self.object == other.object && self.file == other.file
    }
}

impl From<&RuleRef> for Origin {
    fn from(rule: &RuleRef) -> Self {
        Origin {
            object: rule.object.clone(),
            file: rule.file.clone(),
            line: rule.line,
        }
    }
}

impl fmt::Display for Origin {
    /// `DestinationRule shop/auth, rules.yaml:7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}:{}", self.object, self.file, self.line)
    }
}
