//! The tree of a document.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, MergeKeyPolicy, Spanned};

use super::plain;
use crate::problem::{Mark, Placed};

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) node: Node,
    pub(crate) mark: Mark,
}

/// A value. Numbers keep whether they were whole.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Whole(i128),
    Float(f64),
    Text(String),
    List(Vec<Item>),
    Map(Vec<Entry>),
}

/// A key with its value.
type Entry = (Placed<String>, Item);

impl Item {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.node, Node::Null)
    }

    /// The same without places, as JSON.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.node {
            Node::Null => Json::Null,
            Node::Bool(value) => Json::Bool(*value),
            Node::Whole(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => Json::from(value),
                (_, Ok(value)) => Json::from(value),
                #[allow(clippy::cast_precision_loss)] // as Go reads what does not fit
                _ => Json::from(*value as f64),
            },
            Node::Float(value) => Json::from(*value),
            Node::Text(value) => Json::String(value.clone()),
            Node::List(items) => Json::Array(items.iter().map(Item::to_json).collect()),
            Node::Map(entries) => {
                let entries = entries.iter().filter(|(_, item)| !item.is_null());
                Json::Object(
                    entries
                        .map(|(key, item)| (key.value.clone(), item.to_json()))
                        .collect(),
                )
            }
        }
    }
}

/// Reads one document. Lines are counted from `first_line`.
pub(super) fn read(text: &str, first_line: usize) -> Result<Option<Item>, (Mark, String)> {
    let options = serde_saphyr::options! {
        // Seen by the reader, so that all of them are reported.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        // Likewise: what is overridden would be lost.
        merge_keys: MergeKeyPolicy::AsOrdinary,
        with_snippet: false,
        // Manifests are small; a bomb of aliases is refused at once.
        budget: serde_saphyr::budget! { max_nodes: 100_000, max_aliases: 1_000, max_depth: 64 },
    };
    // Line ends of YAML 1.1 that later versions do not know.
    let text = text.replace(['\u{85}', '\u{2028}', '\u{2029}'], "\n");
    match serde_saphyr::from_str_with_options::<Option<Spanned<Node>>>(&text, options) {
        Ok(root) => {
            let lines: Vec<&str> = super::lines(&text).collect();
            Ok(root.map(|root| place(root.into(), &lines, first_line)))
        }
        Err(error) => {
            let error = error.without_snippet();
            let location = error.location().unwrap_or(Location::UNKNOWN);
            let mark = Mark {
                line: to_usize(location.line()).max(1) - 1 + first_line,
                ..mark_of(&location)
            };
            // Without the place: the problem shows it.
            let message = error.to_string();
            let message = message.lines().next().unwrap_or_default();
            let message = message.split(" at line ").next().unwrap_or(message);
            let message = message.strip_prefix("error: ").unwrap_or(message);
            let message = message
                .split_once(": ")
                .filter(|(l, _)| l.starts_with("line "))
                .map_or(message, |m| m.1);
            Err((mark, format!("this is not YAML: {message}")))
        }
    }
}

/// Makes lines absolute and keeps lengths on their own line.
fn place(mut item: Item, lines: &[&str], first_line: usize) -> Item {
    let fix = |mark: &mut Mark| {
        let line = lines
            .get(mark.line.saturating_sub(1))
            .copied()
            .unwrap_or_default();
        let rest = line.chars().count().saturating_sub(mark.column.saturating_sub(1));
        mark.length = mark.length.min(rest).max(1);
        mark.line = (mark.line + first_line).saturating_sub(1);
    };
    let written = written(lines, &item.mark);
    fix(&mut item.mark);
    item.node = match item.node {
        Node::List(items) => Node::List(items.into_iter().map(|i| place(i, lines, first_line)).collect()),
        Node::Map(entries) => Node::Map(merge(
            entries
                .into_iter()
                .map(|(mut key, value)| {
                    if let Written::Plain(text) = self::written(lines, &key.mark) {
                        key.value = plain::key(text);
                    }
                    fix(&mut key.mark);
                    (key, place(value, lines, first_line))
                })
                .collect(),
        )),
        scalar => match written {
            Written::Plain(text) => plain::resolve(text),
            Written::Tagged(text) => Node::Text(text.to_owned()),
            Written::Otherwise => scalar,
        },
    };
    item
}

