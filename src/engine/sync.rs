//! The one place that chooses between the real atomics and loom's.

#[cfg(not(abreast_loom))]
pub(crate) use core::sync::atomic::AtomicUsize;
#[cfg(not(abreast_loom))]
pub(crate) use futures::task::AtomicWaker;

#[cfg(abreast_loom)]
pub(crate) use loom::sync::atomic::AtomicUsize;

pub(crate) use core::sync::atomic::Ordering;

/// Loom's `AtomicWaker` with the method names of the real one.
#[cfg(abreast_loom)]
#[derive(Debug, Default)]
pub(crate) struct AtomicWaker(loom::future::AtomicWaker);

#[cfg(abreast_loom)]
impl AtomicWaker {
    pub(crate) fn register(&self, waker: &core::task::Waker) {
        self.0.register_by_ref(waker);
    }

    pub(crate) fn wake(&self) {
        self.0.wake();
    }

    pub(crate) fn take(&self) -> Option<core::task::Waker> {
        self.0.take_waker()
    }
}
