//! The schedule of an open loop: request i starts at t0 + i/R, whatever became of the ones before.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

/// Gives out start times in order and waits for them. None is skipped: a start that is already past is given out
/// at once, so that waiting for a free connection counts as latency (no coordinated omission).
pub(super) struct Pace {
    begin: Option<Instant>,
    per_second: f64,
    next: u64,
    timer: Timer,
}

impl Pace {
    /// `per_second` is positive and finite.
    pub(super) fn new(per_second: f64) -> io::Result<Self> {
        Ok(Pace {
            begin: None,
            per_second,
            next: 0,
            timer: Timer::new()?,
        })
    }

    /// Waits for the next start and returns it; the first call sets t0.
    pub(super) async fn next_start(&mut self) -> io::Result<Instant> {
        let begin = *self.begin.get_or_insert_with(Instant::now);
        #[allow(clippy::cast_precision_loss)] // exact up to 2^53 requests
        let offset = self.next as f64 / self.per_second;
        self.next += 1;
        let start = begin + Duration::try_from_secs_f64(offset).unwrap_or(Duration::MAX / 4);
        let wait = start.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            self.timer.wait(wait).await?;
        }
        Ok(start)
    }
}

/// A timer of the kernel: the runtime's own counts in milliseconds, which at 2,000 requests a second would send
/// them in pairs and add half a millisecond to the latency that is reported.
struct Timer {
    timer: TimerFd,
    /// The same timer as something to read from: a timerfd behaves like a pipe out of which eight bytes come when
    /// the time has come, and this is the type by which tokio waits for that without unsafe code.
    expiry: pipe::Receiver,
}

impl Timer {
    fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        let expiry = pipe::Receiver::from_owned_fd_unchecked(timer.as_fd().try_clone_to_owned()?)?;
        Ok(Timer { timer, expiry })
    }

    async fn wait(&mut self, time: Duration) -> io::Result<()> {
        let once = Expiration::OneShot(TimeSpec::from_duration(time));
        self.timer.set(once, TimerSetTimeFlags::empty())?;
        let mut expirations = [0; size_of::<u64>()];
        self.expiry.read_exact(&mut expirations).await?;
        Ok(())
    }
}
