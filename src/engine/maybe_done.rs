//! A future, and then its output in the same place.
//!
//! ```text
//!             poll: ready            take
//!   Running --------------> Ended --------> Empty
//! ```

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

pin_project! {
    /// The place of one future of a fixed set.
    ///
    /// Its output is a type parameter of its own. As `Fut::Output`, the compiler would have to find it again when it
    /// shows that a set is `Send`, and cannot if the future is a verb over a closure that borrows.
    #[project = PlacePinned]
    #[project_replace = PlaceTaken]
    pub enum MaybeDone<Fut, T> {
        Running {
            #[pin]
            future: Fut,
        },
        Ended {
            output: T,
        },
        Empty,
    }
}

impl<Fut, T> MaybeDone<Fut, T> {
    pub(crate) const fn new(future: Fut) -> Self {
        Self::Running { future }
    }

    /// Returns whether the future has ended and its output was not taken.
    pub(crate) const fn has_output(&self) -> bool {
        matches!(self, Self::Ended { .. })
    }

    /// Takes the output, if there is one.
    #[inline]
    pub(crate) fn take(mut self: Pin<&mut Self>) -> Option<T> {
        if !self.has_output() {
            return None;
        }
        match self.as_mut().project_replace(Self::Empty) {
            PlaceTaken::Ended { output } => Some(output),
            _ => None,
        }
    }
}

impl<Fut: Future> MaybeDone<Fut, Fut::Output> {
    /// Polls the future, and keeps its output once it has ended.
    #[inline]
    pub(crate) fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let PlacePinned::Running { future } = self.as_mut().project() {
            let output = ready!(future.poll(cx));
            self.set(Self::Ended { output });
        }
        Poll::Ready(())
    }
}

impl<Fut, T, E> MaybeDone<Fut, Result<T, E>> {
    /// Takes the error of a future that has failed.
    pub(crate) fn take_error(self: Pin<&mut Self>) -> Option<E> {
        match *self {
            Self::Ended { output: Err(_) } => self.take()?.err(),
            _ => None,
        }
    }
}
