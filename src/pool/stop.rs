//! A shutdown and a drain that end at a signal.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use super::kind::Kind;
use super::stats::{DrainReport, PoolStats, ShutdownReport};
use super::wait::{Drain, Shutdown};
use crate::outcome::EndReason;
use crate::run::{StopOn, Stoppable};

impl<K: Kind> Shutdown<K> {
    /// Drops what has not ended when `signal` is ready, and reports what has become of all jobs.
    ///
    /// The same as [`within`](Self::within) otherwise: this one is for a second Ctrl-C, or for whoever loses patience.
    ///
    /// ```
    /// use abreast::{EndReason, JobError, pool};
    /// use futures::channel::oneshot;
    /// use std::time::Duration;
    ///
    /// # smol::block_on(async {
    /// let (pool, driver) = pool(1);
    /// let driver = smol::spawn(driver);
    /// let endless = pool.execute(std::future::pending::<Result<(), ()>>())?;
    ///
    /// let (ctrl_c, pressed_again) = oneshot::channel();
    /// # ctrl_c.send(()).unwrap();
    /// let report = pool
    ///     .shutdown()
    ///     .stop_on(pressed_again)
    ///     .deadline(Duration::from_secs(30), smol::Timer::after)
    ///     .await;
    /// assert_eq!(report.end_reason, EndReason::Stopped);
    /// assert_eq!(report.dropped + report.never_started, 1);
    /// driver.await;
    /// assert_eq!(endless.await, Err(JobError::Abandoned));
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Order
    /// The signal is polled first. If everything has ended when it is ready, the shutdown is
    /// [`Completed`](EndReason::Completed).
    ///
    /// # Cancel safety
    /// If the future is dropped before the signal is ready, the pool finishes what was accepted, as without it.
    ///
    /// # Panics
    /// A panic of the signal passes through. Polled again, the shutdown goes on without it.
    pub fn stop_on<F: Future>(self, signal: F) -> StopOn<Reported<Self, ShutdownReport>, F> {
        let before = self.inner().state.stats();
        StopOn::new(Reported::new(self, before), signal, EndReason::Stopped)
    }
}

impl<K: Kind> Drain<K> {
    /// Ends the drain when `signal` is ready, and reports what has become of all jobs.
    ///
    /// The same as [`within`](Self::within) otherwise: what has not ended goes on, and the pool accepts again.
    ///
    /// ```
    /// use abreast::{EndReason, pool};
    /// use std::future::ready;
    ///
    /// # smol::block_on(async {
    /// let (pool, mut driver) = pool(1);
    /// let six = pool.execute(async { Ok::<_, ()>(6) })?;
    ///
    /// let report = pool.drain().stop_on(ready("called off")).await;
    /// assert_eq!((report.end_reason, report.queued), (EndReason::Stopped, 1));
    /// assert_eq!(driver.run_until(six).await, Ok(6));
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Order
    /// The signal is polled first. If nothing is queued or running when it is ready, the drain is
    /// [`Completed`](EndReason::Completed).
    ///
    /// # Cancel safety
    /// Dropping the future ends the drain.
    ///
    /// # Panics
    /// A panic of the signal passes through. Polled again, the drain goes on without it.
    pub fn stop_on<F: Future>(self, signal: F) -> StopOn<Reported<Self, DrainReport>, F> {
        let before = self.inner().state.stats();
        StopOn::new(Reported::new(self, before), signal, EndReason::Stopped)
    }
}

/// A [`Drain`] or [`Shutdown`] whose end is reported: what their methods `stop_on` stop.
#[must_use = "futures do nothing unless polled"]
pub struct Reported<W, R> {
    wait: W,
    /// The figures when this began.
    before: PoolStats,
    /// There once it has ended.
    report: Option<R>,
}

/// Neither is ever pinned.
impl<W, R> Unpin for Reported<W, R> {}

impl<W, R> Reported<W, R> {
    const fn new(wait: W, before: PoolStats) -> Self {
        Self {
            wait,
            before,
            report: None,
        }
    }
}

impl<K: Kind> Stoppable for Reported<Shutdown<K>, ShutdownReport> {
    type Output = ShutdownReport;

    fn poll_run(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ShutdownReport> {
        let this = &mut *self;
        if let Some(report) = this.report {
            return Poll::Ready(report);
        }
        ready!(Pin::new(&mut this.wait).poll(cx));
        let now = this.wait.inner().state.stats();
        Poll::Ready(ShutdownReport::since(&this.before, &now))
    }

    fn stop(mut self: Pin<&mut Self>, reason: EndReason) {
        let this = &mut *self;
        let inner = this.wait.inner();
        if this.report.is_none() && !inner.state.is_idle() {
            this.report = Some(inner.abort(&this.before, reason));
        }
    }
}

impl<K: Kind> Stoppable for Reported<Drain<K>, DrainReport> {
    type Output = DrainReport;

    fn poll_run(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<DrainReport> {
        let this = &mut *self;
        if let Some(report) = this.report {
            return Poll::Ready(report);
        }
        ready!(Pin::new(&mut this.wait).poll(cx));
        let now = this.wait.inner().state.stats();
        Poll::Ready(DrainReport::since(&this.before, &now, EndReason::Completed))
    }

    fn stop(mut self: Pin<&mut Self>, reason: EndReason) {
        let this = &mut *self;
        let state = &this.wait.inner().state;
        if this.report.is_none() && !state.is_idle() {
            this.report = Some(DrainReport::since(&this.before, &state.stats(), reason));
            this.wait.end();
        }
    }
}

impl_debug!(Reported<W, R> |self| { has_ended: self.report.is_some() });
