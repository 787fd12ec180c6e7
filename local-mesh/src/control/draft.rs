//! Tables in the making, and the words in their cells.

use serde_json::Value;

use crate::admin::wire::{Column, Query, Table};

/// A table with the namespace of each row; its columns begin with the name.
pub(super) struct Draft {
    columns: Vec<Column>,
    pub(super) rows: Vec<(String, Vec<String>)>,
}

impl Draft {
    /// `columns` are names in upper case; those after `|` are for `-o wide`.
    pub(super) fn new(columns: &str) -> Self {
        let (normal, wide) = columns.split_once('|').unwrap_or((columns, ""));
        let named = |text: &str, wide: bool| {
            text.split_whitespace()
                .map(|name| Column {
                    name: name.to_owned(),
                    wide,
                })
                .collect::<Vec<_>>()
        };
        Draft {
            columns: [named(normal, false), named(wide, true)]
                .into_iter()
                .flatten()
                .collect(),
            rows: Vec::new(),
        }
    }

    /// A column NAMESPACE is put in front unless one namespace was asked for, or none of the rows has any.
    pub(super) fn build(self, query: &Query) -> Table {
        let namespaced = self.rows.iter().any(|(namespace, _)| !namespace.is_empty());
        if query.namespace.is_some() || !namespaced {
            return Table {
                columns: self.columns,
                rows: self.rows.into_iter().map(|(_, row)| row).collect(),
            };
        }
        let first = Column {
            name: "NAMESPACE".to_owned(),
            wide: false,
        };
        let with = |(namespace, row): (String, Vec<String>)| [namespace].into_iter().chain(row).collect();
        Table {
            columns: [first].into_iter().chain(self.columns).collect(),
            rows: self.rows.into_iter().map(with).collect(),
        }
    }
}

pub(super) fn joined(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    if words.is_empty() {
        "<none>".to_owned()
    } else {
        words.join(",")
    }
}

pub(super) fn labels(map: &Value) -> String {
    let pairs = map.as_object().into_iter().flatten();
    joined(pairs.map(|(key, value)| match value.as_str() {
        Some(text) => format!("{key}={text}"),
        None => format!("{key}={value}"),
    }))
}

/// As kubectl prints a list: `["a","b"]`; nothing for none.
pub(super) fn list(value: &Value) -> String {
    if value.is_null() {
        String::new()
    } else {
        value.to_string()
    }
}

/// An age in kubectl's words: two units at most, fewer the older.
pub(super) fn age(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: i64, unit: char, small: i64, of: char| match small {
        0 => format!("{large}{unit}"),
        small => format!("{large}{unit}{small}{of}"),
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, 'm', seconds % 60, 's'),
        () if hours < 3 => format!("{minutes}m"),
        () if hours < 8 => two(hours, 'h', minutes % 60, 'm'),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, 'd', hours % 24, 'h'),
        () => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_as_in_kubectl() {
        for (seconds, text) in [
            (-3, "0s"),
            (119, "119s"),
            (120, "2m"),
            (150, "2m30s"),
            (599, "9m59s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_860, "3h1m"),
            (28_800, "8h"),
            (172_800, "2d"),
            (180_000, "2d2h"),
            (864_000, "10d"),
        ] {
            assert_eq!(age(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn the_namespace_is_a_column_unless_one_was_asked_for() {
        let draft = || {
            let mut draft = Draft::new("NAME AGE | MORE");
            draft
                .rows
                .push(("shop".to_owned(), ["a", "1s", "x"].map(str::to_owned).to_vec()));
            draft
        };
        let all = draft().build(&Query::default());
        let names: Vec<&str> = all.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["NAMESPACE", "NAME", "AGE", "MORE"]);
        assert_eq!(all.rows, [["shop", "a", "1s", "x"]]);
        assert!(all.columns[3].wide && !all.columns[2].wide);
        let one = draft().build(&Query {
            namespace: Some("shop".to_owned()),
            ..Query::default()
        });
        assert_eq!(one.rows, [["a", "1s", "x"]]);
    }
}
