//! Limits that find themselves.

mod algorithm;
mod feedback;
mod gate;
mod measured;

use alloc::sync::Arc;
use core::ops::RangeInclusive;
use core::time::Duration;

use algorithm::{Algorithm, Kind, Report, Settings};
pub use feedback::Feedback;
use feedback::Started;
pub use gate::{AdaptiveGate, Learn, MeasuredPass};
pub use measured::{AcquireMeasured, Measured};

use super::Limit;
use crate::sync::Lock;

/// A [`Limit`] that finds itself: it grows while all goes well, and shrinks when what it protects is overloaded or
/// slows down.
///
/// For a service whose capacity is not known, or changes: nodes come and go, others use it too. Clones share one limit.
/// [`parallel(..).adaptive(..)`](crate::Parallel::adaptive) has the tasks of a run go by it and learns from them, and
/// [`acquire`](Self::acquire) is for whatever else.
///
/// ```
/// use abreast::{Limit, parallel};
/// use abreast::limit::Feedback;
///
/// #[derive(Debug)]
/// enum FetchError {
///     NotFound,
///     Unavailable,
/// }
///
/// async fn fetch(page: u32) -> Result<String, FetchError> {
///     // ...
/// #    Ok(format!("page {page}"))
/// }
///
/// #[tokio::main]
/// async fn main() {
///     let limit = Limit::vegas().range(1..=200);
///     let result = parallel((0..1000).map(fetch))
///         .concurrency(200)
///         .adaptive(&limit, tokio::time::sleep, |result| match result {
///             Ok(_) => Feedback::Fine,
///             Err(FetchError::Unavailable) => Feedback::Overload,
///             Err(FetchError::NotFound) => Feedback::Ignored,
///         })
///         .await;
///     println!("{} at a time in the end", limit.limit().get());
/// #    assert!(result.all_succeeded());
/// }
/// ```
///
/// # Which algorithm
/// | | learns from | finds | use it where |
/// |---|---|---|---|
/// | [`Limit::aimd`] | overloads only | what the service just accepts, though it may be slow there | it refuses what is too much (429, 503, timeouts), or durations say nothing |
/// | [`Limit::vegas`] | durations, and overloads | a few tasks more than the service works on at once | durations are alike when there is no queue; latency matters |
/// | [`Limit::gradient`] | the same | somewhat more, by its [tolerance](Self::tolerance) | durations vary by themselves |
/// | [`Limit::new`] | nothing | nothing | the limit is known: it is better than any that has to be found |
///
/// They are after the algorithms of Netflix's *concurrency-limits*, which are those of TCP. `benches/adaptive` measures
/// them against the best fixed limit, with a plot in `docs/adaptive.svg`.
///
/// The limit is raised only while at least half of it is in use. So the concurrency of the run must let it grow.
///
/// # What is measured
/// The time from a task's start, when it has a permit, until it has ended, by the clock of the timer, or else by the
/// system's. Without `std`, the timer must have a [clock](crate::Timer::now), or no duration is known. Tasks that were
/// dropped before they ended, or panicked, do not count.
///
/// Several failures at once lower the limit once: what started before the limit was lowered does not lower it again.
/// And a duration counts only if the limit was the same all the time.
///
/// # Order
/// That of its [`Limit`]: first come, first served.
///
/// # Cancel safety
/// What is dropped before it has ended gives its permit back, and is not counted.
///
/// # Polls and allocations
/// Two more locks for each task, the clock is read twice, and one allocation for each run.
#[derive(Clone)]
pub struct AdaptiveLimit {
    limit: Limit,
    /// Locked before the state of the limit where both are. Nothing foreign runs under either.
    algorithm: Arc<Lock<Algorithm>>,
}

