//! The items of a list that comes by pages.
//!
//! ```text
//!               a page has come
//!            --------------------->          its items are yielded
//!   Between                          Page  -----------------------.
//!            <---------------------        <----------------------'
//!      |        it was full: next      |
//!      |                               | it was shorter than the limit, or empty
//!      | an error, or a panic          v
//!      '--------------------------> Ended
//! ```

use alloc::boxed::Box;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures::stream::Stream;

/// Yields the items of a list that is fetched by pages, of 100 items unless there is another
/// [`limit`](Paginate::limit).
///
/// `fetch` is called with the limit and an offset, which starts at 0 and grows by the number of items received. The
/// last page is the first that is empty or shorter than the limit. A page may be any collection.
///
/// ```
/// use abreast::paginate;
/// use futures::TryStreamExt;
///
/// # smol::block_on(async {
/// async fn list(limit: usize, offset: usize) -> Result<Vec<usize>, std::io::Error> {
///     // ...
/// #    Ok((0..250).skip(offset).take(limit).collect())
/// }
///
/// let mut items = paginate(list); // fetches 0..100, 100..200, and 200..250
/// while let Some(item) = items.try_next().await? {
///     println!("{item}");
/// #    assert!(item < 250);
/// }
/// # Ok::<_, std::io::Error>(())
/// # }).unwrap();
/// ```
///
/// # Fanning out
/// Feed it to [`parallel_stream`](crate::parallel_stream), and items are processed as they arrive. A page that cannot
/// be fetched is one more task that fails, so what was done before it is kept, and the run ends after it:
///
/// ```
/// use abreast::{paginate, parallel_stream};
/// use futures::StreamExt;
/// # async fn list(limit: usize, offset: usize) -> Result<Vec<usize>, String> {
/// #     if offset == 200 { return Err("page 3: 503".into()) }
/// #     Ok((0..300).skip(offset).take(limit).collect())
/// # }
/// # async fn analyze(item: usize) -> Result<usize, String> { Ok(item) }
///
/// # smol::block_on(async {
/// let tasks = paginate(list).map(|item| async move { analyze(item?).await });
/// let result = parallel_stream(tasks).concurrency(20).await;
///
/// assert_eq!(result.success_count(), 200); // the items of the pages before
/// for (index, error) in result.failures() {
///     println!("{index}: {error}"); // 200: page 3: 503
/// }
/// # assert_eq!(result.failures().collect::<Vec<_>>(), [(200, &"page 3: 503".to_string())]);
/// # });
/// ```
///
/// Pages are fetched on demand, and never ahead of it. Under `parallel_stream`, the next page is fetched when all items
/// of the one before have started and another could start, so up to `concurrency - 1` items are processed while it
/// loads. A full window fetches nothing: at most one page of items is ever waiting. If a page takes longer than the
/// items that are still running, slots become idle, and larger pages help.
///
/// # Order
/// Items come in the order of the pages. There is one fetch at a time.
///
/// # Errors
/// An error of `fetch` is yielded, and ends the stream.
///
/// # Cancel safety
/// Dropping a pending `next()` loses nothing: the fetch goes on with the next one. Dropping the stream drops the fetch.
///
/// # Panics
/// A panic of `fetch` or of its future passes through, and ends the stream.
///
/// # Polls and allocations
/// The future of `fetch` is polled once per poll of the stream while there is nothing to yield. One allocation, however
/// many pages there are. The stream is `Unpin`.
pub fn paginate<F, Fut, P, E>(fetch: F) -> Paginate<F, Fut, P::IntoIter>
where
    F: FnMut(usize, usize) -> Fut,
    Fut: Future<Output = Result<P, E>>,
    P: IntoIterator,
{
    Paginate {
        fetch,
        limit: 100,
        offset: 0,
        fetching: None,
        state: State::Between,
    }
}

