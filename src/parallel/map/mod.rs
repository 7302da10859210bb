//! A rolling window over items, whose tasks a handler makes.

mod gates;
mod keyed;
mod keys;
mod source;

use core::future::Future;

use futures::stream::{self, Stream};

use super::{Parallel, ParallelOptions};
use crate::limit::{LeaveLimit, Limit, Permit};
use crate::outcome::TaskOutput;
use crate::rate::{LeaveRate, Rate};
use crate::run::{Admitted, Concurrency, Run};
use crate::time::Timer;

pub use gates::{Cost, Weigh};
pub use keyed::Keyed;
pub use source::{Both, MapSource};

/// The run of [`parallel_map`].
type Mapped<I, F, X, Fut, T, E> = Parallel<MapSource<I, F, X>, Admitted<Fut, ()>, T, E>;

/// The run of [`Parallel::weigh`].
type Weighed<I, F, X, G, W, Fut, P, T, E, O> = Parallel<
    MapSource<I, F, X, Both<G, Weigh<W>, P>>,
    Admitted<Fut, (P, Permit)>,
    T,
    E,
    (O, LeaveLimit),
>;

/// The run of [`Parallel::cost`].
type Costed<I, F, X, G, M, C, Fut, P, T, E, O> = Parallel<
    MapSource<I, F, X, Both<G, Cost<M, C>, P>>,
    Admitted<Fut, (P, ())>,
    T,
    E,
    (O, LeaveRate),
>;

/// The run of [`Parallel::per_key`].
type PerKey<I, F, X, G, N, K, Fut, T, E, O> =
    Parallel<MapSource<Keyed<I, N, K, X>, F, X, G>, Fut, T, E, O>;

/// Runs `handler` on each item, at most [`concurrency`](Parallel::concurrency) at a time.
///
/// The same as [`parallel()`](crate::parallel()) over the tasks that `handler` returns, with all of its settings. As
/// the run sees the items, they may say when they start, too: by their [weight](Parallel::weigh), their
/// [cost](Parallel::cost) and their [key](Parallel::per_key). For a handler that waits for all of a batch, see
/// [`batched`](crate::batched()).
///
/// ```
/// use abreast::{Limit, parallel_map};
///
/// struct Video {
///     name: &'static str,
///     megabytes: usize,
/// }
///
/// async fn transcode(video: &Video) -> Result<String, std::io::Error> {
///     // ...
/// #    Ok(video.name.to_uppercase())
/// }
///
/// # smol::block_on(async {
/// let videos = [
///     Video { name: "intro", megabytes: 40 },
///     Video { name: "talk", megabytes: 900 },
/// ];
/// let memory = Limit::new(1024);
/// let result = parallel_map(&videos, transcode)
///     .concurrency(8)
///     .weigh(&memory, |video| video.megabytes)
///     .await;
/// assert_eq!(result.into_values().unwrap(), ["INTRO", "TALK"]);
/// # });
/// ```
///
/// # Order
/// Items are pulled, and `handler` called on them, in input order, each when its task starts. The result is in input
/// order. Under a [`limit`](Parallel::limit) or a [`rate`](Parallel::rate), the handler is called on the next item
/// before its task may start; under a weight or a cost, it is called then.
///
/// # Cancel safety
/// Dropping the future drops all running tasks at once, and an item that waits.
///
/// # Panics
/// A panic of a task, the handler, a hook or the iterator passes through. Polled again, the rest is run. An item on
/// which the handler itself has panicked is left out, as if it had not been there: those behind it move up.
///
/// # Polls and allocations
/// As with [`parallel()`](crate::parallel()): the handler costs its call.
pub fn parallel_map<I, F, Fut, T, E>(
    items: I,
    handler: F,
) -> Mapped<stream::Iter<I::IntoIter>, F, I::Item, Fut, T, E>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future<Output: TaskOutput<Value = T, Error = E>>,
{
    parallel_map_stream(stream::iter(items), handler)
}

/// Runs `handler` on each item that a [`Stream`] yields, at most [`concurrency`](Parallel::concurrency) at a time.
///
/// The same as [`parallel_map`] otherwise. The stream is polled only when there is room for another task, as by
/// [`parallel_stream`](crate::parallel_stream).
///
/// ```
/// use abreast::parallel_map_stream;
/// use futures::stream;
///
/// # smol::block_on(async {
/// let pages = stream::iter(1..=3);
/// let result = parallel_map_stream(pages, |page| async move { Ok::<_, ()>(page * 2) }).await;
/// assert_eq!(result.into_values(), Ok(vec![2, 4, 6]));
/// # });
/// ```
pub fn parallel_map_stream<I, F, Fut, T, E>(
    items: I,
    handler: F,
) -> Mapped<I, F, I::Item, Fut, T, E>
where
    I: Stream,
    F: FnMut(I::Item) -> Fut,
    Fut: Future<Output: TaskOutput<Value = T, Error = E>>,
{
    let options = ParallelOptions::new();
    let tasks = MapSource::new(items, handler);
    Parallel {
        run: Run::new(tasks, Concurrency::Rolling(options.concurrency)),
    }
    .options(options)
}