impl Limit {
    /// Creates a limit that finds itself by *additive increase and multiplicative decrease*.
    ///
    /// It grows by one over as many tasks as it allows, and is cut to 80 % by an [overload](Feedback::Overload).
    /// Durations do not matter. The scheme is that of TCP's congestion window (Jacobson, 1988). Once the limit is above
    /// that of the last overload, it grows twice as fast each time, so that a service that has grown is found out soon.
    ///
    /// It needs overloads to learn, about one in a hundred tasks, and so suits services that refuse what is too much.
    ///
    /// ```
    /// use abreast::Limit;
    ///
    /// let limit = Limit::aimd().initial(20).range(5..=100).backoff(0.8);
    /// assert_eq!(limit.limit().get(), 20);
    /// ```
    #[must_use]
    pub fn aimd() -> AdaptiveLimit {
        AdaptiveLimit::new(Kind::Aimd, 0.8, 1.0)
    }

    /// Creates a limit that finds itself by the queue that it estimates, as TCP Vegas (Brakmo and Peterson, 1995).
    ///
    /// With *b* the duration without a queue, times the [tolerance](AdaptiveLimit::tolerance), and *d* the duration of
    /// now, `limit * (1 - b / d)` tasks are waiting. Below α, the limit is raised, and above β lowered by what is too
    /// much. α and β are 3 and 6 times the decimal logarithm of the limit in Netflix's *concurrency-limits*, and the
    /// whole part of its binary logarithm and twice that here, which is nearly the same and takes no floating-point
    /// library.
    ///
    /// ```
    /// use abreast::Limit;
    ///
    /// let limit = Limit::vegas().range(1..=50);
    /// assert_eq!(limit.limit().get(), 10);
    /// ```
    #[must_use]
    pub fn vegas() -> AdaptiveLimit {
        AdaptiveLimit::new(Kind::Vegas, 0.9, 1.05)
    }

    /// Creates a limit that finds itself by the gradient of the durations.
    ///
    /// With *b* the duration without a queue, *t* the [tolerance](AdaptiveLimit::tolerance) and *d* the duration of
    /// now, the new limit is `limit * g + √limit`, where *g* is `t * b / d`, at least 0.5 and at most 1. The formula is
    /// that of Netflix's *concurrency-limits*; the root is a whole number here.
    ///
    /// ```
    /// use abreast::Limit;
    ///
    /// let limit = Limit::gradient().tolerance(1.5);
    /// assert_eq!(limit.limit().get(), 10);
    /// ```
    #[must_use]
    pub fn gradient() -> AdaptiveLimit {
        AdaptiveLimit::new(Kind::Gradient, 0.9, 1.2)
    }
}

impl AdaptiveLimit {
    fn new(kind: Kind, backoff: f64, tolerance: f64) -> Self {
        Self::with(Settings {
            kind,
            min: 1,
            max: 1000,
            initial: 10,
            backoff,
            tolerance,
            window: 10,
        })
    }

    fn with(settings: Settings) -> Self {
        let algorithm = Algorithm::new(settings);
        Self {
            limit: Limit::new(algorithm.limit()),
            algorithm: Arc::new(Lock::new(algorithm)),
        }
    }

    fn settings(&self) -> Settings {
        self.algorithm.with(|algorithm| algorithm.settings())
    }

    /// Sets the least and the most that the limit may be; 1 to 1000 by default.
    ///
    /// To be called before the limit is cloned or used, as all settings are: the result shares nothing with it.
    ///
    /// ```
    /// use abreast::Limit;
    ///
    /// let limit = Limit::vegas().range(20..=50);
    /// assert_eq!(limit.limit().get(), 20);
    /// ```
    ///
    /// # Panics
    /// If the range is empty or begins at 0: nothing would ever run.
    #[track_caller]
    #[must_use]
    pub fn range(self, range: RangeInclusive<usize>) -> Self {
        let (min, max) = range.into_inner();
        assert!(
            min > 0 && min <= max,
            "a limit within {min}..={max} lets nothing run: begin at 1 or more, and end there or above"
        );
        Self::with(Settings {
            min,
            max,
            ..self.settings()
        })
    }

    /// Sets the limit to begin with, within the [range](Self::range); 10 by default.
    ///
    /// ```
    /// # use abreast::Limit;
    /// assert_eq!(Limit::aimd().initial(4).limit().get(), 4);
    /// ```
    #[must_use]
    pub fn initial(self, permits: usize) -> Self {
        Self::with(Settings {
            initial: permits,
            ..self.settings()
        })
    }

