//! The results of a rolling window without their indices.

use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::stream::{FusedStream, Stream};
use pin_project_lite::pin_project;

use super::ParallelStream;

pin_project! {
    /// The stream of [`ParallelStream::values`].
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Values<S> {
        #[pin]
        stream: S,
    }
}

impl<S, Fut, K, O> ParallelStream<S, Fut, K, O> {
    /// Leaves the indices out: yields each `Result<T, E>`, for whatever takes a stream of results.
    ///
    /// ```
    /// use futures::TryStreamExt;
    ///
    /// # smol::block_on(async {
    /// async fn fetch(page: u32) -> Result<String, std::io::Error> {
    ///     // ...
    /// #    Ok(format!("page {page}"))
    /// }
    ///
    /// let pages = abreast::parallel((1..=100).map(fetch)).into_ordered_stream().values();
    /// let pages: Vec<String> = pages.try_collect().await?;
    /// assert_eq!(pages[99], "page 100");
    /// # Ok::<_, std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn values(self) -> Values<Self> {
        Values { stream: self }
    }
}

impl<S, R> Stream for Values<S>
where
    S: Stream<Item = (usize, R)>,
{
    type Item = R;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<R>> {
        let item = ready!(self.project().stream.poll_next(cx));
        Poll::Ready(item.map(|(_, result)| result))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

impl<S, R> FusedStream for Values<S>
where
    S: FusedStream<Item = (usize, R)>,
{
    fn is_terminated(&self) -> bool {
        self.stream.is_terminated()
    }
}