impl<I, F, X, G, Fut, P, T, E, O> Parallel<MapSource<I, F, X, G>, Admitted<Fut, P>, T, E, O> {
    /// Limits the sum of the weights of running tasks by a [`Limit`] that is shared with others.
    ///
    /// Each task has a permit of its item's weight from its start until it has ended and been dropped. An item that is
    /// heavier than the limit runs alone: see [`Limit::acquire_many`]. The [`concurrency`](Self::concurrency) of the
    /// run holds as well.
    ///
    /// ```
    /// use abreast::{Limit, parallel_map};
    /// # async fn load(rows: usize) -> Result<usize, std::io::Error> { Ok(rows) }
    ///
    /// # smol::block_on(async {
    /// // At most 1,000 rows in memory.
    /// let rows = Limit::new(1000);
    /// let loaded = parallel_map([400, 700, 5000, 20], load).weigh(&rows, |&rows| rows).await;
    /// assert!(loaded.all_succeeded());
    /// # });
    /// ```
    ///
    /// # Order
    /// In input order: what is light does not overtake what is heavy, within the run and among those who share the
    /// limit. The next item is pulled and weighed before there is a permit for it, and only then is the handler called.
    /// Where items wait for several things, they wait in the order of the calls: to be called before
    /// [`cost`](Self::cost).
    ///
    /// # Cancel safety
    /// Dropping the run gives back all of its permits and its place in the line. A failure that ends it gives up the
    /// place.
    ///
    /// # Panics
    /// A panic of `weight` passes through, and its item is left out, as by a panic of the handler.
    ///
    /// # Polls and allocations
    /// While it waits, running tasks go on. It is woken once for each permit, and no allocation is made for one.
    pub fn weigh<W>(self, limit: &Limit, weight: W) -> Weighed<I, F, X, G, W, Fut, P, T, E, O>
    where
        W: FnMut(&X) -> usize,
    {
        let (gate, leave) = limit.gate();
        let run = self
            .run
            .map_tasks(|source| source.then(Weigh::new(gate, weight)));
        Parallel {
            run: run.observe(leave),
        }
    }

    /// Starts the tasks at a [`Rate`] that is shared with others, of which each takes as many units as its item costs.
    ///
    /// For services that count more than requests: tokens, rows, megabytes. Beside it, [`rate`](Self::rate) counts
    /// requests.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use std::time::Duration;
    /// use abreast::{Rate, parallel_map, time::VirtualClock};
    /// # async fn ask(prompt: &str) -> Result<String, std::io::Error> { Ok(prompt.to_uppercase()) }
    ///
    /// let minute = Duration::from_secs(60);
    /// let requests = Rate::per(60, minute).burst(10);
    /// let tokens = Rate::per(6_000, minute).burst(1_000);
    ///
    /// // Or `tokio::time::sleep`, `smol::Timer::after` ...
    /// let clock = VirtualClock::new();
    /// let prompts = [("summarize", 800), ("translate", 200), ("explain", 500)];
    /// let run = parallel_map(prompts, async |(prompt, _)| ask(prompt).await)
    ///     .cost(&tokens, clock.timer(), |&(_, tokens)| tokens)
    ///     .rate(&requests, clock.timer());
    /// assert!(clock.run(run).all_succeeded());
    /// // The burst was enough for two, and 500 tokens more take five seconds.
    /// assert_eq!(clock.now(), Duration::from_secs(5));
    /// # }
    /// ```
    ///
    /// # Order
    /// In input order: what is cheap does not overtake what is dear. The next item is pulled, and its cost asked for,
    /// before it may start, and only then is the handler called. Where there is a [`rate`](Self::rate) as well, units
    /// are acquired first, and the turn of the request is waited for then.
    ///
    /// # Cancel safety
    /// Dropping the run gives up its place in the line, and so does a failure that ends it. What was acquired is spent.
    ///
    /// # Panics
    /// Polled, if the cost of an item is more than the [`burst`](Rate::burst): it would never be there. Such an item is
    /// left out, as by a panic of the handler, and so is one on which `cost` panics. Polled without the feature `std`,
    /// if the timer has no clock: see [`Timer::now`].
    ///
    /// # Polls and allocations
    /// While it waits, running tasks go on. One allocation, for the timer, when it waits first.
    pub fn cost<M, C>(
        self,
        rate: &Rate,
        timer: M,
        cost: C,
    ) -> Costed<I, F, X, G, M, C, Fut, P, T, E, O>
    where
        M: Timer,
        C: FnMut(&X) -> u32,
    {
        let (gate, leave) = rate.gate(timer);
        let run = self
            .run
            .map_tasks(|source| source.then(Cost::new(gate, cost)));
        Parallel {
            run: run.observe(leave),
        }
    }
}

