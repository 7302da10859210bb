//! What the ready set is built on, in one place: the loom model puts loom's in theirs.

use core::task::Waker;

use atomic_refcell::AtomicRefCell;
pub(crate) use core::sync::atomic::{AtomicUsize, Ordering};

/// A cell for the parent's waker. Nobody ever waits at it.
#[derive(Debug)]
pub(crate) struct WakerCell(AtomicRefCell<Option<Waker>>);

impl WakerCell {
    pub(crate) const fn new() -> Self {
        Self(AtomicRefCell::new(None))
    }

    /// Wakes what is in the cell, which stays there. Does nothing while the cell is being written.
    pub(crate) fn wake(&self) {
        if let Ok(waker) = self.0.try_borrow() {
            if let Some(waker) = &*waker {
                waker.wake_by_ref();
            }
        }
    }

    /// Exchanges what is in the cell. Gives it back while another thread wakes the old one.
    pub(crate) fn try_replace(&self, waker: Option<Waker>) -> Result<Option<Waker>, Option<Waker>> {
        match self.0.try_borrow_mut() {
            Ok(mut cell) => Ok(core::mem::replace(&mut *cell, waker)),
            Err(_) => Err(waker),
        }
    }
}
