//! What a simulation is run for.

use std::fmt;
use std::time::Duration;

use super::Simulation;

/// How long processors are left alone at first, before it counts whether they are busy.
pub(super) const WARM_UP: Duration = Duration::from_secs(5);

/// What came out of a simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The share of the time in which processors were busy, while jobs arrived.
    pub utilisation: f64,
    /// The time from the submission of a job to its end: half of them took at most so long, and so on.
    pub median: Duration,
    pub p99: Duration,
    pub p999: Duration,
    pub done: u32,
    pub dead: u32,
    pub redelivered: u32,
    pub crashes: u32,
    /// How long the last jobs took after the last one had been submitted.
    pub drained_after: Duration,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |duration: Duration| duration.as_secs_f64();
        write!(
            f,
            "{:.0} % | {:.1} s | {:.1} s | {:.1} s | {} | {:.0} s",
            self.utilisation * 100.0,
            seconds(self.median),
            seconds(self.p99),
            seconds(self.p999),
            self.redelivered,
            seconds(self.drained_after),
        )
    }
}

impl Simulation {
    /// Sums up what has happened, when all is over.
    pub(super) fn figures(&self) -> Figures {
        let mut state = self.state();
        let now = self.clock.now();
        let submitted = state.submitted.unwrap_or(now);
        state.latencies.sort_unstable();
        let latencies = &state.latencies;
        let at = |share: f64| {
            let index = (latencies.len() as f64 * share) as usize;
            latencies[index.min(latencies.len() - 1)]
        };
        let measured = submitted.saturating_sub(WARM_UP);
        let available = measured.as_secs_f64() * self.model.workers as f64;
        Figures {
            utilisation: state.busy.as_secs_f64() / available,
            median: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
            done: latencies.len() as u32,
            dead: state.dead,
            redelivered: state.redelivered,
            crashes: state.crashes,
            drained_after: now - submitted,
        }
    }
}
