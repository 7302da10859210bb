//! unicycle: an unbounded set on a slab.

use harness::{Contender, Set, each_race, first_success, peer, roll, scheme};

struct Unordered<F>(unicycle::FuturesUnordered<F>);

impl<F: Future> Set<F> for Unordered<F> {
    fn with_capacity(_: usize) -> Self {
        Self(unicycle::FuturesUnordered::new())
    }

    fn push(&mut self, future: F) {
        self.0.push(future);
    }

    fn next(&mut self) -> impl Future<Output = Option<F::Output>> {
        self.0.next()
    }
}

scheme!(Roll, |tasks, limit| {
    roll::<Unordered<F>, F>(tasks, limit).await
});
scheme!(Race, |tasks, size| {
    each_race(tasks, size, async |chunk| {
        first_success::<Unordered<F>, F>(chunk).await
    })
    .await
});

/// Returns a rolling window around its set.
pub fn window() -> Contender {
    peer::<Roll>("unicycle, by hand")
}

/// Returns a race around its set.
pub fn race() -> Contender {
    peer::<Race>("unicycle, by hand")
}
