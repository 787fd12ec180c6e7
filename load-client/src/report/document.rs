//! What the forms for people outside a terminal show of either report: stages, a verification being one of them.

use super::{Made, Outcome, Report, RolloutReport, SavedReport, StageReport};
use crate::judge::Conclusion;

/// The verdict, how it came to it, and the stages.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) verdict: Conclusion,
    /// A sentence without numbers: `Every stage is as declared`.
    pub(super) title: &'static str,
    /// The same with numbers.
    pub(super) headline: String,
    /// Why it ended before its end, if it did.
    pub(super) reason: Option<String>,
    pub(super) stages: Vec<StageReport>,
    /// Whether stages were walked.
    pub(super) walked: bool,
    pub(super) made: Option<Made>,
}

impl From<&SavedReport> for Document {
    fn from(saved: &SavedReport) -> Self {
        match saved {
            SavedReport::Verification(report) => Self::verification(report),
            SavedReport::Rollout(report) => Self::rollout(report),
        }
    }
}

impl Document {
    fn verification(report: &Report) -> Self {
        Self {
            verdict: report.verdict,
            title: match report.verdict {
                Conclusion::Confirmed => "The split is as declared",
                Conclusion::Violation => "The split is not as declared",
                Conclusion::Leak => "A version answers that is to get nothing",
                Conclusion::Errors => "A version fails more often than the others",
                Conclusion::Undecided => "Undecided: the requests were not enough",
                Conclusion::CouldNotMeasure => "The split could not be measured",
            },
            headline: report.headline(),
            reason: None,
            stages: vec![StageReport::in_force(report.clone())],
            walked: false,
            made: report.made.clone(),
        }
    }

    fn rollout(report: &RolloutReport) -> Self {
        Self {
            verdict: report.verdict,
            title: match report.outcome {
                Outcome::Promoted => "Promoted: every stage is as declared",
                Outcome::Stopped => "Stopped: a stage failed and is still in force",
                Outcome::RolledBack => "Rolled back: a stage was not confirmed",
                Outcome::RolledBackByErrorGate => "Rolled back: the new version fails more often",
                Outcome::RollbackFailed => "A stage failed, and so did the rollback",
                Outcome::Interrupted => "Interrupted before the last stage",
            },
            headline: report.totals(),
            reason: report.reason.clone(),
            stages: report.stages.clone(),
            walked: true,
            made: report.made.clone(),
        }
    }

    /// Each stage with a name that tells it apart from the same stage earlier on the walk.
    pub(super) fn named(&self) -> impl Iterator<Item = (String, &StageReport)> {
        self.names().into_iter().zip(&self.stages)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for stage in &self.stages {
            let name = |times: usize| match (stage.rollback, times) {
                (true, 1) => format!("{} (rollback)", stage.stage),
                (true, times) => format!("{} (rollback {times})", stage.stage),
                (false, 1) => stage.stage.clone(),
                (false, 2) => format!("{} (again)", stage.stage),
                (false, times) => format!("{} (again {})", stage.stage, times - 1),
            };
            let fresh = (1..).map(name).find(|name| !names.contains(name));
            names.extend(fresh);
        }
        names
    }

    /// Names of all versions, in their order: what gives each its colour.
    pub(super) fn versions(&self) -> Vec<String> {
        let paths = self.stages.iter().flat_map(|stage| &stage.paths);
        let edges = paths.flat_map(|path| &path.edges);
        let mut versions: Vec<String> = edges
            .flat_map(|edge| &edge.versions)
            .map(|version| version.version.clone())
            .collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    }

    /// What the verdicts are worth, in a sentence.
    pub(super) fn worth(&self) -> Option<String> {
        let path = self.stages.iter().find_map(|stage| stage.paths.first())?;
        let alpha: f64 = self.stages.iter().map(StageReport::alpha).fold(0.0, f64::max);
        let each = if self.walked {
            "the verdict on a stage"
        } else {
            "the verdict"
        };
        Some(format!(
            "{each} is wrong at most {} times (alpha {}), accepted within {}",
            super::number::odds(alpha),
            super::number::plain(alpha),
            path.tolerances()
        ))
    }
}
