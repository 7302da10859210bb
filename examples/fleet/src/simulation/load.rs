//! What the jobs are like, and when they come.

use std::time::Duration;

use super::leases::Progress;
use super::{Simulation, WAIT, WORK};

impl Simulation {
    /// Returns the random numbers of something, the same each time.
    pub(super) fn rng(&self, what: u64) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.model.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ what)
    }

    /// Returns how long a job waits for somebody else, and for how long it then needs the processor.
    pub(super) fn needs(&self, id: u64) -> (Duration, Duration) {
        if !self.model.skewed {
            return (WAIT, WORK);
        }
        let mut rng = self.rng(id);
        let (wait, work) = (log_normal(&mut rng), pareto(&mut rng));
        (WAIT.mul_f64(wait), WORK.mul_f64(work))
    }

    /// Returns whether an attempt at a job fails.
    pub(super) fn fails(&self, id: u64, attempt: u32) -> bool {
        self.rng(id ^ (u64::from(attempt) << 40)).f64() < self.model.failing
    }

    /// Submits all jobs: bursts at regular intervals, single ones at random moments.
    pub(super) async fn submit(&self) {
        let mut rng = self.rng(u64::MAX / 2);
        let burst = self.model.burst;
        // The time in which all processors together do as much work as a burst brings, if they are in use for this
        // share.
        let gap = WORK.mul_f64(f64::from(burst) / (self.model.load * self.model.workers as f64));
        for first in (0..self.model.jobs).step_by(burst as usize) {
            let share = if burst > 1 {
                1.0
            } else {
                exponential(&mut rng)
            };
            self.clock.sleep(gap.mul_f64(share)).await;

            // The whole burst is there before the first worker takes of it.
            let mut state = self.state();
            let submitted = self.clock.now();
            for id in first..self.model.jobs.min(first + burst) {
                state.jobs.push(Progress {
                    submitted,
                    attempt: 0,
                    deliveries: 0,
                    due: None,
                    is_leased: false,
                });
                state.waiting.push_back(id);
            }
            state.deliver(submitted);
        }
        self.state().submitted = Some(self.clock.now());
    }
}

/// Draws from an exponential distribution of mean 1.
pub(super) fn exponential(rng: &mut fastrand::Rng) -> f64 {
    -(1.0 - rng.f64()).ln()
}

/// Draws from a log-normal distribution of mean 1: one in a hundred is 2.8 times as long, one in a thousand 4 times.
fn log_normal(rng: &mut fastrand::Rng) -> f64 {
    let normal = (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (std::f64::consts::TAU * rng.f64()).cos();
    (0.5 * normal - 0.125).exp()
}

/// Draws from a Pareto distribution of mean 1 and shape 2: one in a hundred is 5 times as long, one in ten thousand 50
/// times, and none more than 100 times.
fn pareto(rng: &mut fastrand::Rng) -> f64 {
    (0.5 / (1.0 - rng.f64()).sqrt()).min(100.0)
}
