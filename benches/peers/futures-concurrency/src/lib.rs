//! futures-concurrency.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::pin::Pin;

use futures::{StreamExt, stream};
use futures_concurrency::concurrent_stream::ConcurrentStream;
use futures_concurrency::future::{FutureGroup, Join, RaceOk, TryJoin};
use futures_concurrency::stream::StreamExt as _;
use harness::{
    Contender, SCANS, Set, Workload, collect, each_chunk, each_race, peer, roll, scheme, values,
};

/// It takes futures only while it is not pinned, so theirs is a box each.
struct Group<F>(FutureGroup<Pin<Box<F>>>);

impl<F: Future> Set<F> for Group<F> {
    fn with_capacity(capacity: usize) -> Self {
        Self(FutureGroup::with_capacity(capacity))
    }

    fn push(&mut self, future: F) {
        self.0.insert(Box::pin(future));
    }

    fn next(&mut self) -> impl Future<Output = Option<F::Output>> {
        self.0.next()
    }
}

scheme!(Roll, |tasks, limit| roll::<Group<F>, F>(tasks, limit).await);
// Its `collect` heeds no limit, so the results are collected by hand.
scheme!(ForEach, |tasks, limit| {
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
});
scheme!(Race, |tasks, size| {
    each_race(tasks, size, async |chunk| {
        chunk.collect::<Vec<_>>().race_ok().await.ok()
    })
    .await
});
scheme!(Joins, |tasks, size| {
    each_chunk(tasks, size, async |chunk| {
        chunk.collect::<Vec<_>>().join().await
    })
    .await
});
scheme!(TryJoins, |tasks, size| {
    each_chunk(tasks, size, async |chunk| {
        values(chunk.collect::<Vec<_>>().try_join().await)
    })
    .await
});
scheme!(Groups, |tasks, size| {
    each_chunk(tasks, size, async |chunk| {
        collect::<Group<F>, F>(chunk).await
    })
    .await
});

/// Returns its rolling windows.
pub fn windows(workload: Workload) -> [Contender; 2] {
    let largest = workload.cap(256);
    [
        peer::<Roll>("futures-concurrency group, by hand").up_to(largest, SCANS),
        peer::<ForEach>("futures-concurrency for_each").up_to(largest, SCANS),
    ]
}

/// Returns `race_ok`.
pub fn race(workload: Workload) -> Contender {
    peer::<Race>("futures-concurrency race_ok").up_to(workload.cap(1000), SCANS)
}

/// Returns its joins.
pub fn joins(workload: Workload) -> [Contender; 2] {
    let largest = workload.cap(1000);
    [
        peer::<Joins>("futures-concurrency join").up_to(largest, SCANS),
        peer::<TryJoins>("futures-concurrency try_join").up_to(largest, SCANS),
    ]
}

/// Returns what takes tasks one by one, without handles.
pub fn group(workload: Workload) -> Contender {
    peer::<Groups>("futures-concurrency, no handles").up_to(workload.cap(1000), SCANS)
}
