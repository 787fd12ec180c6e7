//! A report as a comment on a pull request: what was found on the first lines, the rest folded away.

use std::fmt::{self, Write};

use super::document::Document;
use super::made::in_lines;
use super::table::likelihood;
use super::{EdgeReport, Report, StageReport, VersionReport, number};
use crate::judge::Conclusion;

/// GitHub's Markdown.
pub(super) fn render(document: &Document) -> String {
    let mut out = String::new();
    // A `String` takes everything.
    let _ = write(&mut out, document);
    out
}

fn write(out: &mut String, document: &Document) -> fmt::Result {
    let Document {
        verdict, headline, ..
    } = document;
    let (mark, title) = (mark(*verdict), document.title);
    // The headline of a verification begins with the verdict.
    let headline = headline.strip_prefix(&verdict.to_string()).unwrap_or(headline);
    writeln!(out, "### {mark} {verdict}: {title}\n")?;
    writeln!(out, "{}.\n", sentence(headline))?;
    if let Some(reason) = &document.reason {
        writeln!(out, "**{}.**\n", escaped(reason))?;
    }
    if document.walked {
        stages(out, document)?;
    }
    for stage in &document.stages {
        findings(out, stage, document.walked)?;
    }
    details(out, document)?;
    if let Some(worth) = document.worth() {
        writeln!(out, "<sub>{}</sub>", escaped(&worth))?;
    }
    Ok(())
}

fn mark(verdict: Conclusion) -> &'static str {
    match verdict.exit_code() {
        0 => "✅",
        1 => "❌",
        _ => "⚠️",
    }
}

/// Without blanks around it and with a capital.
fn sentence(text: &str) -> String {
    let mut chars = text.trim().chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    escaped(&(first + chars.as_str()))
}

/// A line for each stage.
fn stages(out: &mut String, document: &Document) -> fmt::Result {
    let paths = document.stages.iter().max_by_key(|stage| stage.paths.len());
    let paths: Vec<String> = paths
        .iter()
        .flat_map(|stage| &stage.paths)
        .map(|path| path.path.to_string())
        .collect();
    writeln!(
        out,
        "| stage | verdict | {} | requests | failed while changing | in force after |",
        paths.join(" | ")
    )?;
    writeln!(out, "|---|---|{}--:|--:|--:|", "---|".repeat(paths.len()))?;
    for (name, stage) in document.named() {
        let name = escaped(&name);
        write!(out, "| {name} | {} {} |", mark(stage.verdict), stage.verdict)?;
        for index in 0..paths.len() {
            let verdict = stage.paths.get(index).map(|path| path.verdict.to_string());
            write!(out, " {} |", verdict.as_deref().unwrap_or("not asked"))?;
        }
        writeln!(
            out,
            " {} | {} of {} | {} |",
            number::count(stage.requests()),
            number::count(stage.change_errors),
            number::count(stage.change_requests),
            stage.in_force_after_seconds.map_or("-".to_owned(), number::time),
        )?;
    }
    writeln!(out)
}

/// What is to be said about a stage, with the likely causes.
fn findings(out: &mut String, stage: &StageReport, named: bool) -> fmt::Result {
    let notes = stage.notes();
    let edges = || {
        stage
            .paths
            .iter()
            .flat_map(|path| path.edges.iter().map(move |edge| (path, edge)))
    };
    let explained = edges().any(|(_, edge)| !edge.causes.is_empty());
    if notes.is_empty() && !explained {
        return Ok(());
    }
    if named {
        writeln!(out, "**{}**\n", escaped(&stage.title()))?;
    }
    for note in notes {
        writeln!(out, "- {}", escaped(&note))?;
    }
    for (path, edge) in edges() {
        for (index, cause) in edge.causes.iter().enumerate() {
            if index == 0 {
                writeln!(
                    out,
                    "\nWhy, {}, {}:\n",
                    path.path,
                    escaped(&edge.edge.to_string())
                )?;
            }
            let (what, odds) = (escaped(&cause.what), likelihood(cause));
            writeln!(out, "{}. **{what}** ({odds})<br>", index + 1)?;
            writeln!(out, "   {}<br>", escaped(&cause.evidence))?;
            writeln!(out, "   → {}", escaped(&cause.advice))?;
        }
    }
    writeln!(out)
}

/// Every edge, and how to measure again.
fn details(out: &mut String, document: &Document) -> fmt::Result {
    writeln!(
        out,
        "<details><summary>Declared and observed, edge by edge</summary>\n"
    )?;
    writeln!(
        out,
        "| stage | path | edge | declared | observed | interval % | n | errors | verdict |"
    )?;
    writeln!(out, "|---|---|---|--:|--:|--:|--:|--:|---|")?;
    for (name, stage) in document.named() {
        for path in &stage.paths {
            for edge in &path.edges {
                row(out, &name, path, edge)?;
            }
        }
    }
    writeln!(out, "\n</details>\n")?;
    if let Some(made) = &document.made {
        writeln!(out, "<details><summary>To measure again</summary>\n")?;
        let fence = fence(&made.command);
        writeln!(out, "{fence}sh\n{}\n{fence}\n", in_lines(&made.command))?;
        writeln!(
            out,
            "{}, {}, {}\n",
            made.by,
            made.began,
            number::time(made.seconds)
        )?;
        writeln!(out, "</details>\n")?;
    }
    Ok(())
}

fn row(out: &mut String, stage: &str, path: &Report, edge: &EdgeReport) -> fmt::Result {
    let decimals = number::decimals(edge.tolerance.unwrap_or(1.0));
    let lines = |of: &dyn Fn(&VersionReport) -> String| {
        let each: Vec<String> = edge.versions.iter().map(of).collect();
        each.join("<br>")
    };
    writeln!(
        out,
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
        escaped(stage),
        path.path,
        escaped(&edge.edge.to_string()),
        lines(&|v| format!("{} {}", escaped(&v.version), number::declared(v.declared))),
        lines(&|v| v
            .observed
            .map_or("-".to_owned(), |share| number::observed(share, decimals))),
        lines(&|v| v
            .interval
            .map_or("-".to_owned(), |found| number::interval(found, decimals))),
        number::count(edge.n),
        number::count(edge.errors),
        edge.verdict.text(),
    )
}

/// Longer than any row of backticks in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// As text, whatever is in it: no markup, no table cell, nobody who is notified.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("&#64;"),
            '\n' => out.push_str("<br>"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(
            escaped("a|b <img> @team\n[x](y) *z*"),
            "a\\|b &lt;img> &#64;team<br>\\[x\\](y) \\*z\\*"
        );
        assert_eq!(
            (fence("a `` b"), fence("a ```` b")),
            ("```".into(), "`````".into())
        );
    }
}
