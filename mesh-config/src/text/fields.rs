//! Reading mappings with known keys.

use super::node::Node;
use super::similar;
use super::value::Value;
use crate::check::{proxy, schema};
use crate::problem::Placed;

/// The fields of a mapping. Every name asked for becomes known; what remains unknown is a problem.
pub(crate) struct Fields<'d> {
    value: Value<'d>,
    entries: Vec<(Placed<String>, Value<'d>)>,
    known: Vec<&'static str>,
    /// Whether unknown fields are no problem.
    rest: bool,
}

impl<'d> Fields<'d> {
    pub(super) fn new(value: Value<'d>) -> Self {
        Fields {
            entries: value.entries(),
            value,
            known: Vec::new(),
            rest: false,
        }
    }

    /// The mapping itself.
    pub(crate) fn value(&self) -> &Value<'d> {
        &self.value
    }

    /// An optional field; null counts as absent.
    pub(crate) fn get(&mut self, name: &'static str) -> Option<Value<'d>> {
        self.known.push(name);
        self.entries
            .iter()
            .find(|(key, _)| key.value == name)
            .map(|(_, value)| value.clone())
    }

    /// A field that the schema requires.
    pub(crate) fn required(&mut self, name: &'static str) -> Option<Value<'d>> {
        let found = self.get(name);
        if found.is_none() {
            self.value
                .say(&schema::MISSING, format!("`{name}` is missing"), None);
        }
        found
    }

    /// A field that istiod asks for.
    pub(crate) fn needed(&mut self, name: &'static str) -> Option<Value<'d>> {
        let found = self.get(name);
        if found.is_none() {
            self.value.problem(format!("`{name}` is missing"));
        }
        found
    }

    /// Real fields that are not implemented: a problem each.
    pub(crate) fn not_supported(&mut self, names: &[&'static str]) {
        for name in names {
            self.unsupported(name);
        }
    }

    /// A real field that is not implemented: a problem, whatever it says. It is given back to be judged.
    pub(crate) fn unsupported(&mut self, name: &'static str) -> Option<Value<'d>> {
        let found = self.get(name)?;
        if let Some((key, _)) = self.entries.iter().find(|(key, _)| key.value == name) {
            let message = format!("not supported yet: `{}`", found.path());
            let document = self.value.document();
            document.report(&proxy::NOT_SUPPORTED, key.mark, message, None);
        }
        Some(found)
    }

    /// Real fields that change nothing here.
    pub(crate) fn accept(&mut self, names: &[&'static str]) {
        self.known.extend(names);
    }

    /// Takes every field that was not asked for.
    pub(crate) fn accept_rest(&mut self) {
        self.rest = true;
    }

    /// More than one of the names is refused by the schema.
    pub(crate) fn at_most_one(&self, names: &[&'static str]) {
        let mut given = names.to_vec();
        given.retain(|name| self.value.has(name));
        if given.len() > 1 {
            let message = format!("only one of {} may be given", given.join(", "));
            self.value.say(&schema::EXCLUSIVE, message, None);
        }
    }

    /// Reports what was not asked for. A key without a value counts, too: `{retryOn: 5xx,reset}` has two keys.
    pub(super) fn finish(self) {
        let Node::Map(entries) = &self.value.item.node else {
            return;
        };
        for (key, _) in entries {
            if self.rest || self.known.contains(&key.value.as_str()) {
                continue;
            }
            let advice = similar::did_you_mean(&key.value, &self.known).or_else(|| {
                let mut known = self.known.clone();
                known.sort_unstable();
                (known.len() <= 8).then(|| format!("expected one of {}", known.join(", ")))
            });
            let path = self.value.path_of(&key.value);
            let message = format!("unknown field `{path}`");
            self.value
                .document()
                .report(&schema::UNKNOWN_FIELD, key.mark, message, advice);
        }
    }
}