    /// Sets what is left of the limit after an overload: between 0 and 1; 0.8 for
    /// [`aimd`](Limit::aimd) and 0.9 for the others by default. It is lowered by one at least.
    ///
    /// ```
    /// # use abreast::Limit;
    /// let limit = Limit::aimd().backoff(0.5);
    /// ```
    ///
    /// # Panics
    /// If `ratio` is not between 0 and 1, both excluded.
    #[track_caller]
    #[must_use]
    pub fn backoff(self, ratio: f64) -> Self {
        assert!(
            ratio > 0.0 && ratio < 1.0,
            "a backoff ratio is between 0 and 1: pass 0.9 to leave 90 % of the limit after an overload"
        );
        Self::with(Settings {
            backoff: ratio,
            ..self.settings()
        })
    }

    /// Sets how long a task may take without being a sign of a queue, as a multiple of what it takes without one; 1.05
    /// for [`vegas`](Limit::vegas) and 1.2 for [`gradient`](Limit::gradient) by default.
    ///
    /// The higher, the more noise is borne, and the longer the queue becomes. [`aimd`](Limit::aimd) does not look at
    /// durations.
    ///
    /// ```
    /// # use abreast::Limit;
    /// let limit = Limit::gradient().tolerance(2.0);
    /// ```
    ///
    /// # Panics
    /// If `ratio` is less than 1, or not a number: no duration would be short enough.
    #[track_caller]
    #[must_use]
    pub fn tolerance(self, ratio: f64) -> Self {
        assert!(
            ratio >= 1.0 && ratio.is_finite(),
            "a tolerance of less than 1 takes every duration for too long: pass 1.0 for none"
        );
        Self::with(Settings {
            tolerance: ratio,
            ..self.settings()
        })
    }

    /// Sets how many durations are averaged before the limit is moved, a quarter of the limit at least; 10 by default.
    ///
    /// The more, the smoother and the slower. [`aimd`](Limit::aimd) does not look at durations.
    ///
    /// ```
    /// # use abreast::Limit;
    /// let limit = Limit::vegas().window(50);
    /// ```
    ///
    /// # Panics
    /// If `durations` is 0: there would be no average.
    #[track_caller]
    #[must_use]
    pub fn window(self, durations: usize) -> Self {
        assert!(
            durations > 0,
            "a window of 0 durations has no average: pass at least 1"
        );
        Self::with(Settings {
            window: durations,
            ..self.settings()
        })
    }

    /// Returns the limit beneath: what it is now, how much of it is in use, and how many wait.
    ///
    /// It can be shared with runs and pools whose tasks are not measured. Do not [`set`](Limit::set) it, but for a
    /// pause: the next change of the limit undoes that.
    ///
    /// ```
    /// use abreast::{Limit, Pool};
    ///
    /// let adaptive = Limit::vegas();
    /// let (pool, driver) = Pool::builder().worker_count(100).limit(adaptive.limit()).build();
    /// ```
    #[must_use]
    pub const fn limit(&self) -> &Limit {
        &self.limit
    }

    /// Begins to measure a task, at what the timer's clock shows.
    fn start(&self, now: Option<Duration>) -> Started {
        let changes = self.algorithm.with(|algorithm| algorithm.changes());
        Started::new(changes, now)
    }

    /// Learns from a task that has ended, and sets the limit that follows.
    fn report(
        &self,
        mut started: Started,
        now: Option<Duration>,
        in_use: usize,
        feedback: Feedback,
    ) {
        let report = Report {
            started: started.changes,
            duration: started.elapsed(now),
            in_use,
            feedback,
        };
        let state = &self.limit.shared;
        let has_changed = self.algorithm.with(|algorithm| {
            let before = algorithm.changes();
            algorithm.report(report);
            let has_changed = algorithm.changes() != before;
            // Under both locks, so that of two that report at once the later one sets the limit last.
            if has_changed {
                let limit = algorithm.limit();
                state.state.with(|state| state.set_limit(limit));
            }
            has_changed
        });
        // Wakers are foreign: those that have a permit now are woken when the lock of the algorithm is free.
        if has_changed {
            state.change(|_| ());
        }
    }
}

impl_debug! { AdaptiveLimit { limit } }
