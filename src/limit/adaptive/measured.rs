//! Permits whose tasks are measured, for whatever is not a task of a run.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::future::FusedFuture;

use super::AdaptiveLimit;
use super::feedback::{Feedback, Started};
use crate::limit::{AcquirePermit, Permit};
use crate::time::Timer;

impl AdaptiveLimit {
    /// Waits for a permit, and measures from then on until it is [reported](Measured::report).
    ///
    /// The future owns all that it needs, so it may be spawned and stored.
    ///
    /// ```
    /// use abreast::Limit;
    /// use abreast::limit::Feedback;
    /// # async fn query() -> Result<u32, std::io::Error> { Ok(7) }
    ///
    /// # smol::block_on(async {
    /// let limit = Limit::gradient();
    /// let measured = limit.acquire(smol::Timer::after).await;
    /// let answer = query().await;
    /// measured.report(match &answer {
    ///     Ok(_) => Feedback::Fine,
    ///     Err(_) => Feedback::Overload,
    /// });
    /// assert_eq!(limit.limit().in_use(), 0);
    /// # });
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future gives up its place in the line, and nothing else. A [`Measured`] that is dropped gives its
    /// permit back and does not count.
    pub fn acquire<M: Timer>(&self, timer: M) -> AcquireMeasured<M> {
        AcquireMeasured::new(self.clone(), timer)
    }

    /// Measures from now on until it is [reported](Measured::report), without a permit: for what has one already, as a
    /// job of a pool under [this limit](Self::limit).
    ///
    /// ```
    /// use abreast::{Limit, Pool};
    /// use abreast::limit::Feedback;
    /// # async fn query() -> Result<u32, std::io::Error> { Ok(7) }
    ///
    /// # smol::block_on(async {
    /// let adaptive = Limit::vegas();
    /// let (pool, mut driver) = Pool::builder().worker_count(100).limit(adaptive.limit()).build();
    /// let job = pool.execute(async move {
    ///     let measured = adaptive.measure(smol::Timer::after);
    ///     let answer = query().await;
    ///     measured.report(Feedback::fine_if_ok(answer.as_ref()));
    ///     answer
    /// })?;
    /// assert!(driver.run_until(job).await.is_ok());
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    pub fn measure<M: Timer>(&self, timer: M) -> Measured<M> {
        Measured::new(self, timer, None)
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
