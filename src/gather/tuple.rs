//! Tuples of unlike futures.

// One name for the type of a future and the field that holds it.
#![allow(non_snake_case)]

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use pin_project_lite::pin_project;

use super::maybe_done::MaybeDone;
use super::{Gather, TryGather};
use crate::engine::{FixedSet, FutureSet};

/// Futures that are done when all have ended.
pub trait All: FutureSet {
    /// What they return.
    type Output;

    /// Takes what they have returned.
    fn take(self: Pin<&mut Self>) -> Option<Self::Output>;
}

/// Futures that are done when all have succeeded, or one has failed.
pub trait TryAll: FutureSet {
    /// What they return when all succeed.
    type Output;
    /// What they return when one fails.
    type Error;

    /// Takes what they have returned.
    fn take_values(self: Pin<&mut Self>) -> Option<Self::Output>;

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

impl<M: All> Future for GatherTuple<M> {
    type Output = M::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<M::Output> {
        let mut this = self.project();
        let mut set = this.set.as_mut().as_pin_mut().expect(POLLED_AGAIN);
        ready!(set.as_mut().poll(cx, |_, _| false));
        let outputs = set.futures().take();
        this.set.set(None);
        Poll::Ready(outputs.expect("all have ended"))
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
        ready!(set.as_mut().poll(cx, |futures, index| {
            *this.failure = futures.take_error(index);
            this.failure.is_some()
        }));
        let values = match this.failure {
            Some(_) => None,
            None => set.futures().take_values(),
        };
        this.set.set(None);
        Poll::Ready(match this.failure.take() {
            Some(error) => Err(error),
            None => Ok(values.expect("all have succeeded")),
        })
    }
}

impl_fused!(FusedFuture for GatherTuple<M> |self| self.set.is_none());
impl_fused!(
    FusedFuture for TryGatherTuple<M, E> |self| self.set.is_none() && self.failure.is_none()
);
impl_debug!(GatherTuple<M> |self| { resolved: self.set.is_none() });
impl_debug!(
    TryGatherTuple<M, E> |self| { resolved: self.set.is_none() && self.failure.is_none() }
);

macro_rules! tuple {
    ($FutureSet:ident: $($Fut:ident $T:ident $index:tt),+) => {
        pin_project! {
            pub struct $FutureSet<$($Fut, $T),+> {
                $(#[pin] $Fut: MaybeDone<$Fut, $T>,)+
                wakers: [Option<Waker>; [$($index),+].len()],
            }
        }

        impl<$($Fut, $T),+> FutureSet for $FutureSet<$($Fut, $T),+>
        where
            $($Fut: Future<Output = $T>),+
        {
            const LEN: usize = [$($index),+].len();

            fn wakers(self: Pin<&mut Self>) -> &mut [Option<Waker>] {
                self.project().wakers
            }

            #[inline]
            fn poll_future(self: Pin<&mut Self>, index: usize) -> Poll<()> {
                let this = self.project();
                let waker = this.wakers.get(index).and_then(Option::as_ref);
                let cx = &mut Context::from_waker(waker.expect("each future has a waker"));
                match index {
                    $($index => this.$Fut.poll(cx),)+
                    _ => Poll::Pending,
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

            fn take(self: Pin<&mut Self>) -> Option<Self::Output> {
                let this = self.project();
                Some(($(this.$Fut.take()?,)+))
            }
        }

        impl<$($Fut, $T,)+ E> TryAll for $FutureSet<$($Fut, Result<$T, E>),+>
        where
            $($Fut: Future<Output = Result<$T, E>>),+
        {
            type Output = ($($T,)+);
            type Error = E;

            fn take_values(self: Pin<&mut Self>) -> Option<Self::Output> {
                let this = self.project();
                Some(($(this.$Fut.take()?.ok()?,)+))
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
                    wakers: Default::default(),
                };
                GatherTuple { set: Some(FixedSet::new(futures)) }
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
                    wakers: Default::default(),
                };
                TryGatherTuple { set: Some(FixedSet::new(futures)), failure: None }
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
