//! The progress of a run.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::time::Duration;

use crate::time::Moment;

/// The progress of a run.
///
/// It displays as `3/10`, or as `3` when the total is unknown.
///
/// ```
/// use abreast::Progress;
///
/// assert_eq!(Progress::new(3, Some(10)).to_string(), "3/10");
/// assert_eq!(Progress::new(3, None).to_string(), "3");
/// ```
///
/// With the feature `std`, it says how fast the run is. The clock is read once when a run with such a hook begins, and
/// then only when it is asked for:
///
/// ```
/// # smol::block_on(async {
/// # let tasks = [async { Ok::<_, ()>(()) }];
/// abreast::parallel(tasks)
///     .on_progress(|progress| {
///         let (rate, left) = (progress.rate().unwrap_or(0.0), progress.eta().unwrap_or_default());
///         println!("{progress} at {rate:.1} per second, {} s left", left.as_secs());
///     })
///     .await;
/// # });
/// ```
///
/// Two of them are equal if their counts are, whatever the time.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The number of tasks that have ended, whether they succeeded or failed.
    pub completed: usize,
    /// The number of all tasks, known when the size hint of the source is exact.
    pub total: Option<usize>,
    time: Time,
}

/// What is known of the time since the run began.
#[derive(Clone, Copy, Debug)]
enum Time {
    Unknown,
    /// It began then, by the clock of the system.
    Since(Moment),
    /// It was given.
    Elapsed(Duration),
}

impl Progress {
    /// Creates progress that knows nothing of time.
    #[inline]
    #[must_use]
    pub const fn new(completed: usize, total: Option<usize>) -> Self {
        Self {
            completed,
            total,
            time: Time::Unknown,
        }
    }

    /// Measures from the moment when the run began, if it is known.
    #[inline]
    pub(super) fn since(mut self, began: Option<Moment>) -> Self {
        self.time = began.map_or(Time::Unknown, Time::Since);
        self
    }

    /// Goes by another clock than that of the system: so much time has passed since the run began.
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::Progress;
    ///
    /// let progress = Progress::new(3, Some(10)).after(Duration::from_secs(6));
    /// assert_eq!(progress.rate(), Some(0.5));
    /// assert_eq!(progress.eta(), Some(Duration::from_secs(14)));
    /// ```
    #[must_use]
    pub const fn after(mut self, elapsed: Duration) -> Self {
        self.time = Time::Elapsed(elapsed);
        self
    }

    /// Returns the time since the run was polled first. `None` without the feature `std`, unless it was
    /// [given](Self::after).
    #[must_use]
    pub fn elapsed(&self) -> Option<Duration> {
        match self.time {
            Time::Unknown => None,
            Time::Since(began) => Some(Moment::now().since(began)),
            Time::Elapsed(elapsed) => Some(elapsed),
        }
    }

    /// Returns the number of tasks that have ended per second, on average since the run began.
    ///
    /// `None` if the time is not known, or none has passed.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let elapsed = self.elapsed().filter(|elapsed| !elapsed.is_zero())?;
        Some(self.completed as f64 / elapsed.as_secs_f64())
    }

    /// Returns the time until all tasks have ended, if they go on at the [rate](Self::rate) so far.
    ///
    /// `None` if the time or the total is not known, or no task has ended.
    #[must_use]
    pub fn eta(&self) -> Option<Duration> {
        let left = self.total?.saturating_sub(self.completed);
        let nanos = self.elapsed()?.as_nanos().saturating_mul(left as u128);
        let nanos = nanos.checked_div(self.completed as u128)?;
        Some(Duration::from_nanos(
            u64::try_from(nanos).unwrap_or(u64::MAX),
        ))
    }
}

impl PartialEq for Progress {
    fn eq(&self, other: &Self) -> bool {
        (self.completed, self.total) == (other.completed, other.total)
    }
}

impl Eq for Progress {}

impl Hash for Progress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.completed, self.total).hash(state);
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.total {
            Some(total) => write!(f, "{}/{total}", self.completed),
            None => write!(f, "{}", self.completed),
        }
    }
}
