//! For people, in 80 columns, and for programs.

use std::fmt;

use serde_json::Value;

use super::{Plan, Step};
use crate::explain::{counted, line};
use crate::mesh::Verb;

/// Of what changes, more than these are counted only.
const MOST_EFFECTS: usize = 40;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for refusal in &self.refusals {
            line(f, "REFUSED", &refusal.object)?;
            line(f, "  place", &refusal.place)?;
            line(f, "  because", &refusal.reason)?;
            line(f, "  way out", &refusal.advice)?;
        }
        for (number, phase) in self.phases.iter().enumerate() {
            writeln!(f, "phase {}: {}", number + 1, phase.stage)?;
            for step in &phase.steps {
                show(f, step)?;
            }
            for wait in &phase.wait {
                line(f, "  wait for", wait)?;
            }
        }
        self.show_effects(f)?;
        let steps: usize = self.phases.iter().map(|phase| phase.steps.len()).sum();
        match (self.refusals.len(), self.phases.len()) {
            (0, 0) => writeln!(f, "nothing to do"),
            (0, phases) => writeln!(
                f,
                "{} in {}; each state on the way answers as before or as after",
                counted(steps, "step"),
                counted(phases, "phase")
            ),
            (reasons, _) => writeln!(f, "refused for {}: errors are sure", counted(reasons, "reason")),
        }
    }
}

impl Plan {
    fn show_effects(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.effects.is_empty() {
            writeln!(f, "what changes for whom")?;
        }
        for effect in self.effects.iter().take(MOST_EFFECTS) {
            line(f, "  request", &effect.request)?;
            line(f, "    from", &effect.callers.join(", "))?;
            line(f, "    before", &effect.before)?;
            line(f, "    after", &effect.after)?;
        }
        match self.effects.len().saturating_sub(MOST_EFFECTS) {
            0 => Ok(()),
            more => line(f, "", &format!("and {more} more; -o json has them all")),
        }
    }

    /// `{"phases": [{"stage", "steps", "wait"}], "effects": [...], "refusals": [...]}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

fn show(f: &mut fmt::Formatter<'_>, step: &Step) -> fmt::Result {
    let word = match step.what {
        Verb::Created => "  create",
        Verb::Deleted => "  delete",
        _ => "  change",
    };
    line(f, word, &format!("{} ({})", step.object, step.place))?;
    step.note.as_ref().map_or(Ok(()), |note| line(f, "", note))
}
