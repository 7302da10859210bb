//! Running all of a chunk of tasks at once: `batched`, and the joins of others over one chunk after another.

use std::future::Future;

use futures_concurrency::future::{Join, TryJoin};
use tokio::task::JoinSet;

use crate::host::block_on_tokio;
use crate::parallel::SCANS;
use crate::workload::{Entry, Scheme, Task, measure};

type Outcome = Result<usize, usize>;

/// Runs chunk after chunk, and keeps what `run` returns.
pub(crate) async fn chunked<F, R>(
    mut tasks: impl Iterator<Item = F>,
    size: usize,
    mut run: impl AsyncFnMut(Vec<F>) -> Vec<R>,
) -> usize {
    let mut results = Vec::new();
    loop {
        let chunk: Vec<F> = tasks.by_ref().take(size).collect();
        if chunk.is_empty() {
            return results.len();
        }
        results.extend(run(chunk).await);
    }
}

fn all_succeed(results: Result<Vec<usize>, usize>) -> Vec<usize> {
    results.expect("no task fails")
}

pub(crate) struct Batched;

impl Scheme for Batched {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, size: usize) -> usize {
        let values = abreast::batched(tasks, |task| task).batch_size(size).await;
        values.expect("no task fails").len()
    }
}

pub(crate) struct Gather;

impl Scheme for Gather {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, size: usize) -> usize {
        chunked(tasks, size, async |chunk| abreast::gather(chunk).await).await
    }
}

pub(crate) struct JoinAll;

impl Scheme for JoinAll {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, size: usize) -> usize {
        chunked(tasks, size, futures::future::join_all).await
    }
}

struct TryJoinAll;

impl Scheme for TryJoinAll {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, size: usize) -> usize {
        chunked(tasks, size, async |chunk| {
            all_succeed(futures::future::try_join_all(chunk).await)
        })
        .await
    }
}

struct BufferedJoinAll;

impl Scheme for BufferedJoinAll {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, size: usize) -> usize {
        chunked(tasks, size, futures_buffered::join_all).await
    }
}

struct BufferedTryJoinAll;

impl Scheme for BufferedTryJoinAll {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, size: usize) -> usize {
        chunked(tasks, size, async |chunk| {
            all_succeed(futures_buffered::try_join_all(chunk).await)
        })
        .await
    }
}

struct ConcurrencyJoin;

impl Scheme for ConcurrencyJoin {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, size: usize) -> usize {
        chunked(tasks, size, async |chunk| chunk.join().await).await
    }
}

struct ConcurrencyTryJoin;

impl Scheme for ConcurrencyTryJoin {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, size: usize) -> usize {
        chunked(tasks, size, async |chunk| {
            all_succeed(chunk.try_join().await)
        })
        .await
    }
}

pub(crate) struct TokioJoinSet;

impl Scheme for TokioJoinSet {
    async fn run<F: Task>(tasks: impl Iterator<Item = F>, size: usize) -> usize {
        chunked(tasks, size, async |chunk| -> Vec<Outcome> {
            chunk.into_iter().collect::<JoinSet<_>>().join_all().await
        })
        .await
    }

    fn host<F: Future>(future: F) -> F::Output {
        block_on_tokio(future)
    }
}

/// The joins of others, one chunk after another. Those that scan all slots for each wake are left out above `largest`.
pub(crate) fn peers(largest: usize) -> Vec<Entry> {
    vec![
        Entry::peer("futures join_all", measure::<JoinAll>),
        Entry::peer("futures try_join_all", measure::<TryJoinAll>),
        Entry::peer("futures-buffered join_all", measure::<BufferedJoinAll>),
        Entry::peer(
            "futures-buffered try_join_all",
            measure::<BufferedTryJoinAll>,
        ),
        Entry::peer("futures-concurrency join", measure::<ConcurrencyJoin>).up_to(largest, SCANS),
        Entry::peer(
            "futures-concurrency try_join",
            measure::<ConcurrencyTryJoin>,
        )
        .up_to(largest, SCANS),
        Entry::peer("tokio JoinSet", measure::<TokioJoinSet>),
    ]
}