impl<I, F, X, G, Fut, T, E, O> Parallel<MapSource<I, F, X, G>, Fut, T, E, O> {
    /// Runs at most `limit` tasks of the same key at a time, and those of other keys meanwhile.
    ///
    /// For hosts, accounts, files: what takes only so much at once, each for itself. Items whose key is full wait, and
    /// those behind them are looked at: up to 64 wait, or as many as [`look_ahead`](Self::look_ahead) says, so one slow
    /// host does not stop the others. The [`concurrency`](Self::concurrency) of the run holds as well.
    ///
    /// ```
    /// use abreast::parallel_map;
    /// # async fn fetch(url: &str) -> Result<usize, std::io::Error> { Ok(url.len()) }
    ///
    /// # smol::block_on(async {
    /// let urls = ["a.org/1", "a.org/2", "a.org/3", "b.org/1", "c.org/1"];
    /// let pages = parallel_map(urls, fetch)
    ///     .concurrency(20)
    ///     .per_key(2, |url| url.split('/').next())
    ///     .await;
    /// // In input order, whatever the order in which they have started.
    /// assert_eq!(pages.into_values().unwrap(), [7; 5]);
    /// # });
    /// ```
    ///
    /// # Order
    /// The oldest item whose key has room starts next. So tasks of a key start in input order, and no key waits while
    /// there are room and an item of it in sight: only for tasks of its own, and for those that came before. Results,
    /// hooks and streams have the index of the item in the input.
    ///
    /// In an [ordered stream](Self::into_ordered_stream), a task that waits for its key holds up those behind it: they
    /// count for the concurrency once they have started. It never waits for ever: what is first in line has room when
    /// its key has.
    ///
    /// # Cancel safety
    /// Dropping the run drops the items that wait as well. A failure that ends it leaves them
    /// [`Cancelled`](crate::Outcome::Cancelled), in their places.
    ///
    /// # Panics
    /// If `limit` is 0: nothing could ever run. An item on which `key` panics, or the comparison of its key, is left
    /// out. One on which the handler, a weight or a cost panics is [`Cancelled`](crate::Outcome::Cancelled), as those
    /// behind it may have started.
    ///
    /// # Polls and allocations
    /// Memory is for the items that wait, and for the keys of those and of running tasks: a key that has nothing left
    /// is forgotten. Keys are compared, and not hashed: that needs neither `std` nor a random seed. As many comparisons
    /// for each item as a binary search makes.
    #[track_caller]
    pub fn per_key<N, K>(self, limit: usize, key: N) -> PerKey<I, F, X, G, N, K, Fut, T, E, O>
    where
        I: Stream,
        N: FnMut(&X) -> K,
        K: Ord,
    {
        assert!(
            limit > 0,
            "a limit of 0 per key runs nothing: pass at least 1"
        );
        let keyed = |items| Keyed::new(items, limit, key);
        Parallel {
            run: self.run.map_source(|source| source.map_items(keyed)),
        }
    }
}

impl<I, N, K, F, X, G, Fut, T, E, O> PerKey<I, F, X, G, N, K, Fut, T, E, O> {
    /// Sets how many items may wait for their key while those behind them start; 64 by default.
    ///
    /// With 1, the first item whose key is full holds up all others. With more, they are pulled from the source sooner,
    /// and kept: with `usize::MAX`, all that there are may be.
    ///
    /// ```
    /// # smol::block_on(async {
    /// # let items = [1, 2, 3];
    /// let result = abreast::parallel_map(items, |n| async move { Ok::<_, ()>(n) })
    ///     .per_key(2, |n| n % 2)
    ///     .look_ahead(1000)
    ///     .await;
    /// # });
    /// ```
    ///
    /// # Panics
    /// If `items` is 0: nothing could ever be looked at.
    #[track_caller]
    pub fn look_ahead(mut self, items: usize) -> Self {
        assert!(items > 0, "a look-ahead of 0 sees no item: pass at least 1");
        self.run.source_mut().items_mut().look_ahead = items;
        self
    }
}