/// The tags of YAML, without the `!!` in front of them.
const KNOWN: &[&str] = &[
    "binary",
    "bool",
    "float",
    "int",
    "map",
    "merge",
    "null",
    "omap",
    "seq",
    "set",
    "str",
    "timestamp",
];

/// How a scalar is written.
enum Written<'t> {
    /// Without quotes and tag.
    Plain(&'t str),
    /// With a tag that YAML does not know: a text, and the tag says nothing.
    Tagged(&'t str),
    /// In quotes, as a block, by an alias, on several lines.
    Otherwise,
}

fn written<'t>(lines: &[&'t str], mark: &Mark) -> Written<'t> {
    let Some(line) = lines.get(mark.line.saturating_sub(1)) else {
        return Written::Otherwise;
    };
    let offset = |column: usize| {
        let mut offsets = line.char_indices().map(|(offset, _)| offset).chain([line.len()]);
        offsets.nth(column.saturating_sub(1))
    };
    let (Some(start), Some(end)) = (offset(mark.column), offset(mark.column + mark.length)) else {
        return Written::Otherwise;
    };
    let (before, text) = (line[..start].trim_end(), &line[start..end]);
    if text.is_empty() || text.starts_with(['"', '\'', '|', '>', '*', '&', '!', '[', '{']) {
        return Written::Otherwise;
    }
    let last = before
        .rsplit([' ', '\t', '[', ',', '{'])
        .next()
        .unwrap_or_default();
    match last.strip_prefix('!') {
        None => Written::Plain(text),
        Some(tag) if KNOWN.iter().any(|known| tag.strip_prefix('!') == Some(known)) => Written::Otherwise,
        Some(_) => Written::Tagged(text),
    }
}

/// Puts what `<<` brings behind the entries themselves. A key that is there already is given twice: kubectl lets the
/// entry win in silence, `istioctl validate` refuses the file.
fn merge(entries: Vec<Entry>) -> Vec<Entry> {
    if !entries.iter().any(|(key, _)| key.value == "<<") {
        return entries;
    }
    let (merges, mut merged): (Vec<Entry>, Vec<Entry>) =
        entries.into_iter().partition(|(key, _)| key.value == "<<");
    for (key, item) in merges {
        let sources = match item.node {
            Node::List(items) => items,
            _ => vec![item],
        };
        for source in sources {
            let Node::Map(entries) = source.node else {
                // Nothing that can be merged: a field that nobody knows.
                merged.push((key.clone(), source));
                continue;
            };
            merged.extend(entries.into_iter().map(|(name, value)| {
                let mark = key.mark;
                (Placed { mark, ..name }, value)
            }));
        }
    }
    merged
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn mark_of(location: &Location) -> Mark {
    Mark {
        line: to_usize(location.line()),
        column: to_usize(location.column()).max(1),
        length: to_usize(location.span().len()),
    }
}

impl From<Spanned<Node>> for Item {
    fn from(spanned: Spanned<Node>) -> Self {
        let mut mark = mark_of(&spanned.referenced);
        // The caret of a block points at its first key, not at everything below it.
        if let Node::List(_) | Node::Map(_) = spanned.value {
            mark.length = 1;
        }
        Item {
            node: spanned.value,
            mark,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Whole(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Whole(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element::<Spanned<Node>>()? {
            items.push(item.into());
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let mark = mark_of(&key.referenced);
            entries.push((
                Placed {
                    value: key.value,
                    mark,
                },
                map.next_value::<Spanned<Node>>()?.into(),
            ));
        }
        Ok(Node::Map(entries))
    }
}
