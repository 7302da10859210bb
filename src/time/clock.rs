//! The monotonic clock behind the durations in results. Without `std` there is none, and nothing is measured.

#[cfg(feature = "std")]
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

    /// The time since the start, or zero before it.
    #[cfg(feature = "std")]
    pub(crate) fn elapsed(&self) -> Duration {
        self.started
            .map_or(Duration::ZERO, |started| started.elapsed())
    }
}
