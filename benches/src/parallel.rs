//! `parallel` as a future, against the rolling windows of others.

use std::cell::RefCell;
use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;

use futures::{StreamExt, stream};
use futures_buffered::{BufferedStreamExt, FuturesUnorderedBounded};
use futures_concurrency::concurrent_stream::ConcurrentStream;
use futures_concurrency::future::FutureGroup;
use futures_concurrency::stream::StreamExt as _;

use crate::host::{block_on_smol, block_on_tokio, with_executor};
use crate::session::{Heading, Session, nanoseconds};
use crate::sets::roll;
use crate::workload::{Entry, Job, Scheme, Task, Workload, measure};

struct Abreast;

impl Scheme for Abreast {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        abreast::parallel(tasks).concurrency(limit).await.len()
    }
}

struct BufferUnordered;

impl Scheme for BufferUnordered {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        let results = stream::iter(tasks).buffer_unordered(limit);
        results.collect::<Vec<_>>().await.len()
    }
}

struct BufferedUnordered;

impl Scheme for BufferedUnordered {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        let results = stream::iter(tasks).buffered_unordered(limit);
        results.collect::<Vec<_>>().await.len()
    }
}

struct RollBuffered;

impl Scheme for RollBuffered {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        roll::<FuturesUnorderedBounded<F>, F>(tasks, limit)
            .await
            .len()
    }
}

struct RollUnicycle;

impl Scheme for RollUnicycle {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        roll::<unicycle::FuturesUnordered<F>, F>(tasks, limit)
            .await
            .len()
    }
}

struct RollGroup;

impl Scheme for RollGroup {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        roll::<FutureGroup<Pin<Box<F>>>, F>(tasks, limit)
            .await
            .len()
    }
}

/// Its `collect` heeds no limit, so the results are collected by hand.
struct ConcurrentForEach;

impl Scheme for ConcurrentForEach {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        let results = RefCell::new(Vec::new());
        stream::iter(tasks)
            .co()
            .limit(NonZeroUsize::new(limit))
            .for_each(async |task: F| {
                let result = task.await;
                results.borrow_mut().push(result);
            })
            .await;
        results.into_inner().len()
    }
}

struct TokioJoinSet;

impl Scheme for TokioJoinSet {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        let permits = Arc::new(tokio::sync::Semaphore::new(limit));
        let mut set = tokio::task::JoinSet::new();
        for task in tasks {
            let permit = permits.clone().acquire_owned().await;
            set.spawn(async move {
                let _permit = permit.expect("the semaphore is never closed");
                task.await
            });
        }
        set.join_all().await.len()
    }

    fn host<F: Future>(future: F) -> F::Output {
        block_on_tokio(future)
    }
}

struct AsyncExecutor;

impl Scheme for AsyncExecutor {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, limit: usize) -> usize {
        let permits = Arc::new(async_lock::Semaphore::new(limit));
        let mut spawned = Vec::new();
        for task in tasks {
            let permit = permits.acquire_arc().await;
            let task = async move {
                let _permit = permit;
                task.await
            };
            spawned.push(with_executor(|executor| executor.spawn(task)));
        }
        let mut results = Vec::new();
        for task in spawned {
            results.push(task.await);
        }
        results.len()
    }

    fn host<F: Future>(future: F) -> F::Output {
        block_on_smol(future)
    }
}

/// No concurrency at all.
pub(crate) struct Await;

impl Scheme for Await {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, _: usize) -> usize {
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await);
        }
        results.len()
    }
}

pub(crate) const SCANS: &str = "as each wake has it scan all slots";

/// Those that scan all slots for each wake are left out above `largest`.
pub(crate) fn contenders(largest: usize) -> Vec<Entry> {
    vec![
        Entry::subject("abreast parallel", measure::<Abreast>),
        Entry::peer("futures buffer_unordered", measure::<BufferUnordered>),
        Entry::peer(
            "futures-buffered buffered_unordered",
            measure::<BufferedUnordered>,
        ),
        Entry::peer("futures-buffered, by hand", measure::<RollBuffered>),
        Entry::peer("unicycle, by hand", measure::<RollUnicycle>),
        Entry::peer("futures-concurrency group, by hand", measure::<RollGroup>)
            .up_to(largest, SCANS),
        Entry::peer("futures-concurrency for_each", measure::<ConcurrentForEach>)
            .up_to(largest, SCANS),
        Entry::peer("tokio JoinSet + Semaphore", measure::<TokioJoinSet>),
        Entry::peer("async-executor + Semaphore", measure::<AsyncExecutor>),
        Entry::floor("bare .await, one by one", measure::<Await>),
    ]
}

/// The workloads of rolling windows: title, and how many tasks there are for a full run.
pub(crate) const WORKLOADS: [(&str, Workload, usize); 4] = [
    ("W1, all ready", Workload::Ready, 200_000),
    ("W2, each wakes itself once", Workload::Yield, 100_000),
    (
        "W3, one random wake at a time",
        Workload::Wake { burst: 1 },
        50_000,
    ),
    (
        "W4, bursts of 32 random wakes",
        Workload::Wake { burst: 32 },
        50_000,
    ),
];

/// One table a workload.
pub(crate) fn measure_all(session: &mut Session) {
    for (title, workload, tasks) in WORKLOADS {
        let tasks = session.scale(tasks);
        let heading = Heading {
            title: &format!("parallel {title}"),
            measure: "ns per future",
            axis: "K",
            columns: &[5, 64, 256, 4096],
        };
        let largest = workload.cap(256);
        session.time(&heading, &contenders(largest), |run, size| {
            // Enough for the making of the slots not to be most of it.
            let tasks = tasks.max(16 * size);
            let job = Job {
                workload,
                size,
                tasks,
            };
            run(job, nanoseconds) / tasks as f64
        });
    }
    let tasks = session.scale(10_000);
    let heading = Heading {
        title: "parallel chain, all take turns at one lock",
        measure: "ms for 10,000 futures",
        axis: "K",
        columns: &[5, 64, 256, 4096],
    };
    session.time(&heading, &contenders(256), |run, size| {
        let workload = Workload::Lock;
        let job = Job {
            workload,
            size,
            tasks,
        };
        run(job, nanoseconds) / tasks as f64 / 100.0
    });
}
