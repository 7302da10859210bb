//! A wait that is there only while something has to be waited for.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

pin_project! {
    /// The future of a [`Timer`](super::Timer), kept in place: `F` is its [`Sleep`](super::Timer::Sleep).
    ///
    /// ```text
    ///              poll(cx, start)
    ///   idle  --------------------------->  running  (poll: pending or ready)
    ///         <---------------------------
    ///                    stop
    /// ```
    ///
    /// It does not stop by itself: whoever has seen it ready stops it before the next wait, and first notes what the
    /// end of the wait means, as the destructor of a foreign timer may panic.
    #[derive(Debug)]
    pub(crate) struct Sleep<F> {
        // `None` while there is nothing to wait for.
        #[pin]
        running: Option<F>,
    }
}

impl<F> Sleep<F> {
    /// Creates an idle one.
    pub(crate) const fn new() -> Self {
        Self { running: None }
    }

    /// Drops the timer's future, if there is one.
    pub(crate) fn stop(self: Pin<&mut Self>) {
        self.project().running.set(None);
    }
}

impl<F: Future> Sleep<F> {
    /// Waits for what `start` returns, which is called only if no wait is running.
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        start: impl FnOnce() -> F,
    ) -> Poll<()> {
        // The timer is asked only now that there is something to wait for.
        let mut running = self.project().running;
        if running.is_none() {
            running.set(Some(start()));
        }
        match running.as_pin_mut() {
            Some(future) => future.poll(cx).map(drop),
            None => Poll::Pending,
        }
    }
}
