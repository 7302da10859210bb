//! Requests to a service of several replicas, hedged or not, on a virtual clock: what becomes of the slowest answers,
//! and of the load. After "The Tail at Scale" (Dean and Barroso, 2013).
//!
//! Each call takes about 5 ms, and one in fifty is held up by 50 ms to a second, as by a disk or a collection of
//! garbage, whatever the other replica does meanwhile. In an outage, every call takes 500 ms longer. The same call
//! takes equally long in all runs, so these can be compared request by request.

use std::cell::Cell;
use std::time::Duration;

use abreast::time::VirtualClock;
use abreast::{Budget, Hedge, parallel, race};

/// When the second replica is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hedging {
    /// Never.
    None,
    /// After a delay that was right on the day when it was set: 10 ms.
    Fixed,
    /// After the 95th percentile of the latest latencies.
    Learned,
    /// The same, within a budget of 5 %.
    Budgeted,
}

impl Hedging {
    /// All of them, from the plainest on.
    pub const ALL: [Self; 4] = [Self::None, Self::Fixed, Self::Learned, Self::Budgeted];

    /// Returns what it is called in tables and plots.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "no hedging",
            Self::Fixed => "after 10 ms",
            Self::Learned => "Hedge::quantile(0.95)",
            Self::Budgeted => "with Budget::percent(5)",
        }
    }
}

/// What a run has come to.
#[derive(Clone, Debug)]
pub struct Report {
    /// The latencies of all requests, by their length.
    pub latencies: Vec<Duration>,
    /// The calls that the service got.
    pub calls: usize,
}

impl Report {
    /// Returns the latency that this share of the requests did not exceed.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Duration {
        let rank = (self.latencies.len() as f64 * quantile).ceil() as usize;
        self.latencies[rank.max(1) - 1]
    }

    /// Returns the calls beyond one for each request, as a share of those.
    #[must_use]
    pub fn extra_load(&self) -> f64 {
        self.calls as f64 / self.latencies.len() as f64 - 1.0
    }

    /// Returns the number of requests that took longer.
    #[must_use]
    pub fn slower_than(&self, limit: Duration) -> usize {
        let fast = self.latencies.partition_point(|&latency| latency <= limit);
        self.latencies.len() - fast
    }
}

/// The requests that are made at the same time.
const CONCURRENCY: usize = 50;

/// Makes so many requests. During an outage, the middle third of them meets one.
#[must_use]
pub fn simulate(hedging: Hedging, requests: usize, has_outage: bool) -> Report {
    let clock = VirtualClock::new();
    let calls = Cell::new(0);
    let (clock_ref, calls_ref) = (&clock, &calls);
    let outage = if has_outage {
        requests / 3..requests * 2 / 3
    } else {
        0..0
    };

    // One for all requests, as it learns from all of them.
    let learned = Hedge::quantile(0.95).floor(Duration::from_millis(1));
    let hedge = match hedging {
        Hedging::Budgeted => learned.budget(Budget::percent(5)),
        _ => learned,
    };
    let hedge = &hedge;
    let tasks = (0..requests).map(|request| {
        let slow = outage.contains(&request);
        async move {
            let began = clock_ref.now();
            let replicas = if hedging == Hedging::None { 1 } else { 2 };
            let asked = (0..replicas).map(|replica| async move {
                calls_ref.set(calls_ref.get() + 1);
                clock_ref.sleep(latency(request, replica, slow)).await;
                Ok::<_, ()>(())
            });
            let timer = clock_ref.timer();
            let answer = match hedging {
                Hedging::None | Hedging::Fixed => {
                    race(asked).stagger(Duration::from_millis(10), timer).await
                }
                Hedging::Learned | Hedging::Budgeted => race(asked).stagger(hedge, timer).await,
            };
            answer.map(|_| clock_ref.now() - began)
        }
    });
    let result = clock.run(parallel(tasks).concurrency(CONCURRENCY));
    let mut latencies = result.into_successful_results();
    latencies.sort_unstable();
    Report {
        latencies,
        calls: calls.get(),
    }
}

/// Returns how long a call takes.
fn latency(request: usize, replica: u64, is_outage: bool) -> Duration {
    let mut random = fastrand::Rng::with_seed(request as u64 * 2 + replica);
    // Twelve even numbers add up to one that is nearly normal.
    let normal: f64 = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    let mut millis = 5.0 * (0.3 * normal).exp();
    if random.f64() < 0.02 {
        millis += 50.0 + 950.0 * random.f64();
    }
    if is_outage {
        millis += 500.0;
    }
    Duration::from_secs_f64(millis / 1000.0)
}
