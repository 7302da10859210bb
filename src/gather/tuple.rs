//! Tuples of unlike futures.

// One name for the type of a future and the field that holds it.
#![allow(non_snake_case)]

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::join_all::no_output;
use super::{Gather, TryGather};
use crate::engine::{FixedSet, FutureSet, Handler, MaybeDone, RootAlone};

/// Futures that are done when all have ended.
pub trait All: FutureSet {
    /// What they return.
    type Output;

    /// Takes what they have returned, or returns the index of the first that has no output.
    fn take(self: Pin<&mut Self>) -> Result<Self::Output, usize>;
}

/// Futures that are done when all have succeeded, or one has failed.
pub trait TryAll: FutureSet {
    /// What they return when all succeed.
    type Output;
    /// What they return when one fails.
    type Error;

    /// Takes what they have returned, or returns the index of the first that has no value.
    fn take_values(self: Pin<&mut Self>) -> Result<Self::Output, usize>;

    /// Takes the error of the one at `index`, if it has failed.
    fn take_error(self: Pin<&mut Self>, index: usize) -> Option<Self::Error>;
}

pin_project! {
    /// The future of [`gather`](crate::gather()) of a tuple.
    #[must_use = "futures do nothing unless polled"]
    pub struct GatherTuple<M> {
        // Dropped when it has resolved.
        #[pin]
        set: Option<FixedSet<M>>,
    }
}

pin_project! {
    /// The future of [`try_gather`](crate::try_gather()) of a tuple.
    #[must_use = "futures do nothing unless polled"]
    pub struct TryGatherTuple<M, E> {
        // Dropped when the result is known.
        #[pin]
        set: Option<FixedSet<M>>,
        // Kept while the others are dropped, as their destructors may panic. Taken when this resolves.
        failure: Option<E>,
    }
}

const POLLED_AGAIN: &str = "this set was polled after it had resolved";

impl<M: FutureSet> GatherTuple<M> {
    pub(super) fn new(futures: M) -> Self {
        Self {
            set: Some(FixedSet::new(futures)),
        }
    }
}

impl<M: FutureSet, E> TryGatherTuple<M, E> {
    pub(super) fn new(futures: M) -> Self {
        Self {
            set: Some(FixedSet::new(futures)),
            failure: None,
        }
    }
}

impl<M> GatherTuple<M> {
    pub(super) const fn is_done(&self) -> bool {
        self.set.is_none()
    }
}

impl<M, E> TryGatherTuple<M, E> {
    pub(super) const fn is_done(&self) -> bool {
        self.set.is_none() && self.failure.is_none()
    }
}

impl<M: All> Future for GatherTuple<M> {
    type Output = M::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<M::Output> {
        let mut this = self.project();
        let mut set = this.set.as_mut().as_pin_mut().expect(POLLED_AGAIN);
        ready!(set.as_mut().poll(cx, &mut ()));
        set.as_mut().close();
        let outputs = set.futures().take();
        this.set.set(None);
        Poll::Ready(outputs.unwrap_or_else(|index| panic!("{}", no_output(index))))
    }
}

/// Keeps the first error, which ends the set.
struct UntilFailure<'a, E>(&'a mut Option<E>);

impl<M: TryAll> Handler<M> for UntilFailure<'_, M::Error> {
    fn end(&mut self, futures: Pin<&mut M>, index: usize, _: bool) -> bool {
        *self.0 = futures.take_error(index);
        self.0.is_some()
    }
}

impl<M: TryAll> Future for TryGatherTuple<M, M::Error> {
    type Output = Result<M::Output, M::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // A destructor has panicked while the others were dropped.
        if let Some(error) = this.failure.take() {
            return Poll::Ready(Err(error));
        }
        let mut set = this.set.as_mut().as_pin_mut().expect(POLLED_AGAIN);
        ready!(set.as_mut().poll(cx, &mut UntilFailure(this.failure)));
        if this.failure.is_none() {
            set.as_mut().close();
            let values = set.futures().take_values();
            this.set.set(None);
            return Poll::Ready(Ok(
                values.unwrap_or_else(|index| panic!("{}", no_output(index)))
            ));
        }
        this.set.set(None);
        let error = this.failure.take();
        Poll::Ready(Err(error.expect("one has failed")))
    }
}

impl_fused!(FusedFuture for GatherTuple<M> |self| self.is_done());
impl_fused!(FusedFuture for TryGatherTuple<M, E> |self| self.is_done());
impl_debug!(GatherTuple<M> |self| { resolved: self.is_done() });
impl_debug!(TryGatherTuple<M, E> |self| { resolved: self.is_done() });

