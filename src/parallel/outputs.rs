//! The outcomes of a rolling window, one by one.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::stream::Stream;
use pin_project_lite::pin_project;

use crate::engine::Window;
use crate::run::Observer;
use crate::run::Run;
use crate::run::sink::Buffer;

pin_project! {
    /// The stream of [`Parallel::into_stream`](crate::Parallel::into_stream) and
    /// [`Parallel::into_ordered_stream`](crate::Parallel::into_ordered_stream).
    #[must_use = "streams do nothing unless polled"]
    pub struct ParallelStream<S, Fut, K, O> {
        window: Window<Fut>,
        #[pin]
        run: Run<S, K, O>,
        // How many more outcomes may be handed over before running tasks get their turn.
        before_pass: usize,
        done: bool,
    }
}

impl<S, Fut, K, O> ParallelStream<S, Fut, K, O> {
    pub(super) fn new(window: Window<Fut>, run: Run<S, K, O>) -> Self {
        Self {
            window,
            run,
            before_pass: 0,
            done: false,
        }
    }
}

impl<S, Fut, K, O> Stream for ParallelStream<S, Fut, K, O>
where
    S: Stream<Item = Fut>,
    Fut: Future<Output = Result<K::Value, K::Error>>,
    K: Buffer,
    O: Observer<K::Value, K::Error>,
{
    type Item = (usize, Result<K::Value, K::Error>);

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        if *this.before_pass > 0 && this.run.as_mut().sink().is_ready() {
            // What is there is handed over first, but a free slot is not left idle meanwhile.
            *this.before_pass -= 1;
            this.window.top_up(this.run.as_mut());
            return Poll::Ready(this.run.sink().pop(false));
        }
        if *this.done {
            return Poll::Ready(None);
        }
        this.run.as_mut().begin();
        ready!(this.window.poll(cx, this.run.as_mut()));
        let ended = this.window.is_finished();
        let item = this.run.as_mut().sink().pop(ended);
        *this.before_pass = this.run.sink().held();
        *this.done = item.is_none();
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.run.size_hint(self.window.in_flight())
    }
}

impl_fused!(FusedStream for ParallelStream<S, Fut, K, O> |self| self.done);

impl_debug!(ParallelStream<S, Fut, K, O> |self| { window: self.window, state: self.run.state });
