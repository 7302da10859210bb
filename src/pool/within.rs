//! A shutdown and a drain with a deadline.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use pin_project_lite::pin_project;

use super::kind::{Kind, Sendable};
use super::stats::{DrainReport, PoolStats, ShutdownReport};
use super::wait::{Drain, Shutdown};
use crate::outcome::EndReason;
use crate::time::{Sleep, Timer};

impl<K: Kind> Shutdown<K> {
    /// Drops what has not ended after `duration`, and reports what has become of all jobs.
    ///
    /// It resolves as soon as everything that was accepted has ended, or when time is up. What is queued is then
    /// dropped before it resolves, and what is running by its worker, which is woken for that: at once, unless a job is
    /// just being polled or its driver is not. The handles of such jobs resolve with
    /// [`Abandoned`](crate::JobError::Abandoned), and the driver, or each worker, resolves when it has dropped what it
    /// ran.
    ///
    /// ```
    /// use abreast::{JobError, gather, pool};
    /// use std::time::Duration;
    ///
    /// # smol::block_on(async {
    /// let (pool, driver) = pool(1);
    /// let quick = pool.execute(async { Ok::<_, ()>(6) })?;
    /// let endless = pool.execute(std::future::pending::<Result<(), ()>>())?;
    /// let behind = pool.execute(async { Ok::<_, ()>(7) })?;
    ///
    /// let shutdown = pool.shutdown().within(Duration::from_millis(20), smol::Timer::after);
    /// let (report, ()) = gather((shutdown, driver)).await;
    /// assert_eq!((report.finished, report.dropped, report.never_started), (1, 1, 1));
    /// assert_eq!(quick.await, Ok(6));
    /// assert_eq!(endless.await, Err(JobError::Abandoned));
    /// assert_eq!(behind.await, Err(JobError::Abandoned));
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    /// The time runs from the first poll. If the future is dropped before it is up, the pool finishes what was
    /// accepted, as without it.
    pub fn within<M: Timer>(self, duration: Duration, timer: M) -> ShutdownWithin<M, K> {
        ShutdownWithin {
            before: self.inner().state.stats(),
            shutdown: self,
            sleep: Sleep::new(),
            timer,
            duration,
            report: None,
        }
    }
}

pin_project! {
    /// The future of [`Shutdown::within`].
    #[must_use = "nothing is dropped when time is up unless this is polled"]
    pub struct ShutdownWithin<M, K: Kind = Sendable>
    where
        M: Timer,
    {
        shutdown: Shutdown<K>,
        #[pin]
        sleep: Sleep<M::Sleep>,
        timer: M,
        duration: Duration,
        // The figures when this began.
        before: PoolStats,
        // There once it has resolved.
        report: Option<ShutdownReport>,
    }
}

impl<M: Timer, K: Kind> Future for ShutdownWithin<M, K> {
    type Output = ShutdownReport;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ShutdownReport> {
        let mut this = self.project();
        if let Some(report) = this.report {
            return Poll::Ready(*report);
        }
        let report = if Pin::new(&mut *this.shutdown).poll(cx).is_ready() {
            ShutdownReport::since(this.before, &this.shutdown.inner().state.stats())
        } else {
            let (timer, duration) = (this.timer, *this.duration);
            ready!(this.sleep.as_mut().poll(cx, || timer.sleep(duration)));
            let inner = this.shutdown.inner();
            inner.abort(this.before, EndReason::DeadlineElapsed)
        };
        // Noted first: the destructor of a foreign timer may panic.
        *this.report = Some(report);
        this.sleep.stop();
        Poll::Ready(report)
    }
}

impl_debug!(ShutdownWithin<M: Timer, K: Kind> { duration, report });
impl_fused!(FusedFuture for ShutdownWithin<M: Timer, K: Kind> |self| self.report.is_some());

impl<K: Kind> Drain<K> {
    /// Waits for `duration` at most, and reports what has become of all jobs.
    ///
    /// It resolves as soon as everything that was accepted has ended, or when time is up. Either way the drain is over,
    /// and the pool accepts again. Unlike a [shutdown](Shutdown::within), it drops nothing: what has not ended goes on,
    /// and a [handle](crate::JobHandle::cancel) cancels it.
    ///
    /// ```
    /// use abreast::{EndReason, pool};
    /// use std::time::Duration;
    ///
    /// # smol::block_on(async {
    /// let (pool, mut driver) = pool(1);
    /// let quick = pool.execute(async { Ok::<_, ()>(6) })?;
    /// let endless = pool.execute(std::future::pending::<Result<(), ()>>())?;
    /// let behind = pool.execute(async { Ok::<_, ()>(7) })?;
    ///
    /// let drain = pool.drain().within(Duration::from_millis(20), smol::Timer::after);
    /// let report = driver.run_until(drain).await;
    /// assert_eq!(report.end_reason, EndReason::DeadlineElapsed);
    /// assert_eq!((report.finished, report.running, report.queued), (1, 1, 1));
    ///
    /// endless.cancel();
    /// assert_eq!(driver.run_until(behind).await, Ok(7));
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    /// The time runs from the first poll. Dropping the future ends the drain.
    pub fn within<M: Timer>(self, duration: Duration, timer: M) -> DrainWithin<M, K> {
        DrainWithin {
            before: self.inner().state.stats(),
            drain: self,
            sleep: Sleep::new(),
            timer,
            duration,
            report: None,
        }
    }
}

pin_project! {
    /// The future of [`Drain::within`].
    #[must_use = "dropping a drain ends it"]
    pub struct DrainWithin<M, K: Kind = Sendable>
    where
        M: Timer,
    {
        drain: Drain<K>,
        #[pin]
        sleep: Sleep<M::Sleep>,
        timer: M,
        duration: Duration,
        // The figures when this began.
        before: PoolStats,
        // There once it has resolved.
        report: Option<DrainReport>,
    }
}

impl<M: Timer, K: Kind> Future for DrainWithin<M, K> {
    type Output = DrainReport;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<DrainReport> {
        let mut this = self.project();
        if let Some(report) = this.report {
            return Poll::Ready(*report);
        }
        // The drain comes first, so that it wins when both are ready.
        let end_reason = if Pin::new(&mut *this.drain).poll(cx).is_ready() {
            EndReason::Completed
        } else {
            let (timer, duration) = (this.timer, *this.duration);
            ready!(this.sleep.as_mut().poll(cx, || timer.sleep(duration)));
            EndReason::DeadlineElapsed
        };
        let now = this.drain.inner().state.stats();
        let report = DrainReport::since(this.before, &now, end_reason);
        // Noted first: wakers and the destructor of a foreign timer may panic.
        *this.report = Some(report);
        this.drain.end();
        this.sleep.stop();
        Poll::Ready(report)
    }
}

impl_debug!(DrainWithin<M: Timer, K: Kind> { duration, report });
impl_fused!(FusedFuture for DrainWithin<M: Timer, K: Kind> |self| self.report.is_some());
