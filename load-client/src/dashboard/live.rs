//! The live page as the load knows it: something to tell, or nothing at all.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;

use super::board::Board;
use super::edge::EdgeNow;
use super::event::Event;
use crate::outcome::{Dispatch, Outcome, Sink};

/// How often whoever looks gets to see something new.
const SHOWN_EVERY: Duration = Duration::from_millis(100);
/// How often a page is kept ready for whoever may look, when nobody does.
const UNSEEN_EVERY: Duration = Duration::from_secs(1);
/// Whether or not somebody looks, the edges are looked at whenever there is one in so many answers more since the
/// judgement began: their curves are whole for a page that is opened late, and have a beginning.
const GROWTH: u64 = 12;
/// But not more often than after so many answers.
const LEAST: u64 = 8;

/// What is told to the live page. Without one it does nothing. Lives in the thread of the load.
#[derive(Clone, Default)]
pub struct Live(Option<Rc<Inner>>);

struct Inner {
    state: RefCell<State>,
    /// Everybody who looks has a receiver; one that is slow misses some boards and sees the latest.
    boards: watch::Sender<Arc<Board>>,
    begun: Instant,
    /// It is time to look at the edges.
    due: Notify,
}

struct State {
    board: Board,
    /// Of the sample.
    random: SmallRng,
    /// Answers when the judgement began, and at which the edges are to be looked at.
    origin: u64,
    next: u64,
    /// When the board was last shown.
    shown: Duration,
}

impl Live {
    /// Shows `board` to the receivers of `boards`; `seed` is that of the sample of answers.
    pub(super) fn new(board: Board, boards: watch::Sender<Arc<Board>>, seed: u64) -> Self {
        Live(Some(Rc::new(Inner {
            state: RefCell::new(State {
                board,
                random: SmallRng::seed_from_u64(seed),
                origin: 0,
                next: LEAST,
                shown: Duration::ZERO,
            }),
            boards,
            begun: Instant::now(),
            due: Notify::new(),
        })))
    }

    /// Tells what happened; `event` is only asked if there is a page.
    pub fn tell(&self, event: impl FnOnce() -> Event) {
        let Some(inner) = &self.0 else { return };
        let event = event();
        let mut state = inner.state.borrow_mut();
        if matches!(event, Event::Judging { .. }) {
            state.origin = state.board.answers.total;
            state.next = state.origin + LEAST;
        }
        state.board.take(event);
        if state.board.ended {
            state.board.tick(inner.begun.elapsed());
            inner.show(&state.board);
        }
    }

    /// Shows what goes on, again and again; `edges` are those of the judgement, if there is one. Ends when dropped.
    pub async fn follow(&self, edges: impl Fn() -> Vec<EdgeNow>) {
        let Some(inner) = &self.0 else {
            return std::future::pending().await;
        };
        let mut ticks = tokio::time::interval(SHOWN_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let passed = tokio::select! {
                _ = ticks.tick() => true,
                () = inner.due.notified() => false,
            };
            let shows = passed && inner.tick();
            if shows || !passed {
                // Asked before the board is borrowed: whoever answers may have something to tell.
                let edges = edges();
                let mut state = inner.state.borrow_mut();
                state.board.take(Event::Seen(edges));
                if shows {
                    inner.show(&state.board);
                }
            }
        }
    }

    /// A sink that tells the page of each answer, and then `sink`.
    pub fn tap<S: Sink>(&self, sink: Rc<RefCell<S>>) -> Rc<RefCell<Tap<S>>> {
        let live = self.clone();
        Rc::new(RefCell::new(Tap { sink, live }))
    }
}

impl Inner {
    fn answer(&self, outcome: &Outcome) {
        let state = &mut *self.state.borrow_mut();
        state.board.answer(outcome, &mut state.random);
        let total = state.board.answers.total;
        if total >= state.next {
            state.next = total + ((total - state.origin) / GROWTH).max(LEAST);
            self.due.notify_one();
        }
    }

    /// A moment has passed. Whether the board is to be shown.
    fn tick(&self) -> bool {
        let at = self.begun.elapsed();
        let mut state = self.state.borrow_mut();
        state.board.tick(at);
        let shows = self.boards.receiver_count() > 0 || at - state.shown >= UNSEEN_EVERY;
        if shows {
            state.shown = at;
        }
        shows
    }

    fn show(&self, board: &Board) {
        self.boards.send_replace(Arc::new(board.clone()));
    }
}

/// See [`Live::tap`].
pub struct Tap<S> {
    sink: Rc<RefCell<S>>,
    live: Live,
}

impl<S: Sink> Sink for Tap<S> {
    fn dispatch(&mut self) -> Option<Dispatch> {
        self.sink.borrow_mut().dispatch()
    }

    fn resolve(&mut self, sequence: u64, outcome: Outcome) {
        if let Some(inner) = &self.live.0 {
            inner.answer(&outcome);
        }
        self.sink.borrow_mut().resolve(sequence, outcome);
    }
}
