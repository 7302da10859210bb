//! Spans of `tracing` for a run and each of its tasks.
//!
//! ```text
//!   a task      poll              ready
//!       New ----------> Polled ---------> Ended
//!        |             |   ^  |
//!        |     pending v   |  '--> dropped: it has panicked
//!        |            Waiting
//!        '----------------'------> dropped: it was cancelled
//! ```

use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::{Context, Poll, ready};

use futures::stream::Stream;
use pin_project_lite::pin_project;
use tracing::Span;
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;

/// Gives a list of tasks a span of `tracing`, and each task a span in it. Needs the feature `tracing`.
///
/// What it returns is a list of tasks for any verb. Runs that are not traced pay nothing.
///
/// ```
/// use abreast::{parallel, traced};
/// # async fn fetch(page: u32) -> Result<String, std::io::Error> { Ok(format!("page {page}")) }
///
/// # smol::block_on(async {
/// let pages = parallel(traced("fetch pages", (1..=100).map(fetch))).concurrency(20).await;
/// # assert!(pages.all_succeeded());
/// # });
/// ```
///
/// | span | level | fields | from | to |
/// |---|---|---|---|---|
/// | `run` | info | `otel.name`: the name; at its end `succeeded`, `failed`, `cancelled` | the call | the list and all tasks have been dropped |
/// | `task` | info | `index`; at its end `outcome`: `ok`, `error`, `cancelled` or `panicked`; `otel.status_code` after an error | the first poll | the task is dropped |
///
/// | `job` | info | `id`; at its end `outcome`: the same, or `abandoned`; `otel.status_code` after an error | the first poll of a job of a [`Pool`](crate::Pool) | it has ended |
/// | `operation` | info | `operation_id`, `context`; at its end its figures, by the names of OpenTelemetry | the first poll of an `Operation` | it is dropped |
///
/// A task is polled within its span, so that what it reports belongs there. One that is never polled has no span. The
/// names of fields that begin with `otel` are those that the bridge to OpenTelemetry knows. For tasks that come from
/// elsewhere, such as those of a handler or a group, there is [`Trace`].
///
/// Jobs and operations have their spans without that. A job is within the span that was current where it was
/// submitted, and not in that of the driver or worker which runs it; so is an operation that was submitted to an
/// `OperationPool`, which is all that its job does and so the only span of it. Any other operation is within what polls
/// it first. Work that is submitted outside of any span has none around it.
///
/// # Polls and allocations
/// One allocation for the run, and what the subscriber makes of spans.
pub fn traced<I: IntoIterator>(name: &str, tasks: I) -> Traced<I::IntoIter> {
    Traced {
        tasks: tasks.into_iter(),
        trace: Some(Trace::new(name)),
    }
}

/// Gives a stream of tasks a span of `tracing`, and each task a span in it. Needs the feature `tracing`.
///
/// The same as [`traced`] otherwise.
///
/// ```
/// use abreast::{parallel_stream, traced_stream};
/// use futures::stream;
/// # async fn fetch(page: u32) -> Result<String, std::io::Error> { Ok(format!("page {page}")) }
///
/// # smol::block_on(async {
/// let tasks = stream::iter((0..9).map(fetch));
/// let pages = parallel_stream(traced_stream("fetch pages", tasks)).await;
/// # assert!(pages.all_succeeded());
/// # });
/// ```
pub fn traced_stream<S: Stream>(name: &str, tasks: S) -> Traced<S> {
    Traced {
        tasks,
        trace: Some(Trace::new(name)),
    }
}

/// Returns the current span, for work that is handed over to be done elsewhere. Without a subscriber, it is a look at
/// the level that is of interest.
#[inline]
pub(crate) fn current() -> Span {
    if LevelFilter::current() >= LevelFilter::INFO {
        Span::current()
    } else {
        Span::none()
    }
}

/// A span of `tracing` for tasks that are started one by one. Needs the feature `tracing`.
///
/// Clones share one span, which ends with the last of them and the last task: see [`traced`].
///
/// ```
/// use abreast::{Trace, task_group};
/// # async fn fetch(page: u32) -> Result<String, std::io::Error> { Ok(format!("page {page}")) }
///
/// # smol::block_on(async {
/// let trace = Trace::new("crawl");
/// task_group(async |group| {
///     for page in 0..3 {
///         group.spawn(trace.task(fetch(page)));
///     }
///     Ok(())
/// })
/// .await
/// # .unwrap();
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Trace(Arc<Run>);

