//! A histogram in the text format of Prometheus.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const BOUNDS: [(f64, &str); 4] = [
    (0.001, "0.001"),
    (0.01, "0.01"),
    (10.0, "10"),
    (f64::INFINITY, "+Inf"),
];

/// Counts durations by the bounds in seconds that they are within.
#[derive(Debug, Default)]
pub struct Histogram([AtomicU64; BOUNDS.len()]);

impl Histogram {
    pub fn record(&self, duration: Duration) {
        let bounds = self.0.iter().zip(BOUNDS);
        for (count, _) in bounds.filter(|(_, (bound, _))| duration.as_secs_f64() <= *bound) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# TYPE job_seconds histogram")?;
        for (count, (_, bound)) in self.0.iter().zip(BOUNDS) {
            let count = count.load(Ordering::Relaxed);
            writeln!(f, "job_seconds_bucket{{le=\"{bound}\"}} {count}")?;
        }
        Ok(())
    }
}
