//! Permits whose tasks are measured, for whatever is not a task of a run.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use futures::future::FusedFuture;

use super::{AdaptiveLimit, Feedback};
use crate::limit::{AcquirePermit, Permit};
use crate::time::{Clock, Timer};

/// When something started.
#[derive(Debug)]
pub(super) struct Started {
    /// The changes of the limit until then.
    pub(super) changes: u64,
    clock: Clock,
}

impl Started {
    pub(super) fn new(changes: u64, timer: Option<Duration>) -> Self {
        let mut clock = Clock::default();
        clock.start(timer);
        Self { changes, clock }
    }

    /// Returns the time since the start; `None` without a clock.
    pub(super) fn elapsed(&mut self, timer: Option<Duration>) -> Option<Duration> {
        self.clock.measure(timer)
    }
}

/// The future of [`AdaptiveLimit::acquire`].
#[must_use = "futures do nothing unless polled"]
pub struct AcquireMeasured<M> {
    acquire: AcquirePermit,
    limit: AdaptiveLimit,
    // `None` once it has resolved.
    timer: Option<M>,
}

impl<M> AcquireMeasured<M> {
    pub(super) fn new(limit: AdaptiveLimit, timer: M) -> Self {
        Self {
            acquire: limit.limit().acquire(),
            limit,
            timer: Some(timer),
        }
    }
}

/// The timer is never pinned.
impl<M> Unpin for AcquireMeasured<M> {}

impl<M: Timer> Future for AcquireMeasured<M> {
    type Output = Measured<M>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Measured<M>> {
        let permit = ready!(Pin::new(&mut self.acquire).poll(cx));
        let timer = self.timer.take();
        let timer = timer.expect("it is there until this has resolved");
        Poll::Ready(Measured::new(&self.limit, timer, Some(permit)))
    }
}

impl<M: Timer> FusedFuture for AcquireMeasured<M> {
    fn is_terminated(&self) -> bool {
        self.acquire.is_terminated()
    }
}

/// Measures something that goes by an [`AdaptiveLimit`], from [`acquire`](AdaptiveLimit::acquire) or
/// [`measure`](AdaptiveLimit::measure) until it is [reported](Self::report).
///
/// The permit is held until then. If this is dropped, as when the future around it is, it does not count.
#[must_use = "what is dropped is not measured"]
pub struct Measured<M> {
    limit: AdaptiveLimit,
    timer: M,
    started: Started,
    permit: Option<Permit>,
}

impl<M: Timer> Measured<M> {
    pub(super) fn new(limit: &AdaptiveLimit, timer: M, permit: Option<Permit>) -> Self {
        let started = limit.start(timer.now());
        Self {
            limit: limit.clone(),
            timer,
            started,
            permit,
        }
    }

    /// Ends what is measured, has the limit learn from it, and gives the permit back.
    ///
    /// ```
    /// use abreast::Limit;
    /// use abreast::limit::Feedback;
    ///
    /// # smol::block_on(async {
    /// let limit = Limit::aimd().initial(10);
    /// let measured = limit.acquire(smol::Timer::after).await;
    /// // The service has answered with "503 Service Unavailable".
    /// measured.report(Feedback::Overload);
    /// assert_eq!(limit.limit().get(), 8);
    /// # });
    /// ```
    pub fn report(mut self, feedback: Feedback) {
        let now = self.timer.now();
        let in_use = self.limit.limit().in_use();
        self.limit.report(self.started, now, in_use, feedback);
        // Given back under the new limit.
        drop(self.permit.take());
    }
}

impl_debug! { AcquireMeasured<M> { acquire } }
impl_debug! { Measured<M> { started, permit } }