/// The stream of [`paginate()`].
#[must_use = "streams do nothing unless polled"]
pub struct Paginate<F, Fut, Items> {
    fetch: F,
    limit: usize,
    offset: usize,
    /// The running fetch, if there is one. The box is made on first use, and then reused.
    fetching: Option<Pin<Box<Option<Fut>>>>,
    state: State<Items>,
}

/// The fetch is in a box, and nothing else is ever pinned.
impl<F, Fut, Items> Unpin for Paginate<F, Fut, Items> {}

enum State<Items> {
    /// The next page is being fetched, or is about to be.
    Between,
    /// A page has come: its remaining items, and the number of those that were yielded.
    Page(Items, usize),
    Ended,
}

impl<F, Fut, Items> Paginate<F, Fut, Items> {
    /// Sets how many items a page has; 100 by default.
    ///
    /// ```
    /// # use futures::StreamExt;
    /// # smol::block_on(async {
    /// let list = async |limit, offset| Ok::<Vec<usize>, ()>((0..25).skip(offset).take(limit).collect());
    /// // Fetches 0..10, 10..20, and 20..25.
    /// let items = abreast::paginate(list).limit(10);
    /// assert_eq!(items.count().await, 25);
    /// # });
    /// ```
    ///
    /// # Panics
    /// If `limit` is 0: no page could have an item.
    #[track_caller]
    pub fn limit(mut self, limit: usize) -> Self {
        assert!(
            limit > 0,
            "a page limit of 0 fetches nothing: pass how many items a page has, at least 1"
        );
        self.limit = limit;
        self
    }

    /// Polls the fetch of the next page, which is begun now if there is none.
    fn poll_page<P, E>(&mut self, cx: &mut Context<'_>) -> Poll<Result<P, E>>
    where
        F: FnMut(usize, usize) -> Fut,
        Fut: Future<Output = Result<P, E>>,
    {
        let fetching = self.fetching.get_or_insert_with(|| Box::pin(None));
        if fetching.is_none() {
            fetching.set(Some((self.fetch)(self.limit, self.offset)));
        }
        // The future is dropped as soon as its page is there.
        let page = match fetching.as_mut().as_pin_mut() {
            Some(future) => future.poll(cx),
            None => Poll::Pending,
        };
        if page.is_ready() {
            fetching.set(None);
        }
        page
    }
}

impl<F, Fut, P, E> Stream for Paginate<F, Fut, P::IntoIter>
where
    F: FnMut(usize, usize) -> Fut,
    Fut: Future<Output = Result<P, E>>,
    P: IntoIterator,
{
    type Item = Result<P::Item, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            // Whatever panics below leaves the stream at its end.
            match mem::replace(&mut this.state, State::Ended) {
                State::Ended => return Poll::Ready(None),
                State::Page(mut items, yielded) => {
                    if let Some(item) = items.next() {
                        this.state = State::Page(items, yielded + 1);
                        return Poll::Ready(Some(Ok(item)));
                    }
                    // A short page is the last, and saves the fetch of an empty one.
                    if yielded < this.limit {
                        return Poll::Ready(None);
                    }
                    this.offset += yielded;
                    this.state = State::Between;
                }
                State::Between => match this.poll_page(cx) {
                    Poll::Ready(Ok(page)) => this.state = State::Page(page.into_iter(), 0),
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Poll::Pending => {
                        this.state = State::Between;
                        return Poll::Pending;
                    }
                },
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // Only a page that is known to be the last bounds what is to come.
        match &self.state {
            State::Between => (0, None),
            State::Page(items, yielded) => match items.size_hint() {
                (least, Some(most)) if yielded.saturating_add(most) < self.limit => {
                    (least, Some(most))
                }
                (least, _) => (least, None),
            },
            State::Ended => (0, Some(0)),
        }
    }
}

impl_fused!(FusedStream for Paginate<F, Fut, Items> |self| matches!(self.state, State::Ended));

impl_debug!(
    Paginate<F, Fut, Items> |self| {
        limit: self.limit,
        offset: self.offset,
        ended: matches!(self.state, State::Ended),
    }
);
