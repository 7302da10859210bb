//! A pool that goes while something else does.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::driver::Driver;
use super::kind::{Kind, Shared};

pin_project! {
    /// The future of [`Driver::run_until`].
    #[must_use = "futures do nothing unless polled"]
    pub struct RunUntil<'a, F, K: Kind = Shared> {
        #[pin]
        future: F,
        driver: &'a mut Driver<K>,
    }
}

impl<'a, F, K: Kind> RunUntil<'a, F, K> {
    pub(super) fn new(future: F, driver: &'a mut Driver<K>) -> Self {
        Self { future, driver }
    }
}

impl<F: Future, K: Kind> Future for RunUntil<'_, F, K> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(output);
        }
        let _ = this.driver.team.poll(cx);
        Poll::Pending
    }
}

impl<F, K: Kind> fmt::Debug for RunUntil<'_, F, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunUntil")
            .field("driver", &self.driver)
            .finish_non_exhaustive()
    }
}
