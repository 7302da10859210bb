//! `parallel` as a stream whose consumer keeps nothing, against the buffered streams of others.

use futures::{Stream, StreamExt, stream};
use futures_buffered::BufferedStreamExt;

use crate::parallel::WORKLOADS;
use crate::session::{Heading, Session, nanoseconds};
use crate::workload::{Entry, Job, Scheme, Task, measure};

async fn consume(results: impl Stream) -> usize {
    let mut results = std::pin::pin!(results);
    let mut count = 0;
    while let Some(result) = results.next().await {
        std::hint::black_box(result);
        count += 1;
    }
    count
}

struct Abreast;

impl Scheme for Abreast {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        let tasks = abreast::parallel(tasks).concurrency(limit);
        consume(tasks.into_stream()).await
    }
}

struct BufferUnordered;

impl Scheme for BufferUnordered {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        consume(stream::iter(tasks).buffer_unordered(limit)).await
    }
}

struct BufferedUnordered;

impl Scheme for BufferedUnordered {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        consume(stream::iter(tasks).buffered_unordered(limit)).await
    }
}

struct AbreastOrdered;

impl Scheme for AbreastOrdered {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        let tasks = abreast::parallel(tasks).concurrency(limit);
        consume(tasks.into_ordered_stream()).await
    }
}

struct Buffered;

impl Scheme for Buffered {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        consume(stream::iter(tasks).buffered(limit)).await
    }
}

struct BufferedOrdered;

impl Scheme for BufferedOrdered {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        consume(stream::iter(tasks).buffered_ordered(limit)).await
    }
}

/// No concurrency at all.
struct Then;

impl Scheme for Then {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, _: usize) -> usize {
        consume(stream::iter(tasks).then(|task| task)).await
    }
}

pub(crate) fn unordered() -> Vec<Entry> {
    vec![
        Entry::subject("abreast into_stream", measure::<Abreast>),
        Entry::peer("futures buffer_unordered", measure::<BufferUnordered>),
        Entry::peer(
            "futures-buffered buffered_unordered",
            measure::<BufferedUnordered>,
        ),
        Entry::floor("futures then, one by one", measure::<Then>),
    ]
}

pub(crate) fn ordered() -> Vec<Entry> {
    vec![
        Entry::subject("abreast into_ordered_stream", measure::<AbreastOrdered>),
        Entry::peer("futures buffered", measure::<Buffered>),
        Entry::peer(
            "futures-buffered buffered_ordered",
            measure::<BufferedOrdered>,
        ),
        Entry::floor("futures then, one by one", measure::<Then>),
    ]
}

/// A table for each workload and order.
pub(crate) fn measure_all(session: &mut Session) {
    for (order, contenders) in [("unordered", unordered()), ("ordered", ordered())] {
        for (title, workload, tasks) in WORKLOADS {
            let tasks = session.scale(tasks);
            let heading = Heading {
                title: &format!("stream {order} {title}"),
                measure: "ns per future",
                axis: "K",
                columns: &[5, 64, 256, 4096],
            };
            session.time(&heading, &contenders, |run, size| {
                let tasks = tasks.max(16 * size);
                let job = Job {
                    workload,
                    size,
                    tasks,
                };
                run(job, nanoseconds) / tasks as f64
            });
        }
    }
}
