//! Looking into objects as they were written.
//!
//! Analyses look at fields that nothing here acts on, too, so they read the objects' content and not what was made of it.

use std::collections::BTreeMap;

use serde_json::Value;

/// Short ways to fields; what is missing or of another type is empty.
pub(crate) trait Json {
    /// The entries of a list, in order.
    fn list(&self, key: &str) -> &[Value];
    /// A text.
    fn text(&self, key: &str) -> Option<&str>;
    /// A whole number from 0.
    fn number(&self, key: &str) -> Option<u64>;
    /// The texts of a list.
    fn texts(&self, key: &str) -> Vec<&str>;
    /// A mapping of text to text.
    fn labels(&self, key: &str) -> BTreeMap<&str, &str>;
    /// The entries of a mapping.
    fn entries(&self, key: &str) -> Vec<(&str, &Value)>;
    /// Whether there is a value.
    fn has(&self, key: &str) -> bool;
}

impl Json for Value {
    fn list(&self, key: &str) -> &[Value] {
        self[key].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    fn text(&self, key: &str) -> Option<&str> {
        self[key].as_str()
    }

    fn number(&self, key: &str) -> Option<u64> {
        self[key].as_u64()
    }

    fn texts(&self, key: &str) -> Vec<&str> {
        self.list(key).iter().filter_map(Value::as_str).collect()
    }

    fn labels(&self, key: &str) -> BTreeMap<&str, &str> {
        let entries = self.entries(key).into_iter();
        entries
            .filter_map(|(name, value)| Some((name, value.as_str()?)))
            .collect()
    }

    fn entries(&self, key: &str) -> Vec<(&str, &Value)> {
        let map = self[key].as_object();
        map.into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), value))
            .collect()
    }

    fn has(&self, key: &str) -> bool {
        !self[key].is_null()
    }
}
