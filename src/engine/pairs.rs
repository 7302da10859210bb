//! Four or eight of a kind in one piece of memory, pinned, and found by their position without a jump.

use core::pin::Pin;

use pin_project_lite::pin_project;

pin_project! {
    /// Two of a kind. An array could not be pinned without `unsafe`.
    pub(super) struct Pair<T> {
        #[pin]
        first: T,
        #[pin]
        second: T,
    }
}

impl<T> Pair<T> {
    pub(super) fn new(mut make: impl FnMut() -> T) -> Self {
        Self {
            first: make(),
            second: make(),
        }
    }

    /// Returns one of the two. Both are known before one is chosen, so it compiles to a conditional move rather than a
    /// jump.
    #[inline(always)]
    pub(super) fn get(self: Pin<&mut Self>, second: bool) -> Pin<&mut T> {
        let this = self.project();
        if second { this.second } else { this.first }
    }
}

pub(super) type Eight<T> = Pair<Four<T>>;
pub(super) type Four<T> = Pair<Pair<T>>;

pub(super) fn four<T>(mut make: impl FnMut() -> T) -> Four<T> {
    Pair::new(|| Pair::new(&mut make))
}

/// Returns the one of four that the lowest bits of `index` say.
#[inline(always)]
pub(super) fn one_of_four<T>(four: Pin<&mut Four<T>>, index: usize) -> Pin<&mut T> {
    four.get(index & 2 != 0).get(index & 1 != 0)
}

/// Returns the one of eight that the lowest bits of `index` say.
#[inline(always)]
pub(super) fn one_of<T>(eight: Pin<&mut Eight<T>>, index: usize) -> Pin<&mut T> {
    one_of_four(eight.get(index & 4 != 0), index)
}
