//! What an operation and its handle share: the outcome, once there is one, and who is to be woken.

use core::mem;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};

use super::error::JobError;
use crate::sync::Lock;
use crate::sync::panic::catch;

/// What an operation ends with.
pub(super) type Outcome<T, E> = Result<T, JobError<E>>;

/// Those who are to be told of an outcome. Dropping a waker is foreign code, so both leave the lock.
#[derive(Debug, Default)]
pub struct Waiting {
    reader: Option<Waker>,
    worker: Option<Waker>,
}

impl Waiting {
    /// Wakes whoever waits for the outcome, and keeps panics of wakers.
    pub(super) fn notify_caught(self) {
        if self.reader.is_some() || self.worker.is_some() {
            let _ = catch(|| {
                if let Some(reader) = self.reader {
                    reader.wake();
                }
            });
        }
    }
}

#[derive(Debug)]
enum Cell<T, E> {
    Open(Waiting),
    Ended(Outcome<T, E>),
    Taken,
}

#[derive(Debug)]
pub(super) struct Slot<T, E> {
    cancelled: AtomicBool,
    cell: Lock<Cell<T, E>>,
}

impl<T, E> Slot<T, E> {
    pub(super) fn new() -> Self {
        Self {
            cancelled: AtomicBool::new(false),
            cell: Lock::new(Cell::Open(Waiting::default())),
        }
    }

    /// Keeps the outcome for the handle.
    pub(super) fn publish(&self, outcome: Outcome<T, E>) -> Waiting {
        self.cell.with(|cell| {
            match mem::replace(cell, Cell::Ended(outcome)) {
                Cell::Open(waiting) => waiting,
                // Not so: there is one outcome. But if it were, nothing foreign may be dropped here.
                other => {
                    mem::forget(other);
                    Waiting::default()
                }
            }
        })
    }

    /// Takes the outcome, or has `cx` be woken when there is one.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Outcome<T, E>> {
        enum Look<T> {
            Ended(T),
            Known,
            Unknown,
        }
        let look = self.cell.with(|cell| match cell {
            Cell::Open(waiting) => match &waiting.reader {
                Some(reader) if reader.will_wake(cx.waker()) => Look::Known,
                _ => Look::Unknown,
            },
            _ => Look::Ended(mem::replace(cell, Cell::Taken)),
        });
        let ended = match look {
            Look::Ended(ended) => ended,
            Look::Known => return Poll::Pending,
            Look::Unknown => {
                // Cloning a waker is foreign code.
                let mut reader = Some(cx.waker().clone());
                let ended = self.cell.with(|cell| match cell {
                    Cell::Open(waiting) => {
                        mem::swap(&mut waiting.reader, &mut reader);
                        None
                    }
                    _ => Some(mem::replace(cell, Cell::Taken)),
                });
                match ended {
                    Some(ended) => ended,
                    None => return Poll::Pending,
                }
            }
        };
        match ended {
            Cell::Ended(outcome) => Poll::Ready(outcome),
            _ => panic!("an `JobHandle` was polled after it had resolved"),
        }
    }

    pub(super) fn is_ended(&self) -> bool {
        self.cell.with(|cell| !matches!(cell, Cell::Open(_)))
    }

    pub(super) fn is_taken(&self) -> bool {
        self.cell.with(|cell| matches!(cell, Cell::Taken))
    }

    /// Has the worker that runs the operation drop it.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        let worker = self.cell.with(|cell| match cell {
            Cell::Open(waiting) => waiting.worker.take(),
            _ => None,
        });
        if let Some(worker) = worker {
            worker.wake();
        }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Has `waker` be woken when the operation is cancelled. To be followed by a look at
    /// [`is_cancelled`](Self::is_cancelled): a cancellation before this does not wake it.
    pub(super) fn watch(&self, waker: &Waker) {
        let mut worker = Some(waker.clone());
        self.cell.with(|cell| {
            if let Cell::Open(waiting) = cell {
                mem::swap(&mut waiting.worker, &mut worker);
            }
        });
    }
}
