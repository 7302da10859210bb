//! What retries were told about errors.

use alloc::sync::Arc;
use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use super::{Plan, Retry, RetryContext};
use crate::operation::waits::{Delayed, Immediate, Unset};

/// What a [`Retry`] was told about errors.
pub trait Judge<E> {
    #[doc(hidden)]
    fn allows(&self, failed: &RetryContext<'_, E>) -> bool {
        let _ = failed;
        true
    }

    #[doc(hidden)]
    fn delay(&self, failed: &RetryContext<'_, E>) -> Option<Duration> {
        let _ = failed;
        None
    }
}

impl<E> Judge<E> for () {}

impl<E, A: Judge<E>, B: Judge<E>> Judge<E> for (A, B) {
    fn allows(&self, failed: &RetryContext<'_, E>) -> bool {
        self.0.allows(failed) && self.1.allows(failed)
    }

    fn delay(&self, failed: &RetryContext<'_, E>) -> Option<Duration> {
        self.0.delay(failed).or_else(|| self.1.delay(failed))
    }
}

/// A closure that may veto a retry.
pub struct ShouldRetry<F, E>(F, PhantomData<fn(E)>);

impl<E, F: Fn(&RetryContext<'_, E>) -> bool> Judge<E> for ShouldRetry<F, E> {
    fn allows(&self, failed: &RetryContext<'_, E>) -> bool {
        (self.0)(failed)
    }
}

/// A closure that knows a better delay.
pub struct Delay<F, E>(F, PhantomData<fn(E)>);

impl<E, F: Fn(&RetryContext<'_, E>) -> Option<Duration>> Judge<E> for Delay<F, E> {
    fn delay(&self, failed: &RetryContext<'_, E>) -> Option<Duration> {
        (self.0)(failed)
    }
}

/// Whether a retry waits.
pub trait Wait {
    #[doc(hidden)]
    const WAITS: bool;
}

impl Wait for Delayed {
    const WAITS: bool = true;
}

impl Wait for Immediate {
    const WAITS: bool = false;
}

/// Whether the retries of an operation wait.
pub trait Delays {
    #[doc(hidden)]
    type Wait: Wait;
}

/// The retries of an operation, if it has any.
pub trait Retries<E>: Delays {
    #[doc(hidden)]
    fn plan(&self) -> Option<&Plan>;
    #[doc(hidden)]
    fn allows(&self, failed: &RetryContext<'_, E>) -> bool;
    #[doc(hidden)]
    fn delay(&self, failed: &RetryContext<'_, E>) -> Option<Duration>;
}

impl Delays for Unset {
    type Wait = Immediate;
}

impl<E> Retries<E> for Unset {
    fn plan(&self) -> Option<&Plan> {
        None
    }

    fn allows(&self, _: &RetryContext<'_, E>) -> bool {
        false
    }

    fn delay(&self, _: &RetryContext<'_, E>) -> Option<Duration> {
        None
    }
}

impl<P, W: Wait> Delays for Retry<P, W> {
    type Wait = W;
}

impl<E, P: Judge<E>, W: Wait> Retries<E> for Retry<P, W> {
    fn plan(&self) -> Option<&Plan> {
        Some(&self.plan)
    }

    fn allows(&self, failed: &RetryContext<'_, E>) -> bool {
        self.judge.allows(failed)
    }

    fn delay(&self, failed: &RetryContext<'_, E>) -> Option<Duration> {
        self.judge.delay(failed)
    }
}

/// Shared by the operations of a pool.
impl<R: Delays> Delays for Arc<R> {
    type Wait = R::Wait;
}

impl<E, R: Retries<E>> Retries<E> for Arc<R> {
    fn plan(&self) -> Option<&Plan> {
        (**self).plan()
    }

    fn allows(&self, failed: &RetryContext<'_, E>) -> bool {
        (**self).allows(failed)
    }

    fn delay(&self, failed: &RetryContext<'_, E>) -> Option<Duration> {
        (**self).delay(failed)
    }
}

macro_rules! closures {
    ($($name:ident),*) => {$(
        impl<F, E> $name<F, E> {
            pub(in crate::operation) const fn new(closure: F) -> Self {
                Self(closure, PhantomData)
            }
        }

        impl<F: Clone, E> Clone for $name<F, E> {
            fn clone(&self) -> Self {
                Self::new(self.0.clone())
            }
        }

        impl<F, E> fmt::Debug for $name<F, E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

closures!(ShouldRetry, Delay);
