//! The settings that the operations of a pool share, and how they inherit them.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::operation::future::Operation;
use crate::operation::handlers::{Inherited, SharedClassify, SharedOnEvent, With};
use crate::operation::retry::RetryPredicates;
use crate::operation::settings::Settings;
use crate::operation::source::Source;
use crate::operation::timer::{BoxSleep, OptionalTimer, SharedTimer};
use crate::time::Timer;

/// The settings of a pool, without their types.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) timer: Option<SharedTimer>,
    pub(super) on_event: Option<SharedOnEvent>,
    /// The [`RetryPredicates`] of the policy, for errors of one type.
    pub(super) predicates: Option<Arc<dyn Any + Send + Sync>>,
    /// A [`SharedClassify`] for each type of errors.
    classify: Vec<Box<dyn Any + Send + Sync>>,
}

impl Shared {
    pub(super) fn classify<E: 'static>(&mut self, classify: SharedClassify<E>) {
        self.classify.push(Box::new(classify));
    }

    /// Fills in what an operation has not set.
    pub(super) fn inherited_by<S, M, E>(
        &self,
        mut operation: Operation<S, M, E>,
    ) -> Operation<With<S, Inherited<E>>, PoolTimer<M>, E>
    where
        S: Source<Error = E>,
        M: OptionalTimer,
        E: 'static,
    {
        // The closures of a retry policy belong to its figures: both are inherited, or neither is.
        // There is one set of them, for errors of one type.
        let session = &mut operation.session;
        if session.settings.retry.is_none() {
            let shared = self.predicates.as_ref();
            let of_this_error = shared.and_then(|shared| shared.downcast_ref());
            session.predicates = of_this_error.cloned().unwrap_or(RetryPredicates::none());
        }
        session.settings.inherit(&self.settings);

        // Handlers and classifications have no place in the settings, as they are in the source.
        let source = &operation.source;
        let on_event = self.on_event.clone().filter(|_| !source.wants_events());
        let mut classify = self.classify.iter().rev();
        let classify = classify
            .find_map(|classify| classify.downcast_ref().cloned())
            .filter(|_| !source.is_classified());
        // Both go around what the operation has itself, which is asked first.
        let timer = self.timer.clone();
        operation.map(
            |source| With::new(source, Inherited { on_event, classify }),
            |own| PoolTimer { own, shared: timer },
        )
    }
}

impl_debug!(Shared { settings });

/// The timer of an operation in a pool: its own one, or else that of the pool.
#[derive(Debug)]
pub(super) struct PoolTimer<M> {
    own: M,
    shared: Option<SharedTimer>,
}

impl<M: OptionalTimer> OptionalTimer for PoolTimer<M> {
    type Sleep = PoolSleep<M::Sleep>;
    const IS_SET: bool = true;

    fn start(&self, duration: Duration) -> Self::Sleep {
        // The timer of the operation comes first. Without any, nothing was set that waits.
        match &self.shared {
            Some(shared) if !M::IS_SET => PoolSleep::Shared {
                sleep: shared.sleep(duration),
            },
            _ => PoolSleep::Own {
                sleep: self.own.start(duration),
            },
        }
    }

    fn time(&self) -> Option<Duration> {
        match &self.shared {
            Some(shared) if !M::IS_SET => shared.now(),
            _ => self.own.time(),
        }
    }
}

pin_project! {
    #[project = PoolSleepProjection]
    pub(super) enum PoolSleep<F> {
        Own { #[pin] sleep: F },
        Shared { sleep: BoxSleep },
    }
}

impl<F: Future> Future for PoolSleep<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.project() {
            PoolSleepProjection::Own { sleep } => sleep.poll(cx).map(drop),
            PoolSleepProjection::Shared { sleep } => sleep.as_mut().poll(cx),
        }
    }
}