macro_rules! tuple {
    ($FutureSet:ident: $($Fut:ident $T:ident $index:tt),+) => {
        pin_project! {
            pub struct $FutureSet<$($Fut, $T),+> {
                $(#[pin] $Fut: MaybeDone<$Fut, $T>,)+
            }
        }

        impl<$($Fut, $T),+> FutureSet for $FutureSet<$($Fut, $T),+>
        where
            $($Fut: Future<Output = $T>),+
        {
            const PANICS_AGAIN: bool = true;

            fn len(&self) -> usize {
                [$($index),+].len()
            }

            #[inline]
            fn poll_future(self: Pin<&mut Self>, index: usize, wakers: &mut RootAlone) -> Poll<()> {
                let this = self.project();
                match index {
                    $($index => wakers.with_waker::<$index, _>(|waker| {
                        this.$Fut.poll(&mut Context::from_waker(waker))
                    }),)+
                    _ => Poll::Pending,
                }
            }

            fn drop_future(self: Pin<&mut Self>, index: usize) {
                let mut this = self.project();
                match index {
                    $($index => this.$Fut.set(MaybeDone::Empty),)+
                    _ => {}
                }
            }

            fn has_output(self: Pin<&mut Self>, index: usize) -> bool {
                let this = self.project();
                match index {
                    $($index => this.$Fut.has_output(),)+
                    _ => false,
                }
            }
        }

        impl<$($Fut, $T),+> All for $FutureSet<$($Fut, $T),+>
        where
            $($Fut: Future<Output = $T>),+
        {
            type Output = ($($T,)+);

            fn take(self: Pin<&mut Self>) -> Result<Self::Output, usize> {
                let this = self.project();
                Ok(($(this.$Fut.take().ok_or::<usize>($index)?,)+))
            }
        }

        impl<$($Fut, $T,)+ E> TryAll for $FutureSet<$($Fut, Result<$T, E>),+>
        where
            $($Fut: Future<Output = Result<$T, E>>),+
        {
            type Output = ($($T,)+);
            type Error = E;

            fn take_values(self: Pin<&mut Self>) -> Result<Self::Output, usize> {
                let this = self.project();
                Ok(($(this.$Fut.take().and_then(Result::ok).ok_or::<usize>($index)?,)+))
            }

            fn take_error(self: Pin<&mut Self>, index: usize) -> Option<E> {
                let this = self.project();
                match index {
                    $($index => this.$Fut.take_error(),)+
                    _ => None,
                }
            }
        }

        impl<$($Fut: Future),+> Gather for ($($Fut,)+) {
            type Output = ($($Fut::Output,)+);
            type Future = GatherTuple<$FutureSet<$($Fut, $Fut::Output),+>>;

            fn gather(self) -> Self::Future {
                let futures = $FutureSet {
                    $($Fut: MaybeDone::new(self.$index),)+
                };
                GatherTuple::new(futures)
            }
        }

        impl<$($Fut, $T,)+ E> TryGather for ($($Fut,)+)
        where
            $($Fut: Future<Output = Result<$T, E>>),+
        {
            type Output = ($($T,)+);
            type Error = E;
            type Future = TryGatherTuple<$FutureSet<$($Fut, Result<$T, E>),+>, E>;

            fn try_gather(self) -> Self::Future {
                let futures = $FutureSet {
                    $($Fut: MaybeDone::new(self.$index),)+
                };
                TryGatherTuple::new(futures)
            }
        }
    };
}

tuple!(Futures1: A TA 0);
tuple!(Futures2: A TA 0, B TB 1);
tuple!(Futures3: A TA 0, B TB 1, C TC 2);
tuple!(Futures4: A TA 0, B TB 1, C TC 2, D TD 3);
tuple!(Futures5: A TA 0, B TB 1, C TC 2, D TD 3, F TF 4);
tuple!(Futures6: A TA 0, B TB 1, C TC 2, D TD 3, F TF 4, G TG 5);
tuple!(Futures7: A TA 0, B TB 1, C TC 2, D TD 3, F TF 4, G TG 5, H TH 6);
tuple!(Futures8: A TA 0, B TB 1, C TC 2, D TD 3, F TF 4, G TG 5, H TH 6, I TI 7);
tuple!(Futures9: A TA 0, B TB 1, C TC 2, D TD 3, F TF 4, G TG 5, H TH 6, I TI 7, J TJ 8);
tuple!(Futures10: A TA 0, B TB 1, C TC 2, D TD 3, F TF 4, G TG 5, H TH 6, I TI 7, J TJ 8, K TK 9);
tuple!(Futures11: A TA 0, B TB 1, C TC 2, D TD 3, F TF 4, G TG 5, H TH 6, I TI 7, J TJ 8, K TK 9, L TL 10);
tuple!(Futures12: A TA 0, B TB 1, C TC 2, D TD 3, F TF 4, G TG 5, H TH 6, I TI 7, J TJ 8, K TK 9, L TL 10, M TM 11);
