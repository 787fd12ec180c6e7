//! Everything that the live page shows, folded from events and answers. Pure: time and randomness are arguments.

use std::collections::VecDeque;
use std::time::Duration;

use rand::Rng;
use serde::Serialize;

use super::answers::Answers;
use super::curve::Curve;
use super::edge::EdgeNow;
use super::event::{Event, Judged};
use super::squares::Squares;
use super::stages::{self, StageRow, StageState};
use crate::cause::Cause;
use crate::expect::{Edge, Path};
use crate::judge::Conclusion;
use crate::outcome::Outcome;
use crate::report::number;

/// Over how long the answers per second are counted.
const RATE_OVER: Duration = Duration::from_secs(1);

/// The state of a load and its judgement.
#[derive(Clone, Debug, Serialize)]
pub struct Board {
    /// `run`, `verify` or `rollout`.
    pub command: String,
    /// Where the requests go.
    pub url: String,
    /// Where they enter the mesh.
    pub path: Path,
    /// Since the load began.
    pub elapsed_seconds: f64,
    /// Every answer, in the order in which they came.
    pub answers: Answers,
    /// Answers per second, over the last second.
    pub rate: f64,
    /// A sample of the answers.
    pub squares: Squares,
    /// In the order in which they are walked; none if there is no walk.
    pub stages: Vec<StageRow>,
    /// What goes on, in a sentence.
    pub now: String,
    /// The latest verdict, or the last one.
    pub latest: Option<Latest>,
    /// Which judgement `edges` are of: a stage, or nothing.
    pub edges_of: Option<String>,
    /// What was found on each edge so far.
    pub edges: Vec<EdgeRow>,
    /// What may have gone wrong at the latest judgement that found something wrong.
    pub causes: Vec<(Edge, Cause)>,
    /// Whether all is over.
    pub ended: bool,
    /// Edges that are seen next are of a new judgement.
    #[serde(skip)]
    fresh: bool,
    /// Answers by then, for the rate.
    #[serde(skip)]
    history: VecDeque<(Duration, u64)>,
}

/// A verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Latest {
    /// `None`: nothing was judged.
    pub verdict: Option<Conclusion>,
    /// On which stage; `None`: on everything.
    pub stage: Option<String>,
    /// In a sentence, without the verdict.
    pub text: String,
}

/// An edge and how its share converged.
#[derive(Clone, Debug, Serialize)]
pub struct EdgeRow {
    /// As of now.
    #[serde(flatten)]
    pub now: EdgeNow,
    /// Over its requests.
    pub curve: Curve,
}

impl Latest {
    /// `text` as tables have it, with the verdict in front.
    fn new(verdict: Option<Conclusion>, stage: Option<String>, text: &str) -> Self {
        let front = verdict.map(|verdict| verdict.to_string()).unwrap_or_default();
        let rest = text.strip_prefix(&front).unwrap_or(text);
        Latest {
            verdict,
            stage,
            text: rest.trim_start_matches([':', ' ']).to_owned(),
        }
    }
}

impl Board {
    /// Nothing has happened yet.
    pub fn new(command: &str, url: &str) -> Self {
        Board {
            command: command.to_owned(),
            url: url.to_owned(),
            path: Path::Gateway,
            elapsed_seconds: 0.0,
            answers: Answers::default(),
            rate: 0.0,
            squares: Squares::default(),
            stages: Vec::new(),
            now: "waiting for the first answer".to_owned(),
            latest: None,
            edges_of: None,
            edges: Vec::new(),
            causes: Vec::new(),
            ended: false,
            fresh: true,
            history: VecDeque::new(),
        }
    }

    /// Takes in what became of a request. Called for each: costs a comparison of names and a random number.
    pub fn answer(&mut self, outcome: &Outcome, random: &mut impl Rng) {
        let square = self.answers.count(outcome);
        self.squares.offer(square, random);
    }

    /// A moment has passed; `at` is the time since the load began. Writes the squares of the answers since the last one.
    pub fn tick(&mut self, at: Duration) {
        self.squares.write();
        self.elapsed_seconds = at.as_secs_f64();
        self.history.push_back((at, self.answers.total));
        while self
            .history
            .get(1)
            .is_some_and(|(then, _)| at - *then >= RATE_OVER)
        {
            self.history.pop_front();
        }
        if let Some((then, total)) = self.history.front().filter(|(then, _)| *then < at) {
            #[allow(clippy::cast_precision_loss)] // counts below 2^53
            let answers = (self.answers.total - total) as f64;
            self.rate = answers / (at - *then).as_secs_f64();
        }
    }

    /// Takes in what happened.
    pub fn take(&mut self, event: Event) {
        match event {
            Event::Begun { path, stages } => self.begin(path, stages),
            Event::Applying { stage, rollback } => self.applying(stage, rollback),
            Event::Judging { in_force_after } => self.judging(in_force_after),
            Event::Seen(edges) => self.see(edges),
            Event::Judged(judged) => self.judged(judged),
            Event::Ended { verdict, text } => self.end(verdict, text),
        }
    }

    fn begin(&mut self, path: Path, stages: Vec<String>) {
        self.path = path;
        self.stages = stages
            .into_iter()
            .map(|name| StageRow::new(name, false))
            .collect();
        self.now = match self.command.as_str() {
            "verify" => "judging what is in force".to_owned(),
            "run" => "driving load".to_owned(),
            _ => self.now.clone(),
        };
    }

    fn applying(&mut self, name: String, rollback: bool) {
        self.now = format!("{name}: being applied");
        self.fresh = true;
        stages::begin(&mut self.stages, name, rollback);
    }

    fn judging(&mut self, in_force_after: Option<Duration>) {
        let after = in_force_after.map(|after| after.as_secs_f64());
        let Some(row) = stages::current(&mut self.stages) else {
            return;
        };
        row.state = StageState::Judging;
        row.in_force_after_seconds = after;
        let since = after.map(|after| format!("in force after {}, ", number::time(after)));
        self.now = format!("{}: {}being judged", row.name, since.unwrap_or_default());
    }

    fn see(&mut self, edges: Vec<EdgeNow>) {
        if edges.is_empty() {
            return;
        }
        if std::mem::take(&mut self.fresh) {
            self.edges.clear();
            self.edges_of = stages::current(&mut self.stages).map(|row| row.name.clone());
        }
        for now in edges {
            let same = |row: &&mut EdgeRow| row.now.path == now.path && row.now.edge == now.edge;
            let row = match self.edges.iter_mut().find(same) {
                Some(row) => {
                    row.now = now;
                    row
                }
                None => self.edges.push_mut(EdgeRow {
                    now,
                    curve: Curve::default(),
                }),
            };
            row.curve.push(&row.now);
        }
    }

    fn judged(&mut self, judged: Judged) {
        self.see(judged.edges);
        if !judged.causes.is_empty() {
            self.causes = judged.causes;
        }
        let stage = stages::current(&mut self.stages).map(|row| {
            row.state = StageState::Judged(judged.verdict);
            row.requests = judged.requests;
            row.name.clone()
        });
        self.latest = Some(Latest::new(Some(judged.verdict), stage, &judged.text));
    }

    fn end(&mut self, verdict: Option<Conclusion>, text: String) {
        for row in &mut self.stages {
            if !matches!(row.state, StageState::Judged(_)) {
                row.state = StageState::NotWalked;
            }
        }
        self.now = "ended".to_owned();
        self.latest = Some(Latest::new(verdict, None, &text));
        self.ended = true;
    }
}
