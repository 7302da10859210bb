//! Where the tasks of batches come from.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use futures::stream::Stream;
use pin_project_lite::pin_project;

use crate::time::{Sleep, Timer};

pin_project! {
    /// The tasks that a handler makes of items, with a pause between batches.
    #[derive(Debug)]
    pub struct Handled<I, F, P = ()> {
        items: I,
        handler: F,
        pub(super) batch_size: usize,
        handled: usize,
        #[pin]
        pause: P,
    }
}

impl<I, F> Handled<I, F> {
    pub(super) const fn new(items: I, handler: F, batch_size: usize) -> Self {
        Self {
            items,
            handler,
            batch_size,
            handled: 0,
            pause: (),
        }
    }

    pub(super) fn pause<P>(self, pause: P) -> Handled<I, F, P> {
        Handled {
            items: self.items,
            handler: self.handler,
            batch_size: self.batch_size,
            handled: self.handled,
            pause,
        }
    }
}

impl<I, F, Fut, P> Stream for Handled<I, F, P>
where
    I: Iterator,
    F: FnMut(I::Item) -> Fut,
    P: Pause<I::Item>,
{
    type Item = Fut;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Fut>> {
        let this = self.project();
        let is_between = *this.handled > 0 && *this.handled % *this.batch_size == 0;
        let item = if is_between {
            ready!(this.pause.poll_after(cx, || this.items.next()))
        } else {
            this.items.next()
        };
        let task = item.map(this.handler);
        // Not before, so that a panic of the handler leaves the count where it was.
        *this.handled += usize::from(task.is_some());
        Poll::Ready(task)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // An item is held back only after the first batch, and the hint is asked for before.
        self.items.size_hint()
    }
}

/// The tasks that a handler makes of items, with a pause by a timer.
pub(super) type HandledPaused<I, F, M> = Handled<I, F, Paused<M, <I as Iterator>::Item>>;

/// What happens between two batches.
pub trait Pause<Item> {
    /// The next item when the pause is over. There is none if there is no next item.
    fn poll_after(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        next: impl FnOnce() -> Option<Item>,
    ) -> Poll<Option<Item>>;
}

/// No pause.
impl<Item> Pause<Item> for () {
    fn poll_after(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        next: impl FnOnce() -> Option<Item>,
    ) -> Poll<Option<Item>> {
        Poll::Ready(next())
    }
}

pin_project! {
    /// The pause of [`Batched::pause`](crate::Batched::pause).
    pub struct Paused<M, Item>
    where
        M: Timer,
    {
        delay: Duration,
        timer: M,
        #[pin]
        sleep: Sleep<M::Sleep>,
        // The item that waits for the pause to be over: without one there is nothing to pause for.
        item: Option<Item>,
    }
}

impl<M: Timer, Item> Paused<M, Item> {
    pub(super) const fn new(delay: Duration, timer: M) -> Self {
        Self {
            delay,
            timer,
            sleep: Sleep::new(),
            item: None,
        }
    }
}

impl<M: Timer, Item> Pause<Item> for Paused<M, Item> {
    fn poll_after(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        next: impl FnOnce() -> Option<Item>,
    ) -> Poll<Option<Item>> {
        let mut this = self.project();
        if this.item.is_none() {
            *this.item = next();
            if this.item.is_none() {
                return Poll::Ready(None);
            }
        }
        let sleep = this.sleep.as_mut();
        ready!(sleep.poll(cx, || this.timer.sleep(*this.delay)));
        this.sleep.stop();
        Poll::Ready(this.item.take())
    }
}

impl_debug!(Paused<M: Timer, Item> { delay });
