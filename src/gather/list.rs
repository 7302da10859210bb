//! Arrays and `Vec`s of futures.

use alloc::vec::{self, Vec};
use core::array;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::stream;
use pin_project_lite::pin_project;

use super::join_all::{JoinAll, join_all, no_output};
use super::{Gather, TryGather};
use crate::outcome::TaskError;
use crate::run::Run;
use crate::run::sink::Outcomes;

pin_project! {
    /// The future of [`gather`](crate::gather()) of an array or a `Vec`.
    #[must_use = "futures do nothing unless polled"]
    pub struct GatherList<I, Fut, T, L> {
        #[pin]
        all: JoinAll<I, Fut, T>,
        list: PhantomData<fn() -> L>,
    }
}

pin_project! {
    /// The future of [`try_gather`](crate::try_gather()) of an array or a `Vec`.
    #[must_use = "futures do nothing unless polled"]
    pub struct TryGatherList<I, Fut, T, E, L> {
        #[pin]
        run: Run<stream::Iter<I>, Fut, Outcomes<T, E>, ()>,
        list: PhantomData<fn() -> L>,
    }
}

impl<I, Fut, T, L> GatherList<I, Fut, T, L>
where
    I: Iterator<Item = Fut>,
    Fut: Future<Output = T>,
{
    fn new<S: IntoIterator<Item = Fut, IntoIter = I>>(set: S) -> Self {
        Self {
            all: join_all(set),
            list: PhantomData,
        }
    }
}

impl<I, Fut, T, E, L> TryGatherList<I, Fut, T, E, L> {
    fn new<S: IntoIterator<Item = Fut, IntoIter = I>>(set: S) -> Self {
        let mut run = Run::all_at_once(stream::iter(set));
        run.set_fail_fast(true);
        Self {
            run,
            list: PhantomData,
        }
    }
}

/// Puts the outputs into the shape of the set.
fn shape<T, L: TryFrom<Vec<T>>>(outputs: Vec<T>) -> L {
    let list = L::try_from(outputs).ok();
    list.expect("there are as many outputs as futures")
}

impl<I, Fut, T, L> Future for GatherList<I, Fut, T, L>
where
    I: Iterator<Item = Fut>,
    Fut: Future<Output = T>,
    L: TryFrom<Vec<T>>,
{
    type Output = L;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<L> {
        self.project().all.poll(cx).map(shape)
    }
}

impl<I, Fut, T, E, L> Future for TryGatherList<I, Fut, T, E, L>
where
    I: Iterator<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    L: TryFrom<Vec<T>>,
{
    type Output = Result<L, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let values = ready!(self.project().run.poll_values(cx));
        Poll::Ready(match values {
            Ok(values) => Ok(shape(values)),
            Err(TaskError::Failed { error, .. }) => Err(error),
            Err(TaskError::Cancelled { index }) => panic!("{}", no_output(index)),
        })
    }
}

impl_fused!(FusedFuture for GatherList<I, Fut, T, L> |self| self.all.is_done());
impl_fused!(FusedFuture for TryGatherList<I, Fut, T, E, L> |self| self.run.is_done());
impl_debug! { GatherList<I, Fut, T, L> { all } }
impl_debug! { TryGatherList<I, Fut, T, E, L> { run } }

impl<Fut: Future> Gather for Vec<Fut> {
    type Output = Vec<Fut::Output>;
    type Future = GatherList<vec::IntoIter<Fut>, Fut, Fut::Output, Self::Output>;

    fn gather(self) -> Self::Future {
        GatherList::new(self)
    }
}

impl<Fut: Future, const N: usize> Gather for [Fut; N] {
    type Output = [Fut::Output; N];
    type Future = GatherList<array::IntoIter<Fut, N>, Fut, Fut::Output, Self::Output>;

    fn gather(self) -> Self::Future {
        GatherList::new(self)
    }
}

impl<Fut, T, E> TryGather for Vec<Fut>
where
    Fut: Future<Output = Result<T, E>>,
{
    type Output = Vec<T>;
    type Error = E;
    type Future = TryGatherList<vec::IntoIter<Fut>, Fut, T, E, Vec<T>>;

    fn try_gather(self) -> Self::Future {
        TryGatherList::new(self)
    }
}

impl<Fut, T, E, const N: usize> TryGather for [Fut; N]
where
    Fut: Future<Output = Result<T, E>>,
{
    type Output = [T; N];
    type Error = E;
    type Future = TryGatherList<array::IntoIter<Fut, N>, Fut, T, E, [T; N]>;

    fn try_gather(self) -> Self::Future {
        TryGatherList::new(self)
    }
}
