//! Tuples of unlike futures.

// One name for the type of a future and the field that holds it.
#![allow(non_snake_case)]

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::future::{MaybeDone, maybe_done};
use pin_project_lite::pin_project;

use super::{Gather, TryGather};
use crate::engine::{FixedSet, FutureSet, take_error};

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
    pub struct TryGatherTuple<M> {
        // Dropped when it has resolved.
        #[pin]
        set: Option<FixedSet<M>>,
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

impl<M: TryAll> Future for TryGatherTuple<M> {
    type Output = Result<M::Output, M::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let mut set = this.set.as_mut().as_pin_mut().expect(POLLED_AGAIN);
        let mut failure = None;
        ready!(set.as_mut().poll(cx, |futures, index| {
            failure = futures.take_error(index);
            failure.is_some()
        }));
        let result = match failure {
            Some(error) => Err(error),
            None => Ok(set.futures().take_values().expect("all have succeeded")),
        };
        this.set.set(None);
        Poll::Ready(result)
    }
}

impl_fused!(FusedFuture for GatherTuple<M> |self| self.set.is_none());
impl_fused!(FusedFuture for TryGatherTuple<M> |self| self.set.is_none());
impl_debug!(GatherTuple<M> |self| { resolved: self.set.is_none() });
impl_debug!(TryGatherTuple<M> |self| { resolved: self.set.is_none() });

macro_rules! tuple {
    ($FutureSet:ident: $($Fut:ident $T:ident $index:tt),+) => {
        pin_project! {
            pub struct $FutureSet<$($Fut: Future),+> {
                $(#[pin] $Fut: MaybeDone<$Fut>),+
            }
        }

        impl<$($Fut: Future),+> FutureSet for $FutureSet<$($Fut),+> {
            const LEN: usize = [$($index),+].len();

            fn poll_future(self: Pin<&mut Self>, index: usize, cx: &mut Context<'_>) -> Poll<()> {
                let this = self.project();
                match index {
                    $($index => this.$Fut.poll(cx),)+
                    _ => Poll::Pending,
                }
            }
        }

        impl<$($Fut: Future),+> All for $FutureSet<$($Fut),+> {
            type Output = ($($Fut::Output,)+);

            fn take(self: Pin<&mut Self>) -> Option<Self::Output> {
                let this = self.project();
                Some(($(this.$Fut.take_output()?,)+))
            }
        }

        impl<$($Fut, $T,)+ E> TryAll for $FutureSet<$($Fut),+>
        where
            $($Fut: Future<Output = Result<$T, E>>),+
        {
            type Output = ($($T,)+);
            type Error = E;

            fn take_values(self: Pin<&mut Self>) -> Option<Self::Output> {
                let this = self.project();
                Some(($(this.$Fut.take_output()?.ok()?,)+))
            }

            fn take_error(self: Pin<&mut Self>, index: usize) -> Option<E> {
                let this = self.project();
                match index {
                    $($index => take_error(this.$Fut),)+
                    _ => None,
                }
            }
        }

        impl<$($Fut: Future),+> Gather for ($($Fut,)+) {
            type Output = ($($Fut::Output,)+);
            type Future = GatherTuple<$FutureSet<$($Fut),+>>;

            fn gather(self) -> Self::Future {
                let futures = $FutureSet { $($Fut: maybe_done(self.$index)),+ };
                GatherTuple { set: Some(FixedSet::new(futures)) }
            }
        }

        impl<$($Fut, $T,)+ E> TryGather for ($($Fut,)+)
        where
            $($Fut: Future<Output = Result<$T, E>>),+
        {
            type Output = ($($T,)+);
            type Error = E;
            type Future = TryGatherTuple<$FutureSet<$($Fut),+>>;

            fn try_gather(self) -> Self::Future {
                let futures = $FutureSet { $($Fut: maybe_done(self.$index)),+ };
                TryGatherTuple { set: Some(FixedSet::new(futures)) }
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