/// The span of a run, and what becomes of its tasks.
#[derive(Debug)]
struct Run {
    span: Span,
    /// The index of the next task.
    next: AtomicU64,
    succeeded: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
}

impl Trace {
    /// Opens a span with this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let span = tracing::info_span!(
            "run",
            otel.name = name,
            succeeded = Empty,
            failed = Empty,
            cancelled = Empty,
        );
        Self(Arc::new(Run {
            span,
            next: AtomicU64::new(0),
            succeeded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
        }))
    }

    /// Gives a task a span of its own, from its first poll on. Its index is the number of those before it.
    pub fn task<Fut>(&self, future: Fut) -> TracedTask<Fut> {
        TracedTask {
            future,
            span: Span::none(),
            index: self.0.next.fetch_add(1, Ordering::Relaxed),
            state: State::New,
            run: self.clone(),
        }
    }
}

/// The counts are known when the last clone and the last task are gone.
impl Drop for Run {
    fn drop(&mut self) {
        let Self { span, .. } = self;
        span.record("succeeded", *self.succeeded.get_mut());
        span.record("failed", *self.failed.get_mut());
        span.record("cancelled", *self.cancelled.get_mut());
    }
}

pin_project! {
    /// The list of [`traced`], or the stream of [`traced_stream`].
    #[derive(Debug)]
    #[must_use = "tasks do nothing unless polled"]
    pub struct Traced<I> {
        #[pin]
        tasks: I,
        // Gone when the list has ended, so that the span ends with the last task.
        trace: Option<Trace>,
    }
}

impl<I: Iterator> Iterator for Traced<I> {
    type Item = TracedTask<I::Item>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(task) = self.tasks.next() else {
            self.trace = None;
            return None;
        };
        Some(self.trace.as_ref()?.task(task))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.tasks.size_hint()
    }
}

impl<S: Stream> Stream for Traced<S> {
    type Item = TracedTask<S::Item>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let Some(task) = ready!(this.tasks.poll_next(cx)) else {
            *this.trace = None;
            return Poll::Ready(None);
        };
        Poll::Ready(this.trace.as_ref().map(|trace| trace.task(task)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.tasks.size_hint()
    }
}

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not polled yet, so it has no span.
    New,
    Waiting,
    /// It is being polled; if it is dropped so, it has panicked.
    Polled,
    Ended,
}

pin_project! {
    /// A task with a span: see [`traced`] and [`Trace::task`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct TracedTask<Fut> {
        #[pin]
        future: Fut,
        span: Span,
        index: u64,
        state: State,
        run: Trace,
    }

    impl<Fut> PinnedDrop for TracedTask<Fut> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if *this.state != State::Ended {
                let is_panic = *this.state == State::Polled;
                this.span.record("outcome", if is_panic { "panicked" } else { "cancelled" });
                this.run.0.cancelled.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl<Fut, T, E> Future for TracedTask<Fut>
where
    Fut: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let this = self.project();
        let run = &this.run.0;
        // The span begins with the first poll: a task that waits for its turn does not run.
        if *this.state == State::New {
            let index = *this.index;
            *this.span = tracing::info_span!(
                parent: &run.span,
                "task",
                index,
                outcome = Empty,
                otel.status_code = Empty,
            );
        }
        // Not set back if the task panics.
        *this.state = State::Polled;
        let polled = this.span.in_scope(|| this.future.poll(cx));
        *this.state = if polled.is_ready() {
            State::Ended
        } else {
            State::Waiting
        };
        // What it has come to is noted before anybody else learns of it.
        match &polled {
            Poll::Ready(Ok(_)) => {
                this.span.record("outcome", "ok");
                run.succeeded.fetch_add(1, Ordering::Relaxed);
            }
            Poll::Ready(Err(_)) => {
                this.span.record("outcome", "error");
                this.span.record("otel.status_code", "ERROR");
                run.failed.fetch_add(1, Ordering::Relaxed);
            }
            Poll::Pending => {}
        }
        polled
    }
}
