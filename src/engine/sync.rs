//! What the ready set is built on, in one place: the loom model puts loom's in theirs.

use core::task::Waker;

use atomic_refcell::AtomicRefCell;
pub(crate) use core::sync::atomic::{AtomicUsize, Ordering};

/// A cell for the waker of a parent. Nobody ever waits at it.
#[derive(Debug)]
pub(crate) struct WakerCell(AtomicRefCell<Option<Waker>>);

impl WakerCell {
    pub(crate) const fn new() -> Self {
        Self(AtomicRefCell::new(None))
    }

    /// Calls `f` with what is in the cell, which stays there. Does nothing while the cell is being written.
    fn with<R>(&self, f: impl FnOnce(&Waker) -> R) -> Option<R> {
        let cell = self.0.try_borrow().ok()?;
        cell.as_ref().map(f)
    }

    /// Wakes what is in the cell.
    pub(crate) fn wake(&self) {
        self.with(Waker::wake_by_ref);
    }

    /// Returns whether what is in the cell wakes the same task as `waker`.
    pub(crate) fn will_wake(&self, waker: &Waker) -> bool {
        self.with(|known| known.will_wake(waker)) == Some(true)
    }

    /// Exchanges what is in the cell. Gives `waker` back while another thread wakes the old one.
    pub(crate) fn try_replace(&self, waker: Option<Waker>) -> Result<Option<Waker>, Option<Waker>> {
        match self.0.try_borrow_mut() {
            Ok(mut cell) => Ok(core::mem::replace(&mut *cell, waker)),
            Err(_) => Err(waker),
        }
    }
}
