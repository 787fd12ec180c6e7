//! What is shown while load runs: on stderr a bar on a terminal, a plain line every two seconds elsewhere (CI logs); and
//! the live page, if there is one.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::dashboard::Live;

const REDRAWN_EVERY: Duration = Duration::from_millis(100);
const LINE_EVERY: Duration = Duration::from_secs(2);

/// How far the work is.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// Done, of the total.
    pub position: u64,
    /// In words, one short line.
    pub message: String,
}

/// A bar, or lines.
pub struct Progress {
    /// `None` when stderr is not a terminal.
    bar: Option<ProgressBar>,
    live: Live,
}

impl Progress {
    /// `total` gives `Step::position` its length; 0: unknown.
    #[must_use]
    pub fn new(total: u64) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let length = (total > 0).then_some(total);
            let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(10));
            let template = if total > 0 {
                "{bar:30.cyan} {msg}"
            } else {
                "{spinner} {msg}"
            };
            let style = ProgressStyle::with_template(template);
            bar.with_style(style.unwrap_or_else(|_invalid| ProgressStyle::default_bar()))
        });
        Progress {
            bar,
            live: Live::default(),
        }
    }

    /// The same, and a live page.
    #[must_use]
    pub fn shown_on(self, live: Live) -> Self {
        Progress { live, ..self }
    }

    /// The live page; without one there is nobody to tell.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// Shows what `step` says, again and again; ends when dropped.
    pub async fn follow(&self, step: impl Fn() -> Step) {
        let mut last_line = Instant::now();
        let mut ticks = tokio::time::interval(REDRAWN_EVERY);
        loop {
            ticks.tick().await;
            if let Some(bar) = &self.bar {
                let step = step();
                bar.set_position(step.position);
                bar.set_message(step.message);
            } else if last_line.elapsed() >= LINE_EVERY {
                last_line = Instant::now();
                self.line(&step().message);
            }
        }
    }

    /// A line that stays.
    pub fn line(&self, text: &str) {
        let write = || {
            // Progress is a courtesy: a closed stderr does not stop a measurement.
            let _ = writeln!(io::stderr(), "{text}");
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Removes the bar before the result is printed.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
