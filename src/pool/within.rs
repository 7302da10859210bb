//! A shutdown with a deadline.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use pin_project_lite::pin_project;

use super::kind::{Kind, Sendable};
use super::stats::PoolStats;
use super::wait::Shutdown;
use crate::time::{Sleep, Timer};

/// What has become of the jobs of a pool that was [shut down within a time](Shutdown::within).
///
/// Together, they are all that was queued or running when [`within`](Shutdown::within) was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// The number of jobs that have ended by themselves, in whatever way, or were cancelled.
    pub finished: u64,
    /// The number of jobs that were running when time was up, and are dropped; and of those that were dropped with their driver
    /// before that.
    pub dropped: u64,
    /// The number of jobs that were queued when time was up, and were dropped without being started.
    pub never_started: u64,
}

impl ShutdownReport {
    /// Reports what has become of jobs between two moments.
    pub(super) fn since(before: &PoolStats, now: &PoolStats) -> Self {
        Self {
            finished: now.total_executed - before.total_executed,
            dropped: now.total_abandoned - before.total_abandoned,
            never_started: 0,
        }
    }
}

impl<K: Kind> Shutdown<K> {
    /// Drops what has not ended after `duration`, and reports what has become of all jobs.
    ///
    /// It resolves as soon as everything that was accepted has ended, or when time is up. What is queued is then dropped before
    /// it resolves, and what is running by its worker, which is woken for that: at once, unless a job is just being polled or
    /// its driver is not. The handles of such jobs resolve with [`Abandoned`](crate::JobError::Abandoned), and the driver, or
    /// each worker, resolves when it has dropped what it ran.
    ///
    /// ```
    /// use abreast::{JobError, pool};
    /// use std::time::Duration;
    ///
    /// # smol::block_on(async {
    /// let (pool, driver) = pool(1);
    /// let driver = smol::spawn(driver);
    /// let quick = pool.execute(async { Ok::<_, ()>(6) })?;
    /// let endless = pool.execute(std::future::pending::<Result<(), ()>>())?;
    /// let behind = pool.execute(async { Ok::<_, ()>(7) })?;
    ///
    /// let report = pool.shutdown().within(Duration::from_millis(20), smol::Timer::after).await;
    /// assert_eq!((report.finished, report.dropped, report.never_started), (1, 1, 1));
    /// driver.await;
    /// assert_eq!(quick.await, Ok(6));
    /// assert_eq!(endless.await, Err(JobError::Abandoned));
    /// assert_eq!(behind.await, Err(JobError::Abandoned));
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    /// The time runs from the first poll. If the future is dropped before it is up, the pool finishes what was accepted, as
    /// without it.
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
            this.shutdown.inner().abort(this.before)
        };
        // Noted first: the destructor of a foreign timer may panic.
        *this.report = Some(report);
        this.sleep.stop();
        Poll::Ready(report)
    }
}

impl_debug!(ShutdownWithin<M: Timer, K: Kind> { duration, report });
impl_fused!(FusedFuture for ShutdownWithin<M: Timer, K: Kind> |self| self.report.is_some());
