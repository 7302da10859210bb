//! Tuples of unlike futures.

// One name for the type of a future and the field that holds it.
#![allow(non_snake_case)]

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::future::{FusedFuture, MaybeDone, maybe_done};
use pin_project_lite::pin_project;

use super::{Gather, TryGather};
use crate::engine::{Crew, Members, take_error};

/// Members that are done when all have ended.
pub trait All: Members {
    /// What they return.
    type Output;

    /// What they have returned, once.
    fn take(self: Pin<&mut Self>) -> Option<Self::Output>;
}

/// Members that are done when all have succeeded, or one has failed.
pub trait TryAll: Members {
    /// What they return when all succeed.
    type Output;
    /// What they return when one fails.
    type Error;

    /// What they have returned, once.
    fn take_values(self: Pin<&mut Self>) -> Option<Self::Output>;

    /// With what the one at `index` has failed, if it has.
    fn take_error(self: Pin<&mut Self>, index: usize) -> Option<Self::Error>;
}

pin_project! {
    /// The future of [`gather`](crate::gather()) of a tuple.
    #[must_use = "futures do nothing unless polled"]
    pub struct GatherTuple<M> {
        // Dropped when it has resolved.
        #[pin]
        crew: Option<Crew<M>>,
    }
}

pin_project! {
    /// The future of [`try_gather`](crate::try_gather()) of a tuple.
    #[must_use = "futures do nothing unless polled"]
    pub struct TryGatherTuple<M> {
        // Dropped when it has resolved.
        #[pin]
        crew: Option<Crew<M>>,
    }
}

const POLLED_AGAIN: &str = "this set was polled after it had resolved";

impl<M: All> Future for GatherTuple<M> {
    type Output = M::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<M::Output> {
        let mut this = self.project();
        let mut crew = this.crew.as_mut().as_pin_mut().expect(POLLED_AGAIN);
        ready!(crew.as_mut().poll(cx, |_, _| false));
        let outputs = crew.members().take();
        this.crew.set(None);
        Poll::Ready(outputs.expect("all have ended"))
    }
}

impl<M: TryAll> Future for TryGatherTuple<M> {
    type Output = Result<M::Output, M::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let mut crew = this.crew.as_mut().as_pin_mut().expect(POLLED_AGAIN);
        let mut failure = None;
        ready!(crew.as_mut().poll(cx, |members, index| {
            failure = members.take_error(index);
            failure.is_some()
        }));
        let result = match failure {
            Some(error) => Err(error),
            None => Ok(crew.members().take_values().expect("all have succeeded")),
        };
        this.crew.set(None);
        Poll::Ready(result)
    }
}

macro_rules! tuple_futures {
    ($($Name:ident),+) => {$(
        impl<M> FusedFuture for $Name<M>
        where
            Self: Future,
        {
            fn is_terminated(&self) -> bool {
                self.crew.is_none()
            }
        }

        impl<M> fmt::Debug for $Name<M> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Name))
                    .field("resolved", &self.crew.is_none())
                    .finish_non_exhaustive()
            }
        }
    )+};
}

tuple_futures!(GatherTuple, TryGatherTuple);

macro_rules! tuple {
    ($Members:ident: $($Fut:ident $T:ident $index:tt),+) => {
        pin_project! {
            pub struct $Members<$($Fut: Future),+> {
                $(#[pin] $Fut: MaybeDone<$Fut>),+
            }
        }

        impl<$($Fut: Future),+> Members for $Members<$($Fut),+> {
            const LEN: usize = [$($index),+].len();

            fn poll_member(self: Pin<&mut Self>, index: usize, cx: &mut Context<'_>) -> Poll<()> {
                let this = self.project();
                match index {
                    $($index => this.$Fut.poll(cx),)+
                    _ => Poll::Pending,
                }
            }
        }

        impl<$($Fut: Future),+> All for $Members<$($Fut),+> {
            type Output = ($($Fut::Output,)+);

            fn take(self: Pin<&mut Self>) -> Option<Self::Output> {
                let this = self.project();
                Some(($(this.$Fut.take_output()?,)+))
            }
        }

        impl<$($Fut, $T,)+ E> TryAll for $Members<$($Fut),+>
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
            type Future = GatherTuple<$Members<$($Fut),+>>;

            fn gather(self) -> Self::Future {
                let members = $Members { $($Fut: maybe_done(self.$index)),+ };
                GatherTuple { crew: Some(Crew::new(members)) }
            }
        }

        impl<$($Fut, $T,)+ E> TryGather for ($($Fut,)+)
        where
            $($Fut: Future<Output = Result<$T, E>>),+
        {
            type Output = ($($T,)+);
            type Error = E;
            type Future = TryGatherTuple<$Members<$($Fut),+>>;

            fn try_gather(self) -> Self::Future {
                let members = $Members { $($Fut: maybe_done(self.$index)),+ };
                TryGatherTuple { crew: Some(Crew::new(members)) }
            }
        }
    };
}

tuple!(Members1: A TA 0);
tuple!(Members2: A TA 0, B TB 1);
tuple!(Members3: A TA 0, B TB 1, C TC 2);
tuple!(Members4: A TA 0, B TB 1, C TC 2, D TD 3);
tuple!(Members5: A TA 0, B TB 1, C TC 2, D TD 3, F TF 4);
tuple!(Members6: A TA 0, B TB 1, C TC 2, D TD 3, F TF 4, G TG 5);
tuple!(Members7: A TA 0, B TB 1, C TC 2, D TD 3, F TF 4, G TG 5, H TH 6);
tuple!(Members8: A TA 0, B TB 1, C TC 2, D TD 3, F TF 4, G TG 5, H TH 6, I TI 7);
tuple!(Members9: A TA 0, B TB 1, C TC 2, D TD 3, F TF 4, G TG 5, H TH 6, I TI 7, J TJ 8);
tuple!(Members10: A TA 0, B TB 1, C TC 2, D TD 3, F TF 4, G TG 5, H TH 6, I TI 7, J TJ 8, K TK 9);
tuple!(Members11: A TA 0, B TB 1, C TC 2, D TD 3, F TF 4, G TG 5, H TH 6, I TI 7, J TJ 8, K TK 9, L TL 10);
tuple!(Members12: A TA 0, B TB 1, C TC 2, D TD 3, F TF 4, G TG 5, H TH 6, I TI 7, J TJ 8, K TK 9, L TL 10, M TM 11);
