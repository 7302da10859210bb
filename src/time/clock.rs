//! The monotonic clock behind the durations in results. Without `std` there is none, and nothing is measured.

use core::time::Duration;
#[cfg(all(
    feature = "std",
    not(all(target_family = "wasm", target_os = "unknown"))
))]
use std::time::Instant;
#[cfg(all(feature = "std", target_family = "wasm", target_os = "unknown"))]
use web_time::Instant;

/// Measures from its first [`start`](Stopwatch::start).
#[derive(Debug, Default)]
pub(crate) struct Stopwatch {
    #[cfg(feature = "std")]
    started: Option<Instant>,
}

impl Stopwatch {
    /// Starts the watch, if it is not running yet.
    pub(crate) fn start(&mut self) {
        #[cfg(feature = "std")]
        self.started.get_or_insert_with(Instant::now);
    }

    /// Returns the moment when it was started; `None` before, and without a clock.
    #[inline]
    pub(crate) fn started(&self) -> Option<Moment> {
        #[cfg(feature = "std")]
        return self.started.map(|at| Moment { at });
        #[cfg(not(feature = "std"))]
        None
    }

    /// Returns the time since the start, or zero before it.
    #[cfg(feature = "std")]
    pub(crate) fn elapsed(&self) -> Duration {
        self.started
            .map_or(Duration::ZERO, |started| started.elapsed())
    }
}

/// A reading of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    #[cfg(feature = "std")]
    at: Instant,
}

impl Moment {
    /// Reads the clock.
    pub(crate) fn now() -> Self {
        Self {
            #[cfg(feature = "std")]
            at: Instant::now(),
        }
    }

    /// Returns the moment that is later by `duration`.
    #[cfg(feature = "std")]
    pub(crate) fn after(self, duration: Duration) -> Self {
        let at = self.at.checked_add(duration).unwrap_or(self.at);
        Self { at }
    }

    /// Returns the time from `earlier` to this moment; zero without a clock.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        #[cfg(feature = "std")]
        return self.at.saturating_duration_since(earlier.at);
        #[cfg(not(feature = "std"))]
        {
            let _ = earlier;
            Duration::ZERO
        }
    }
}

/// Measures the time since something began, by the clock of its timer, or else by the system's. Without either it
/// stands still.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// What the timer's clock showed at the start; `None` if it has none.
    began: Option<Duration>,
    stopwatch: Stopwatch,
    /// The last reading, so that time never goes back.
    now: Duration,
}

impl Clock {
    /// Starts to measure, at what the [timer's clock](super::Timer::now) shows now.
    pub(crate) fn start(&mut self, timer: Option<Duration>) {
        self.began = timer;
        if self.began.is_none() {
            self.stopwatch.start();
        }
    }

    /// Reads the clock, when that of the timer shows this.
    pub(crate) fn read(&mut self, timer: Option<Duration>) -> Duration {
        // The timer's own clock comes first, so that waiting and measuring agree.
        let elapsed = match (self.began, timer) {
            (Some(began), Some(now)) => now.saturating_sub(began),
            #[cfg(feature = "std")]
            _ => self.stopwatch.elapsed(),
            #[cfg(not(feature = "std"))]
            _ => Duration::ZERO,
        };
        // A clock that goes back stands still here.
        self.now = self.now.max(elapsed);
        self.now
    }

    /// Reads the clock as [`read`](Self::read) does; `None` if there is none.
    pub(crate) fn measure(&mut self, timer: Option<Duration>) -> Option<Duration> {
        let has_clock = cfg!(feature = "std") || (self.began.is_some() && timer.is_some());
        has_clock.then(|| self.read(timer))
    }

    /// Returns the last reading.
    #[cfg(feature = "operation")]
    pub(crate) const fn last(&self) -> Duration {
        self.now
    }
}
