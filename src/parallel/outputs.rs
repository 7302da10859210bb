//! The outcomes of a rolling window, one by one.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures::stream::Stream;
use pin_project_lite::pin_project;

use crate::run::sink::Buffer;
use crate::run::{IndexedSource, Observer, Run};

pin_project! {
    /// The stream of [`Parallel::into_stream`](crate::Parallel::into_stream) and
    /// [`Parallel::into_ordered_stream`](crate::Parallel::into_ordered_stream).
    #[must_use = "streams do nothing unless polled"]
    pub struct ParallelStream<S, Fut, K, O> {
        #[pin]
        pub(super) run: Run<S, Fut, K, O>,
    }
}

impl<S, Fut, K, O> Stream for ParallelStream<S, Fut, K, O>
where
    S: IndexedSource<Item = Fut>,
    Fut: Future<Output = Result<K::Value, K::Error>>,
    K: Buffer,
    O: Observer<K::Value, K::Error>,
{
    type Item = (usize, Result<K::Value, K::Error>);

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.project().run.poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.run.size_hint()
    }
}

impl_fused!(FusedStream for ParallelStream<S, Fut, K, O> |self| self.run.is_done());
impl_debug! { ParallelStream<S, Fut, K, O> { run } }
