//! How answers look.

use std::io::{self, Write};

use anyhow::Context;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde_json::{Value, json};

use super::args::ListFormat;
use crate::admin::wire::{self, Listening, Listing, Section, Status};

/// A list as tables, or as objects; `one` object stands for itself, without a list around it.
pub(crate) fn listing(
    listing: &Listing,
    format: Option<ListFormat>,
    one: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    match format {
        None | Some(ListFormat::Wide) => {
            let several = listing.sections.len() > 1;
            for (index, section) in listing.sections.iter().enumerate() {
                if index > 0 {
                    writeln!(out)?;
                }
                let prefix = several.then_some(section.resource.as_str());
                write!(out, "{}", table(&section.table, format.is_some(), prefix))?;
            }
        }
        Some(ListFormat::Name) => {
            for section in &listing.sections {
                for item in &section.items {
                    let name = item["metadata"]["name"].as_str();
                    let name =
                        name.context("routes, clusters and endpoints have no -o name; take -o json")?;
                    writeln!(out, "{}/{name}", section.resource)?;
                }
            }
        }
        Some(ListFormat::Json) => writeln!(out, "{:#}", objects(&listing.sections, one))?,
        Some(ListFormat::Yaml) => {
            let objects = objects(&listing.sections, one);
            // kubectl takes no block whose lines begin with a tab.
            let options =
                serde_saphyr::ser_options! { prefer_block_scalars: !objects.to_string().contains("\\t") };
            write!(
                out,
                "{}",
                serde_saphyr::to_string_with_options(&objects, options)?
            )?;
        }
    }
    Ok(())
}

fn objects(sections: &[Section], one: bool) -> Value {
    let items: Vec<&Value> = sections.iter().flat_map(|section| &section.items).collect();
    match items.as_slice() {
        [item] if one => (*item).clone(),
        items => json!({"apiVersion": "v1", "kind": "List", "items": items}),
    }
}

/// Columns with three blanks between them, as kubectl does; a `prefix` tells what the names are names of.
fn table(table: &wire::Table, wide: bool, prefix: Option<&str>) -> String {
    let shown = |index: usize| wide || !table.columns[index].wide;
    let columns: Vec<&str> = (0..table.columns.len())
        .filter(|&index| shown(index))
        .map(|index| table.columns[index].name.as_str())
        .collect();
    let mut rows = vec![columns.iter().map(ToString::to_string).collect()];
    for row in &table.rows {
        let cells = row.iter().enumerate().filter(|(index, _)| shown(*index));
        rows.push(
            cells
                .map(|(index, cell)| match prefix {
                    Some(prefix) if table.columns[index].name == "NAME" => format!("{prefix}/{cell}"),
                    _ => cell.clone(),
                })
                .collect(),
        );
    }
    aligned(rows)
}

fn aligned(rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    table.trim_fmt() + "\n"
}

/// The state of a mesh.
pub(crate) fn status(status: &Status, out: &mut impl Write) -> io::Result<()> {
    let Status {
        version, pid, admin, ..
    } = status;
    let mut rows = vec![vec![
        "local-mesh".to_owned(),
        format!("{version}, pid {pid}, admin {admin}, {} objects", status.objects),
    ]];
    if status.gateway.is_empty() {
        rows.push(vec!["gateway".to_owned(), "closed: no Gateway object".to_owned()]);
    }
    for listening in status.gateway.iter().chain(&status.clients) {
        rows.push(vec![listening.name.clone(), describe(listening)]);
    }
    for deployment in &status.deployments {
        let (ready, replicas) = (deployment.ready, deployment.replicas);
        let restarts = match deployment.restarts {
            0 => String::new(),
            restarts => format!(", restarts: {restarts}"),
        };
        rows.push(vec![
            format!("{}/{}", deployment.namespace, deployment.name),
            format!("{ready} of {replicas} ready{restarts}"),
        ]);
    }
    write!(out, "{}", aligned(rows))?;
    for missing in &status.missing {
        writeln!(out, "not ready: {missing}")?;
    }
    Ok(())
}

/// Where a listener is and what it stands for.
pub(crate) fn describe(listening: &Listening) -> String {
    match listening.port {
        Some(port) => format!("http://{} (port {port})", listening.address),
        None => format!("http://{} (HTTP proxy)", listening.address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::wire::Column;

    fn sample() -> Listing {
        let column = |(name, wide): (&str, bool)| Column {
            name: name.to_owned(),
            wide,
        };
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        Listing {
            sections: vec![Section {
                resource: "pod".to_owned(),
                table: wire::Table {
                    columns: [("NAME", false), ("READY", false), ("PID", true)]
                        .map(column)
                        .into(),
                    rows: vec![row(["auth-v1", "1/1", "42"]), row(["a", "0/1", "7"])],
                },
                items: vec![
                    json!({"kind": "Pod", "on": "on", "n": "1.0"}),
                    json!({"kind": "Pod"}),
                ],
            }],
        }
    }

    fn printed(format: Option<ListFormat>, one: bool) -> String {
        let mut out = Vec::new();
        listing(&sample(), format, one, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_aligned_and_wide_ones_shown_on_demand() {
        assert_eq!(
            printed(None, false),
            "NAME      READY\nauth-v1   1/1\na         0/1\n"
        );
        let wide = "NAME      READY   PID\nauth-v1   1/1     42\na         0/1     7\n";
        assert_eq!(printed(Some(ListFormat::Wide), false), wide);
    }

    #[test]
    fn objects_come_back_from_yaml_as_they_were() {
        let text = printed(Some(ListFormat::Yaml), false);
        let back: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(
            back["items"][0],
            json!({"kind": "Pod", "on": "on", "n": "1.0"}),
            "{text}"
        );
        let text = printed(Some(ListFormat::Json), true);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["kind"], "List");
    }

    #[test]
    fn several_kinds_tell_names_apart() {
        let mut two = sample();
        two.sections.extend(sample().sections);
        let mut out = Vec::new();
        listing(&two, None, false, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("\n\nNAME") && text.contains("pod/auth-v1"),
            "{text}"
        );
    }
}
