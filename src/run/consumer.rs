//! What outcomes are handed to, one after another, and the waker that it is polled with.
//!
//! # A consumer
//! ```text
//!          begin: the closure is called with an outcome      +-- pending: until its waker is woken
//!   idle ----------------------------------------> running --+
//!    ^                                                |  ^   |
//!    |                                                |  +---+
//!    +------------------------------------------------+
//!       the future has ended or panicked, and is dropped
//! ```
//!
//! # Its waker
//! ```text
//!              set by                          cleared or taken by
//!   is_woken   a wake                          the consumer, before its future is made or polled again
//!   parent     the run, when it goes to sleep  the first wake after that, or the end of the run
//! ```
//! A wake that sets the flag wakes the parent, one that finds it set does nothing. The run leaves the parent first and
//! then looks at the flag, so a wake in between is seen by one of the two.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::sync::{AtomicBool, AtomicWaker, Ordering};

/// What a consumer may return: nothing, or a `Result` whose error ends the run.
pub(crate) trait Consumption {
    /// The error that ends the run.
    type Error;

    /// Returns the error, if there is one.
    fn into_error(self) -> Option<Self::Error>;
}

impl Consumption for () {
    type Error = core::convert::Infallible;

    #[inline(always)]
    fn into_error(self) -> Option<Self::Error> {
        None
    }
}

impl<X> Consumption for Result<(), X> {
    type Error = X;

    #[inline(always)]
    fn into_error(self) -> Option<X> {
        self.err()
    }
}

pin_project! {
    /// A closure, the future that it returned last, and what came of it.
    pub(super) struct Consumer<F, C, X> {
        handler: F,
        // `None` while the consumer is idle.
        #[pin]
        running: Option<C>,
        waker: ConsumerWaker,
        // The calls that have ended.
        pub(super) consumed: usize,
        // What has ended the run.
        error: Option<X>,
    }
}

impl<F, C, X> Consumer<F, C, X> {
    pub(super) const fn new(handler: F) -> Self {
        Self {
            handler,
            running: None,
            waker: ConsumerWaker { signal: None },
            consumed: 0,
            error: None,
        }
    }

    pub(super) const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub(super) const fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    pub(super) fn take_error(self: Pin<&mut Self>) -> Option<X> {
        self.project().error.take()
    }

    /// Returns whether the running future was woken since it was polled, which it has not been before its first poll.
    pub(super) fn is_woken(&self) -> bool {
        self.waker.is_woken()
    }

    /// Arms the waker of a running consumer, so that its next wake wakes `parent`. False if there was a wake already.
    pub(super) fn arm(&self, parent: &Waker) -> bool {
        // A late wake of a call that has ended is not waited for.
        !self.is_running() || self.waker.arm(parent)
    }
}

impl<F, C, X> Consumer<F, C, X>
where
    C: Future<Output: Consumption<Error = X>>,
{
    /// Hands a result to the closure, and polls the future that this returns. To be called only while it is idle.
    #[inline(always)]
    pub(super) fn begin<R>(self: Pin<&mut Self>, index: usize, result: R) -> Poll<()>
    where
        F: FnMut(usize, R) -> C,
    {
        let mut this = self.project();
        // A wake that was meant for a call before this one is forgotten.
        let waker = this.waker.clear();
        // Written where it stays. If the closure panics, the consumer is idle and the result is gone.
        let future = (this.handler)(index, result);
        this.running.set(Some(future));
        poll_running(this.running, waker, this.consumed, this.error)
    }

    /// Polls the running future. Once it has ended, it is dropped, and the consumer is idle.
    #[inline(always)]
    pub(super) fn poll(self: Pin<&mut Self>) -> Poll<()> {
        let this = self.project();
        // What has woken this future is answered by this poll.
        let waker = this.waker.clear();
        poll_running(this.running, waker, this.consumed, this.error)
    }
}

/// Polls a future, if there is one. Once it has ended, it is counted and dropped.
#[inline(always)]
fn poll_running<C: Future<Output: Consumption<Error = X>>, X>(
    running: Pin<&mut Option<C>>,
    waker: &Waker,
    consumed: &mut usize,
    error: &mut Option<X>,
) -> Poll<()> {
    // Dropped also if it panics: it must not be polled again then.
    let mut guard = DropRunning(running);
    let Some(future) = guard.0.as_mut().as_pin_mut() else {
        return Poll::Ready(());
    };
    match future.poll(&mut Context::from_waker(waker)) {
        Poll::Ready(output) => {
            // Noted before it is dropped, as the destructor may panic.
            *consumed += 1;
            *error = output.into_error();
            Poll::Ready(())
        }
        Poll::Pending => {
            mem::forget(guard);
            Poll::Pending
        }
    }
}

/// Drops a future that must not be polled again.
struct DropRunning<'a, C>(Pin<&'a mut Option<C>>);

impl<C> Drop for DropRunning<'_, C> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// The owner's side of the waker of a consumer, so that neither a wake of the consumer polls tasks nor the other way
/// round.
struct ConsumerWaker {
    /// Made when it is needed first.
    signal: Option<(Arc<Signal>, Waker)>,
}

/// What the waker of a consumer sets: a flag first, and then it wakes the parent, if that sleeps.
struct Signal {
    is_woken: AtomicBool,
    parent: AtomicWaker,
}

impl ConsumerWaker {
    /// Forgets the wakes of the past, and returns the waker.
    #[inline(always)]
    fn clear(&mut self) -> &Waker {
        let (signal, waker) = self.signal.get_or_insert_with(Signal::make);
        if signal.is_woken.load(Ordering::Relaxed) {
            signal.is_woken.swap(false, Ordering::AcqRel);
        }
        waker
    }

    fn is_woken(&self) -> bool {
        let signal = self.signal.as_ref();
        signal.is_some_and(|(signal, _)| signal.is_woken.load(Ordering::Acquire))
    }

    /// Registers the parent first, so that a wake which comes then either finds it or is seen here.
    fn arm(&self, parent: &Waker) -> bool {
        if let Some((signal, _)) = &self.signal {
            signal.parent.register(parent);
        }
        !self.is_woken()
    }
}

impl Drop for ConsumerWaker {
    fn drop(&mut self) {
        // Wakers that outlive the run must not wake its task.
        if let Some((signal, _)) = &self.signal {
            drop(signal.parent.take());
        }
    }
}

impl Signal {
    #[cold]
    fn make() -> (Arc<Self>, Waker) {
        let signal = Arc::new(Self {
            is_woken: AtomicBool::new(false),
            parent: AtomicWaker::new(),
        });
        (signal.clone(), signal.into())
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Once is enough until the consumer is polled: whoever set the flag has woken the parent, or is about to.
        if !self.is_woken.swap(true, Ordering::AcqRel) {
            self.parent.wake();
        }
    }
}
