//! The forecast for people, readable at 80 columns.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};

use super::{EdgeForecast, Forecast, Needed, Reach, Tolerances};
use crate::report::number;

/// Columns of numbers.
const RIGHT: [usize; 3] = [1, 3, 4];

impl Forecast {
    /// What it takes in a sentence, then a row for each edge and each way in which it could be wrong.
    ///
    /// # Errors
    /// Of `out`.
    pub fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}", self.headline())?;
        if let Some(within) = &self.within {
            let callers = || self.edges.iter().map(|edge| &edge.edge.from);
            let chain = callers().any(|caller| Some(caller) != callers().next());
            writeln!(out, "{}", reached(within, chain))?;
        }
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["edge", "declared", "to say", "half of the time", "99 in 100"]);
        table.add_rows(self.edges.iter().map(row));
        for column in table.column_iter_mut() {
            column.set_padding((0, 1));
        }
        for index in RIGHT {
            if let Some(column) = table.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        writeln!(out, "{table}")?;
        writeln!(
            out,
            "in requests of the client; a verdict comes by itself, as soon as there is one"
        )?;
        let (odds, alpha) = (number::odds(self.alpha), self.alpha);
        writeln!(out, "a verdict is wrong at most {odds} times (alpha {alpha})")
    }

    fn headline(&self) -> String {
        let (Some(median), Some(most)) = (self.confirm.median, self.confirm.p99) else {
            return "no number of requests confirms this: give a greater --tolerance".to_owned();
        };
        let or_more = |median: String, most: String| {
            if median == most {
                median
            } else {
                format!("{median}, and in 99 of 100 cases {most}")
            }
        };
        let requests = or_more(number::count(median), number::count(most));
        let text = format!("requests until all is confirmed: about {requests}");
        match self
            .seconds
            .as_ref()
            .and_then(|seconds| Some((seconds.rate, seconds.median?, seconds.p99?)))
        {
            Some((rate, median, most)) => format!(
                "{text}\nat {rate} a second: {}",
                or_more(span(median), span(most))
            ),
            None => text,
        }
    }
}

/// The tolerance that a budget can show; of a chain, on both hops.
fn reached(within: &Reach, chain: bool) -> String {
    let budget = number::count(within.budget);
    let (Some(median), Some(most)) = (within.median, within.p99) else {
        return format!("{budget} requests are too few to confirm anything in 99 of 100 cases");
    };
    let points = |share: f64| number::upper(share).replace('%', "points");
    let of = |Tolerances { first, second }: Tolerances| {
        if chain {
            format!("{} (second hop {})", points(first), points(second))
        } else {
            points(first)
        }
    };
    format!(
        "{budget} requests confirm within {} half of the time,\n  within {} in 99 of 100 cases",
        of(median),
        of(most)
    )
}

fn row(edge: &EdgeForecast) -> Vec<String> {
    let mut name = vec![edge.edge.from.clone(), format!("-> {}", edge.edge.to)];
    name.extend(
        edge.edge
            .variant
            .as_ref()
            .map(|variant| format!("   [{variant}]")),
    );
    let declared = edge
        .declared
        .iter()
        .map(|share| format!("{} {:>5}", share.version, number::declared(share.share)));
    let mut lines = vec![(format!("within {}", number::points(edge.tolerance)), edge.confirm)];
    lines.extend(edge.find.iter().map(|find| {
        let share = number::declared(find.instead.share);
        (format!("{} gets {share}", find.instead.version), find.needed)
    }));
    if edge.find.is_empty() {
        lines.push((
            "another answers".to_owned(),
            Needed {
                median: Some(1),
                p99: Some(1),
            },
        ));
    }
    let column =
        |text: &dyn Fn(&(String, Needed)) -> String| lines.iter().map(text).collect::<Vec<_>>().join("\n");
    let count = |requests: Option<u64>| requests.map_or("never".to_owned(), number::count);
    vec![
        name.join("\n"),
        declared.collect::<Vec<_>>().join("\n"),
        column(&|(what, _)| what.clone()),
        column(&|(_, needed)| count(needed.median)),
        column(&|(_, needed)| count(needed.p99)),
    ]
}

/// `9 s`, `12 min`, `3.5 h`.
fn span(seconds: f64) -> String {
    match seconds {
        ..120.0 => number::time(seconds),
        ..7_200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3_600.0),
    }
}
