//! The timer of an operation, or none, and the clock that it goes by.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::{self, Future};
use core::pin::Pin;
use core::time::Duration;

use crate::time::Timer;

/// Stands for the timer of an operation that has none.
///
/// Such an operation cannot wait: [`retry`](super::Operation::retry) and [`timeout`](super::Operation::timeout) ask for
/// a [`timer`](super::Operation::timer) at compile time.
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

/// An [`OptionalTimer`] as a [`Timer`], for what waits only if there is one.
pub(super) struct AsTimer<'a, M>(pub(super) &'a M);

impl<M: OptionalTimer> Timer for AsTimer<'_, M> {
    type Sleep = M::Sleep;

    fn sleep(&self, duration: Duration) -> M::Sleep {
        self.0.start(duration)
    }

    fn now(&self) -> Option<Duration> {
        self.0.time()
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
}

impl Timer for SharedTimer {
    type Sleep = BoxSleep;

    fn sleep(&self, duration: Duration) -> BoxSleep {
        self.0.start(duration)
    }

    fn now(&self) -> Option<Duration> {
        self.0.time()
    }
}

impl_debug!(SharedTimer {});
