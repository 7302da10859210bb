//! futures-buffered: bounded sets with a waker for each future.

use futures::{StreamExt, stream};
use futures_buffered::{BufferedStreamExt, FuturesUnorderedBounded, join_all, try_join_all};
use harness::{
    Contender, Set, consume, each_chunk, each_race, first_success, peer, roll, scheme, values,
};

struct Bounded<F>(FuturesUnorderedBounded<F>);

impl<F: Future> Set<F> for Bounded<F> {
    fn with_capacity(capacity: usize) -> Self {
        Self(FuturesUnorderedBounded::new(capacity))
    }

    fn push(&mut self, future: F) {
        self.0.push(future);
    }

    fn next(&mut self) -> impl Future<Output = Option<F::Output>> {
        self.0.next()
    }
}

scheme!(Window, |tasks, limit| {
    let results = stream::iter(tasks).buffered_unordered(limit);
    results.collect::<Vec<_>>().await.len()
});
scheme!(WindowByHand, |tasks, limit| {
    roll::<Bounded<F>, F>(tasks, limit).await
});
scheme!(Stream, |tasks, limit| {
    consume(stream::iter(tasks).buffered_unordered(limit)).await
});
scheme!(OrderedStream, |tasks, limit| {
    consume(stream::iter(tasks).buffered_ordered(limit)).await
});
scheme!(Race, |tasks, size| {
    each_race(tasks, size, async |chunk| {
        first_success::<Bounded<F>, F>(chunk).await
    })
    .await
});
scheme!(Join, |tasks, size| {
    each_chunk(tasks, size, async |chunk| join_all(chunk).await).await
});
scheme!(TryJoin, |tasks, size| {
    each_chunk(tasks, size, async |chunk| values(try_join_all(chunk).await)).await
});

/// Returns its rolling windows.
pub fn windows() -> [Contender; 2] {
    [
        peer::<Window>("futures-buffered buffered_unordered"),
        peer::<WindowByHand>("futures-buffered, by hand"),
    ]
}

/// Returns its stream in the order in which tasks finish.
pub fn stream() -> Contender {
    peer::<Stream>("futures-buffered buffered_unordered")
}

/// Returns its stream in input order.
pub fn ordered_stream() -> Contender {
    peer::<OrderedStream>("futures-buffered buffered_ordered")
}

/// Returns a race around its set.
pub fn race() -> Contender {
    peer::<Race>("futures-buffered, by hand")
}

/// Returns its joins.
pub fn joins() -> [Contender; 2] {
    [
        peer::<Join>("futures-buffered join_all"),
        peer::<TryJoin>("futures-buffered try_join_all"),
    ]
}
