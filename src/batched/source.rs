//! The source of batches: items, a handler that makes a task of each, and a pause between batches.

use alloc::vec::Vec;
use core::iter::Fuse;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use futures::stream::Stream;
use pin_project_lite::pin_project;

use crate::time::{Sleep, Timer};

pin_project! {
    /// Calls the handler of [`batched`](crate::batched()) on its items, and yields the tasks that it returns.
    #[derive(Debug)]
    pub struct MappedSource<I, F, P = ()> {
        items: I,
        handler: F,
        pub(super) batch_size: usize,
        // The number of tasks so far, by which the end of a batch is known.
        mapped: usize,
        #[pin]
        pause: P,
    }
}

impl<I, F> MappedSource<I, F> {
    pub(super) const fn new(items: I, handler: F, batch_size: usize) -> Self {
        Self {
            items,
            handler,
            batch_size,
            mapped: 0,
            pause: (),
        }
    }

    pub(super) fn pause<P>(self, pause: P) -> MappedSource<I, F, P> {
        MappedSource {
            items: self.items,
            handler: self.handler,
            batch_size: self.batch_size,
            mapped: self.mapped,
            pause,
        }
    }
}

/// A source of tasks that may have a clock.
pub trait TaskSource: Stream {
    /// Returns the time since the first poll, by the clock of the timer if it has one.
    fn elapsed(&self) -> Option<Duration>;
}

impl<I, F, Fut, P> Stream for MappedSource<I, F, P>
where
    I: Iterator,
    F: FnMut(I::Item) -> Fut,
    P: Pause<I::Item>,
{
    type Item = Fut;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Fut>> {
        // The clock runs from the first poll on.
        let mut this = self.project();
        if *this.mapped == 0 {
            this.pause.as_mut().begin();
        }
        // A pause lies between two batches, never before the first.
        let is_between = *this.mapped > 0 && *this.mapped % *this.batch_size == 0;
        let item = if is_between {
            ready!(this.pause.poll_after(cx, || this.items.next()))
        } else {
            this.items.next()
        };
        let task = item.map(this.handler);
        // Not before, so that a panic of the handler leaves the count where it was.
        *this.mapped += usize::from(task.is_some());
        Poll::Ready(task)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // An item is held back only after the first batch, and the hint is asked for before.
        self.items.size_hint()
    }
}

impl<I, F, Fut, P> TaskSource for MappedSource<I, F, P>
where
    I: Iterator,
    F: FnMut(I::Item) -> Fut,
    P: Pause<I::Item>,
{
    fn elapsed(&self) -> Option<Duration> {
        self.pause.elapsed()
    }
}

/// The tasks that a handler makes of items, with a pause by a timer.
pub(super) type PausedSource<I, F, M> = MappedSource<I, F, Paused<M, <I as Iterator>::Item>>;

/// Waits between two batches, or does not.
pub trait Pause<Item> {
    /// Notes when the run began.
    fn begin(self: Pin<&mut Self>) {}

    /// Returns the time since the run began, if there is a clock to tell it.
    fn elapsed(&self) -> Option<Duration> {
        None
    }

    /// Returns the next item when the pause is over, and `None` without a pause if there is no next item.
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
    /// Waits between two batches, by the timer that was given to [`Batched::pause`](crate::Batched::pause).
    pub struct Paused<M, Item>
    where
        M: Timer,
    {
        delay: Duration,
        timer: M,
        // What the clock of the timer showed at the first poll.
        began: Option<Duration>,
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
            began: None,
            sleep: Sleep::new(),
            item: None,
        }
    }
}

impl<M: Timer, Item> Pause<Item> for Paused<M, Item> {
    fn begin(self: Pin<&mut Self>) {
        let this = self.project();
        *this.began = this.began.or_else(|| this.timer.now());
    }

    fn elapsed(&self) -> Option<Duration> {
        Some(self.timer.now()?.saturating_sub(self.began?))
    }

    fn poll_after(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        next: impl FnOnce() -> Option<Item>,
    ) -> Poll<Option<Item>> {
        let mut this = self.project();
        // The next item comes first: there is no pause after the last one.
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

impl_debug! { Paused<M: Timer, Item> { delay } }

/// Collects the items of [`batched_chunks`](crate::batched_chunks) in chunks of at most `size`.
pub struct ChunkedItems<I: Iterator> {
    items: Fuse<I>,
    size: usize,
    /// The chunk that is being filled. Kept here, so that a panic of the iterator loses none of it.
    chunk: Vec<I::Item>,
}

impl<I: Iterator> ChunkedItems<I> {
    /// Room is made for at most this many items at first: a size hint may be far too large.
    const FIRST: usize = 1024;

    pub(super) fn new(items: I, size: usize) -> Self {
        Self {
            items: items.fuse(),
            size,
            chunk: Vec::new(),
        }
    }

    fn chunks_in(&self, items: usize) -> usize {
        items.saturating_add(self.chunk.len()).div_ceil(self.size)
    }
}

impl<I: Iterator> Iterator for ChunkedItems<I> {
    type Item = Vec<I::Item>;

    fn next(&mut self) -> Option<Vec<I::Item>> {
        // A chunk is allocated once, as far as the hint can be believed.
        let expected = self.items.size_hint().0.min(self.size).min(Self::FIRST);
        self.chunk
            .reserve_exact(expected.saturating_sub(self.chunk.len()));
        while self.chunk.len() < self.size {
            match self.items.next() {
                Some(item) => self.chunk.push(item),
                None => break,
            }
        }
        (!self.chunk.is_empty()).then(|| mem::take(&mut self.chunk))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.items.size_hint();
        (self.chunks_in(least), most.map(|most| self.chunks_in(most)))
    }
}

impl_debug! { ChunkedItems<I: Iterator> { size } }
