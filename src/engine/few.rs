//! At most four futures of one type, in one allocation: a [`FixedSet`](super::FixedSet) made from a list.

use alloc::boxed::Box;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::fixed_set::FutureSet;
use super::maybe_done::MaybeDone;
use super::pairs::{Four, four, one_of_four};
use super::root_alone::RootAlone;

/// Places for four futures, each of which is there from the beginning or put there when it starts.
pub(crate) struct Few<Fut, T> {
    places: Pin<Box<Four<MaybeDone<Fut, T>>>>,
    len: usize,
}

impl<Fut, T> Few<Fut, T> {
    const PLACES: usize = 4;

    /// Returns whether so many futures are few. Not if they or their outputs are large: a set of two is not to take up
    /// the memory of four then.
    pub(crate) const fn holds(futures: usize) -> bool {
        futures <= Self::PLACES && size_of::<MaybeDone<Fut, T>>() <= 512
    }

    /// Takes all that there are, of which there must be `len`.
    pub(crate) fn from_list(len: usize, mut futures: impl Iterator<Item = Fut>) -> Self {
        Self::with_places(len, || {
            futures.next().map_or(MaybeDone::Empty, MaybeDone::new)
        })
    }

    /// Has all places, and nothing in them.
    pub(crate) fn empty() -> Self {
        Self::with_places(Self::PLACES, || MaybeDone::Empty)
    }

    fn with_places(len: usize, make: impl FnMut() -> MaybeDone<Fut, T>) -> Self {
        Self {
            places: Box::pin(four(make)),
            len,
        }
    }

    #[inline(always)]
    fn place(&mut self, index: usize) -> Pin<&mut MaybeDone<Fut, T>> {
        one_of_four(self.places.as_mut(), index)
    }

    /// Puts a future into its place.
    #[inline]
    pub(crate) fn put(&mut self, index: usize, future: Fut) {
        self.place(index).set(MaybeDone::new(future));
    }

    /// Takes the output of the one at `index`, if it has ended and did not panic.
    #[inline]
    pub(crate) fn take(&mut self, index: usize) -> Option<T> {
        self.place(index).take()
    }
}

impl<Fut, T, E> Few<Fut, Result<T, E>> {
    /// Takes the error of the one at `index`, if it has failed.
    #[inline]
    pub(crate) fn take_error(&mut self, index: usize) -> Option<E> {
        self.place(index).take_error()
    }
}

impl<Fut: Future<Output = T>, T> FutureSet for Few<Fut, T> {
    const PANICS_AGAIN: bool = false;

    fn len(&self) -> usize {
        self.len
    }

    #[inline]
    fn poll_future(self: Pin<&mut Self>, index: usize, wakers: &mut RootAlone) -> Poll<()> {
        let future = self.get_mut().place(index);
        let poll = |waker: &Waker| future.poll(&mut Context::from_waker(waker));
        match index {
            0 => wakers.with_waker::<0, _>(poll),
            1 => wakers.with_waker::<1, _>(poll),
            2 => wakers.with_waker::<2, _>(poll),
            _ => wakers.with_waker::<3, _>(poll),
        }
    }

    fn has_output(self: Pin<&mut Self>, index: usize) -> bool {
        self.get_mut().place(index).has_output()
    }

    fn drop_future(self: Pin<&mut Self>, index: usize) {
        self.get_mut().place(index).set(MaybeDone::Empty);
    }
}
