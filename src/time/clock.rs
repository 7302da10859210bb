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
