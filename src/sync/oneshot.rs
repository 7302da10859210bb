//! A value on its way from a task to its handle.
//!
//! Both sides share it by an `Arc`. The handle waits for the value, and may ask the task to stop before there is one.
//!
//! ```text
//!            send               poll
//!   Open ------------> Sent ------------> Closed
//!     |                                     ^
//!     +-------------------------------------+
//!                     close
//! ```
//!
//! Wakers are cloned, woken and dropped by whoever calls, never under the lock: all of that is foreign code.

use core::mem;
use core::task::{Context, Poll, Waker};

use super::{AtomicBool, Lock, Ordering};

#[derive(Debug)]
pub(crate) struct Oneshot<T> {
    /// Whether the handle has asked the task to stop. Only ever set.
    cancelled: AtomicBool,
    state: Lock<State<T>>,
}

#[derive(Debug)]
enum State<T> {
    /// There is no value yet.
    Open(Wakers),
    /// The value waits to be taken.
    Sent(T),
    /// The value was taken, or there will never be one.
    Closed,
}

/// The wakers of both sides.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    /// Woken when there is a value.
    pub(crate) handle: Option<Waker>,
    /// Woken when the task is to stop.
    pub(crate) task: Option<Waker>,
}

impl<T> Oneshot<T> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            cancelled: AtomicBool::new(false),
            state: Lock::new(State::Open(Wakers::default())),
        }
    }

    /// Keeps the value for the handle. To be called once; what is returned is to be woken and dropped outside of locks.
    #[must_use]
    pub(crate) fn send(&self, value: T) -> Wakers {
        self.replace(State::Sent(value))
    }

    /// Says that there will be no value. What is returned is to be dropped outside of locks.
    #[must_use]
    pub(crate) fn close(&self) -> Wakers {
        self.replace(State::Closed)
    }

    #[inline]
    fn replace(&self, next: State<T>) -> Wakers {
        self.state.with(|state| match mem::replace(state, next) {
            State::Open(wakers) => wakers,
            State::Sent(_) | State::Closed => Wakers::default(),
        })
    }

    /// Takes the value: `None` if it was taken, or will never be. While there is none yet, `cx` is woken when there is.
    #[inline]
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        // Most often the value is there, or the waker is known from the last poll: neither needs a clone.
        let looked = self.state.with(|state| match state {
            State::Open(wakers) => match &wakers.handle {
                Some(known) if known.will_wake(cx.waker()) => Some(Poll::Pending),
                _ => None,
            },
            State::Sent(_) | State::Closed => Some(Poll::Ready(state.take())),
        });
        if let Some(polled) = looked {
            return polled;
        }
        // The lock was free for the clone, so there may be a value by now. A waker from before leaves in place of this
        // one.
        let mut waker = Some(cx.waker().clone());
        self.state.with(|state| match state {
            State::Open(wakers) => {
                mem::swap(&mut wakers.handle, &mut waker);
                Poll::Pending
            }
            State::Sent(_) | State::Closed => Poll::Ready(state.take()),
        })
    }

    /// Returns the value if there is one, once the task is gone.
    #[inline]
    pub(crate) fn into_value(self) -> Option<T> {
        self.state.into_inner().take()
    }

    /// Returns whether the value was sent, or there will never be one.
    pub(crate) fn is_ended(&self) -> bool {
        self.state.with(|state| !matches!(state, State::Open(_)))
    }

    /// Returns whether the value was taken, or there will never be one.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.with(|state| matches!(state, State::Closed))
    }

    /// Asks the task to stop, and wakes it.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        let task = self.state.with(|state| match state {
            State::Open(wakers) => wakers.task.take(),
            State::Sent(_) | State::Closed => None,
        });
        if let Some(task) = task {
            task.wake();
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Registers `waker` to be woken when the task is to stop. To be followed by a look at
    /// [`is_cancelled`](Self::is_cancelled): a cancellation before this does not wake it.
    pub(crate) fn watch(&self, waker: &Waker) {
        let mut waker = Some(waker.clone());
        self.state.with(|state| {
            if let State::Open(wakers) = state {
                mem::swap(&mut wakers.task, &mut waker);
            }
        });
    }
}

impl<T> State<T> {
    /// Takes the value if there is one, and closes.
    fn take(&mut self) -> Option<T> {
        match mem::replace(self, Self::Closed) {
            Self::Sent(value) => Some(value),
            Self::Open(_) | Self::Closed => None,
        }
    }
}
