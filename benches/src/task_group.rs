//! `task_group`, against those who take tasks one by one and wait for them all: each task is spawned, and its result kept.

use std::future::Future;

use async_executor::Task as Handle;
use futures::stream::FuturesUnordered;
use futures_concurrency::future::FutureGroup;

use crate::chunked::{JoinAll, TokioJoinSet, chunked};
use crate::host::{block_on_smol, with_executor};
use crate::parallel::{SCANS, WORKLOADS};
use crate::session::{Heading, Session, nanoseconds};
use crate::sets::Set;
use crate::workload::{Entry, Job, Scheme, Task, measure};

type Outcome = Result<usize, usize>;

struct Abreast;

impl Scheme for Abreast {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, size: usize) -> usize {
        chunked(tasks, size, async |chunk| -> Vec<Outcome> {
            let group = abreast::task_group(async |group| {
                let spawn = |task| group.spawn(task);
                let handles: Vec<_> = chunk.into_iter().map(spawn).collect();
                let mut results = Vec::with_capacity(handles.len());
                for handle in handles {
                    results.push(Ok(handle.await));
                }
                Ok(results)
            });
            group.await.expect("no task fails")
        })
        .await
    }
}

struct Moro;

impl Scheme for Moro {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, size: usize) -> usize {
        chunked(tasks, size, async |chunk| -> Vec<Outcome> {
            let scope = moro_local::async_scope!(|scope| {
                let spawn = |task| scope.spawn(task);
                let handles: Vec<_> = chunk.into_iter().map(spawn).collect();
                let mut results = Vec::with_capacity(handles.len());
                for handle in handles {
                    results.push(handle.await);
                }
                results
            });
            scope.await
        })
        .await
    }
}

struct Smol;

impl Scheme for Smol {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, size: usize) -> usize {
        chunked(tasks, size, async |chunk| -> Vec<Outcome> {
            let spawn = |task| with_executor(|executor| executor.spawn(task));
            let handles: Vec<Handle<_>> = chunk.into_iter().map(spawn).collect();
            let mut results = Vec::with_capacity(handles.len());
            for handle in handles {
                results.push(handle.await);
            }
            results
        })
        .await
    }

    fn host<F: Future>(future: F) -> F::Output {
        block_on_smol(future)
    }
}

/// What people write around a set of futures. It has no handles, so the results come as they finish.
async fn join<S: Set<F>, F: Task>(chunk: Vec<F>) -> Vec<Outcome> {
    let mut set = S::with_capacity(chunk.len());
    for task in chunk {
        set.push(task);
    }
    let mut results = Vec::new();
    while let Some(result) = set.next().await {
        results.push(result);
    }
    results
}

struct Unordered;

impl Scheme for Unordered {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, size: usize) -> usize {
        chunked(tasks, size, join::<FuturesUnordered<F>, F>).await
    }
}

struct ConcurrencyGroup;

impl Scheme for ConcurrencyGroup {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, size: usize) -> usize {
        chunked(tasks, size, join::<FutureGroup<_>, F>).await
    }
}

/// A group for each chunk.
pub(crate) fn measure_all(session: &mut Session) {
    for (title, workload, tasks) in WORKLOADS {
        let tasks = session.scale(tasks / 2);
        let heading = Heading {
            title: &format!("task group {title}"),
            measure: "ns per task",
            axis: "N",
            columns: &[3, 30, 1000, 10_000],
        };
        let contenders = [
            Entry::subject("abreast task_group", measure::<Abreast>),
            Entry::peer("moro-local", measure::<Moro>),
            Entry::peer("tokio JoinSet", measure::<TokioJoinSet>),
            Entry::peer("async-executor", measure::<Smol>),
            Entry::peer("futures join_all, no handles", measure::<JoinAll>),
            Entry::peer("FuturesUnordered, no handles", measure::<Unordered>),
            Entry::peer(
                "futures-concurrency group, no handles",
                measure::<ConcurrencyGroup>,
            )
            .up_to(workload.cap(1000), SCANS),
        ];
        session.time(&heading, &contenders, |run, size| {
            let tasks = tasks.max(size);
            let job = Job {
                workload,
                size,
                tasks,
            };
            run(job, nanoseconds) / tasks as f64
        });
    }
}
