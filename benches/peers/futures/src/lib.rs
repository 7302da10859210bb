//! futures: its buffered streams, sets and joins, and the pool that people build of its parts.

use futures::channel::oneshot;
use futures::future::{self, join_all, select_ok, try_join_all};
use futures::stream::{self, FuturesUnordered, StreamExt};
use harness::{
    Contender, SCANS, Set, Workload, collect, consume, each_chunk, each_race, first_success, peer,
    scheme, values,
};

struct Unordered<F>(FuturesUnordered<F>);

impl<F: Future> Set<F> for Unordered<F> {
    fn with_capacity(_: usize) -> Self {
        Self(FuturesUnordered::new())
    }

    fn push(&mut self, future: F) {
        self.0.push(future);
    }

    fn next(&mut self) -> impl Future<Output = Option<F::Output>> {
        self.0.next()
    }
}

scheme!(Window, |tasks, limit| {
    let results = stream::iter(tasks).buffer_unordered(limit);
    results.collect::<Vec<_>>().await.len()
});
scheme!(Stream, |tasks, limit| {
    consume(stream::iter(tasks).buffer_unordered(limit)).await
});
scheme!(OrderedStream, |tasks, limit| {
    consume(stream::iter(tasks).buffered(limit)).await
});
scheme!(SelectOk, |tasks, size| {
    each_race(tasks, size, async |chunk| {
        let (value, _losers) = select_ok(chunk.map(Box::pin)).await.ok()?;
        Some(value)
    })
    .await
});
scheme!(Race, |tasks, size| {
    each_race(tasks, size, async |chunk| {
        first_success::<Unordered<F>, F>(chunk).await
    })
    .await
});
scheme!(Join, |tasks, size| {
    each_chunk(tasks, size, async |chunk| join_all(chunk).await).await
});
scheme!(TryJoin, |tasks, size| {
    each_chunk(tasks, size, async |chunk| values(try_join_all(chunk).await)).await
});
scheme!(Group, |tasks, size| {
    each_chunk(tasks, size, async |chunk| {
        collect::<Unordered<F>, F>(chunk).await
    })
    .await
});
scheme!(Pool, |tasks, limit| {
    let (queue, queued) = async_channel::unbounded();
    let run = queued.for_each_concurrent(
        limit,
        |(task, handle): (F, oneshot::Sender<_>)| async move {
            // Fails if nobody waits for the result any more.
            let _ = handle.send(task.await);
        },
    );
    let submit = async move {
        let handles: Vec<_> = tasks
            .map(|task| {
                let (handle, result) = oneshot::channel();
                let sent = queue.try_send((task, handle));
                sent.expect("the queue is open");
                result
            })
            .collect();
        drop(queue);
        let mut results = Vec::new();
        for handle in handles {
            results.push(handle.await);
        }
        results.len()
    };
    future::join(run, submit).await.1
});

/// Returns its rolling window.
pub fn window() -> Contender {
    peer::<Window>("futures buffer_unordered")
}

/// Returns its stream in the order in which tasks finish.
pub fn stream() -> Contender {
    peer::<Stream>("futures buffer_unordered")
}

/// Returns its stream in input order.
pub fn ordered_stream() -> Contender {
    peer::<OrderedStream>("futures buffered")
}

/// Returns `select_ok`, and a race around `FuturesUnordered`.
pub fn races(workload: Workload) -> [Contender; 2] {
    // It polls all racers on each wake.
    let largest = workload.cap(1000);
    [
        peer::<SelectOk>("futures select_ok").up_to(largest, SCANS),
        peer::<Race>("FuturesUnordered, by hand"),
    ]
}

/// Returns its joins.
pub fn joins() -> [Contender; 2] {
    [
        peer::<Join>("futures join_all"),
        peer::<TryJoin>("futures try_join_all"),
    ]
}

/// Returns what takes tasks one by one, without handles.
pub fn groups() -> [Contender; 2] {
    [
        peer::<Join>("futures join_all, no handles"),
        peer::<Group>("FuturesUnordered, no handles"),
    ]
}

/// Returns a channel of tasks into `for_each_concurrent`, with a oneshot for each result.
pub fn pool() -> Contender {
    peer::<Pool>("for_each_concurrent, oneshots")
}
