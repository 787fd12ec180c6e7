//! The stages of a walk and how far each is.

use serde::Serialize;

use crate::judge::Conclusion;

/// A stage of a walk.
#[derive(Clone, Debug, Serialize)]
pub struct StageRow {
    /// Its name.
    pub name: String,
    /// Whether it is walked to undo one that failed.
    pub rollback: bool,
    /// How far it is.
    pub state: StageState,
    /// How long after the end of its command it was in force.
    pub in_force_after_seconds: Option<f64>,
    /// Requests that the verdict rests on.
    pub requests: u64,
}

/// How far a stage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StageState {
    /// Its turn has not come.
    Waiting,
    /// Its command runs, or the new split has not been seen yet.
    Applying,
    /// Requests are judged.
    Judging,
    /// There is a verdict.
    Judged(Conclusion),
    /// The walk ended before.
    NotWalked,
}

impl StageRow {
    /// Its turn has not come.
    pub(super) fn new(name: String, rollback: bool) -> Self {
        StageRow {
            name,
            rollback,
            state: StageState::Waiting,
            in_force_after_seconds: None,
            requests: 0,
        }
    }
}

/// The turn of the next stage that waits, or of one that was not planned: a rollback goes before those that wait.
pub(super) fn begin(stages: &mut Vec<StageRow>, name: String, rollback: bool) {
    let waits = stages.iter().position(|row| row.state == StageState::Waiting);
    let place = waits.unwrap_or(stages.len());
    if rollback || stages.get(place).is_none_or(|row| row.name != name) {
        stages.insert(place, StageRow::new(name, rollback));
    }
    stages[place].state = StageState::Applying;
}

/// The stage whose turn it is.
pub(super) fn current(stages: &mut [StageRow]) -> Option<&mut StageRow> {
    let in_turn = |row: &&mut StageRow| matches!(row.state, StageState::Applying | StageState::Judging);
    stages.iter_mut().find(in_turn)
}
