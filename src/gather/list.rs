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
use super::tuple::{All, GatherTuple, TryAll, TryGatherTuple};
use super::{Gather, TryGather};
use crate::engine::{Few, FutureSet};
use crate::outcome::TaskError;
use crate::run::Run;
use crate::run::sink::Outcomes;

pin_project! {
    /// The future of [`gather`](crate::gather()) of an array or a `Vec`.
    #[must_use = "futures do nothing unless polled"]
    pub struct GatherList<I, Fut, T, L> {
        #[pin]
        set: FewOrMany<GatherTuple<Few<Fut, T>>, JoinAll<I, Fut, T>>,
        list: PhantomData<fn() -> L>,
    }
}

pin_project! {
    /// The future of [`try_gather`](crate::try_gather()) of an array or a `Vec`.
    #[must_use = "futures do nothing unless polled"]
    pub struct TryGatherList<I, Fut, T, E, L> {
        #[pin]
        set: FewOrMany<
            TryGatherTuple<Few<Fut, Result<T, E>>, E>,
            Run<stream::Iter<I>, Fut, Outcomes<T, E>, ()>,
        >,
        list: PhantomData<fn() -> L>,
    }
}

pin_project! {
    // A window costs more to make than three futures do that are ready.
    #[project = SetPinned]
    enum FewOrMany<F, M> {
        Few { #[pin] few: F },
        Many { #[pin] many: M },
    }
}

impl<I, Fut, T, L> GatherList<I, Fut, T, L>
where
    I: ExactSizeIterator<Item = Fut>,
    Fut: Future<Output = T>,
{
    fn new<S: IntoIterator<Item = Fut, IntoIter = I>>(set: S) -> Self {
        let futures = set.into_iter();
        let len = futures.len();
        let set = if Few::<Fut, T>::holds(len) {
            let few = GatherTuple::new(Few::from_list(len, futures));
            FewOrMany::Few { few }
        } else {
            let many = join_all(futures);
            FewOrMany::Many { many }
        };
        Self {
            set,
            list: PhantomData,
        }
    }
}

impl<I, Fut, T, E, L> TryGatherList<I, Fut, T, E, L>
where
    I: ExactSizeIterator<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
{
    fn new<S: IntoIterator<Item = Fut, IntoIter = I>>(set: S) -> Self {
        let tasks = set.into_iter();
        let len = tasks.len();
        let set = if Few::<Fut, Result<T, E>>::holds(len) {
            let few = TryGatherTuple::new(Few::from_list(len, tasks));
            FewOrMany::Few { few }
        } else {
            let mut many = Run::all_at_once(stream::iter(tasks));
            many.set_fail_fast(true);
            FewOrMany::Many { many }
        };
        Self {
            set,
            list: PhantomData,
        }
    }
}

impl<Fut: Future<Output = T>, T> All for Few<Fut, T> {
    type Output = Vec<T>;

    fn take(self: Pin<&mut Self>) -> Result<Vec<T>, usize> {
        take_all(self.get_mut(), Some)
    }
}

impl<Fut: Future<Output = Result<T, E>>, T, E> TryAll for Few<Fut, Result<T, E>> {
    type Output = Vec<T>;
    type Error = E;

    fn take_values(self: Pin<&mut Self>) -> Result<Vec<T>, usize> {
        take_all(self.get_mut(), Result::ok)
    }

    fn take_error(self: Pin<&mut Self>, index: usize) -> Option<E> {
        self.get_mut().take_error(index)
    }
}

/// Takes what all have returned, or returns the index of the first of which there is nothing.
fn take_all<Fut: Future<Output = T>, T, V>(
    few: &mut Few<Fut, T>,
    value: impl Fn(T) -> Option<V>,
) -> Result<Vec<V>, usize> {
    let mut values = Vec::with_capacity(few.len());
    for index in 0..few.len() {
        values.push(few.take(index).and_then(&value).ok_or(index)?);
    }
    Ok(values)
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
        let outputs = match self.project().set.project() {
            SetPinned::Few { few } => few.poll(cx),
            SetPinned::Many { many } => many.poll(cx),
        };
        outputs.map(shape)
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
        let many = match self.project().set.project() {
            SetPinned::Few { few } => return few.poll(cx).map_ok(shape),
            SetPinned::Many { many } => many,
        };
        Poll::Ready(match ready!(many.poll_values(cx)) {
            Ok(values) => Ok(shape(values)),
            Err(TaskError::Failed { error, .. }) => Err(error),
            Err(TaskError::Cancelled { index }) => panic!("{}", no_output(index)),
        })
    }
}

impl<I, Fut, T, L> GatherList<I, Fut, T, L> {
    fn is_done(&self) -> bool {
        match &self.set {
            FewOrMany::Few { few } => few.is_done(),
            FewOrMany::Many { many } => many.is_done(),
        }
    }
}

impl<I, Fut, T, E, L> TryGatherList<I, Fut, T, E, L> {
    fn is_done(&self) -> bool {
        match &self.set {
            FewOrMany::Few { few } => few.is_done(),
            FewOrMany::Many { many } => many.is_done(),
        }
    }
}

impl_fused!(FusedFuture for GatherList<I, Fut, T, L> |self| self.is_done());
impl_fused!(FusedFuture for TryGatherList<I, Fut, T, E, L> |self| self.is_done());
impl_debug!(GatherList<I, Fut, T, L> |self| { resolved: self.is_done() });
impl_debug!(TryGatherList<I, Fut, T, E, L> |self| { resolved: self.is_done() });

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
