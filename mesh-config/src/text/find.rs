//! Where something is written, found again when there is something to say about it.

use super::node::{self, Item, Node};
use crate::problem::Mark;

/// The place of a JSON pointer (`/spec/http/0/timeout`) in an object that begins at `line` of its file; `text` is the
/// document that it is in, from `first_line` on. A scalar is marked itself, a mapping or list by its key. Of a pointer
/// to nothing, the nearest thing above.
pub(crate) fn mark_at(text: &str, first_line: usize, line: usize, pointer: &str) -> Mark {
    let beginning = Mark {
        line,
        column: 1,
        length: 1,
    };
    let Ok(Some(tree)) = node::read(text, first_line) else {
        return beginning;
    };
    let root = if tree.mark.line == line {
        Some(&tree)
    } else {
        items(&tree).find(|item| item.mark.line == line)
    };
    let Some(mut item) = root else { return beginning };
    let mut mark = item.mark;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let next = match &item.node {
            Node::Map(entries) => entries
                .iter()
                .find(|(key, _)| key.value == step)
                .map(|(key, value)| (key.mark, value)),
            Node::List(items) => {
                let index = step.parse().ok();
                index
                    .and_then(|index: usize| items.get(index))
                    .map(|item| (item.mark, item))
            }
            _ => None,
        };
        let Some((key, value)) = next else { break };
        let block = matches!(value.node, Node::Map(_) | Node::List(_));
        (mark, item) = (if block { key } else { value.mark }, value);
    }
    mark
}

/// The objects of a List.
fn items(tree: &Item) -> impl Iterator<Item = &Item> {
    let entries = match &tree.node {
        Node::Map(entries) => entries.as_slice(),
        _ => &[],
    };
    let list = entries.iter().find(|(key, _)| key.value == "items");
    let items = list.and_then(|(_, item)| match &item.node {
        Node::List(items) => Some(items.as_slice()),
        _ => None,
    });
    items.unwrap_or_default().iter()
}
