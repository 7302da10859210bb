//! The timer of an operation, or none, and the clock that it goes by.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::{self, Future};
use core::pin::Pin;
use core::time::Duration;

use crate::time::{Stopwatch, Timer};

/// Stands for the timer of an operation that has none.
///
/// Such an operation cannot wait: [`retry`](super::Operation::retry) and [`timeout`](super::Operation::timeout) ask for a
/// [`timer`](super::Operation::timer) at compile time.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTimer;

/// A timer, or [`NoTimer`]: the second parameter of an [`Operation`](super::Operation).
///
/// ```
/// use std::time::Duration;
/// use abreast::operation::OptionalTimer;
///
/// fn is_optional(timer: impl OptionalTimer) {}
/// is_optional(abreast::operation::NoTimer);
/// is_optional(smol::Timer::after);
/// is_optional(|duration: Duration| smol::Timer::after(duration));
/// ```
pub trait OptionalTimer {
    /// The future that waits.
    #[doc(hidden)]
    type Sleep: Future;
    /// Whether there is a timer.
    #[doc(hidden)]
    const IS_SET: bool;
    /// Starts to wait. Only operations that were given a timer do.
    #[doc(hidden)]
    fn start(&self, duration: Duration) -> Self::Sleep;
    /// Returns the time on the timer's own clock, if it has one.
    #[doc(hidden)]
    fn time(&self) -> Option<Duration>;
}

impl<M: Timer> OptionalTimer for M {
    type Sleep = M::Sleep;
    const IS_SET: bool = true;

    fn start(&self, duration: Duration) -> M::Sleep {
        self.sleep(duration)
    }

    fn time(&self) -> Option<Duration> {
        self.now()
    }
}

/// What waits cannot be configured without a timer, so nothing ever starts to wait here.
impl OptionalTimer for NoTimer {
    type Sleep = future::Pending<()>;
    const IS_SET: bool = false;

    fn start(&self, _: Duration) -> Self::Sleep {
        future::pending()
    }

    fn time(&self) -> Option<Duration> {
        None
    }
}

/// A [`Timer`], as opposed to [`NoTimer`]: what the settings that wait ask for.
///
/// ```compile_fail,E0277
/// use abreast::operation::{Operation, Retry};
/// # use futures::stream;
///
/// # let tokens = || stream::iter([Ok::<_, String>("Hello")]);
/// Operation::new(tokens).retry(Retry::recommended()); // error: this setting waits, but there is no timer to wait by
/// ```
#[diagnostic::on_unimplemented(
    message = "this setting waits, but there is no timer to wait by",
    label = "give it a timer before this setting: `.timer(tokio::time::sleep)`",
    note = "a timer is the `sleep` function of your runtime: `tokio::time::sleep`, `smol::Timer::after`",
    note = "retries without a delay need none: `.retry_at_once(Retry::recommended())`"
)]
pub trait HasTimer: Timer {}

impl<M: Timer> HasTimer for M {}

/// The future of a [`SharedTimer`].
pub(super) type BoxSleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A timer without its type, shared by all operations of a pool. Each wait allocates once.
#[derive(Clone)]
pub(super) struct SharedTimer(Arc<dyn ErasedTimer>);

trait ErasedTimer: Send + Sync {
    fn start(&self, duration: Duration) -> BoxSleep;
    fn time(&self) -> Option<Duration>;
}

impl<M> ErasedTimer for M
where
    M: Timer<Sleep: Send + 'static> + Send + Sync,
{
    fn start(&self, duration: Duration) -> BoxSleep {
        let sleep = self.sleep(duration);
        Box::pin(async move { drop(sleep.await) })
    }

    fn time(&self) -> Option<Duration> {
        self.now()
    }
}

impl SharedTimer {
    pub(super) fn new(timer: impl Timer<Sleep: Send + 'static> + Send + Sync + 'static) -> Self {
        Self(Arc::new(timer))
    }

    pub(super) fn start(&self, duration: Duration) -> BoxSleep {
        self.0.start(duration)
    }

    pub(super) fn time(&self) -> Option<Duration> {
        self.0.time()
    }
}

impl_debug!(SharedTimer {});

/// Measures the time since an operation began, by the clock of its timer, or else by the system's. Without either it stands
/// still.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// What the timer's clock showed at the start; `None` if it has none.
    began: Option<Duration>,
    stopwatch: Stopwatch,
    /// The last reading, so that time never goes back.
    now: Duration,
}

impl Clock {
    /// Starts to measure.
    pub(super) fn start(&mut self, timer: &impl OptionalTimer) {
        self.began = timer.time();
        if self.began.is_none() {
            self.stopwatch.start();
        }
    }

    /// Reads the clock.
    pub(super) fn read(&mut self, timer: &impl OptionalTimer) -> Duration {
        // The timer's own clock comes first, so that waiting and measuring agree.
        let elapsed = match (self.began, timer.time()) {
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

    /// Returns the last reading.
    pub(super) const fn last(&self) -> Duration {
        self.now
    }
}
