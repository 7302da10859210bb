//! Streams of results that are polled by fits and starts, and dropped before their end; pages.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use abreast::{paginate, parallel, parallel_stream};
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};

use crate::driver::{RunOutcome, drive};
use crate::plan::{End, any, plans};
use crate::programs;
use crate::random::Random;
use crate::verbs::window;
use crate::world::World;

type Item = (usize, Result<usize, usize>);

/// What a consumer takes out of a stream.
#[derive(Clone)]
struct Taken<T>(Arc<Mutex<Vec<T>>>);

impl<T: Clone> Taken<T> {
    fn new() -> Self {
        Self(Arc::default())
    }

    fn get(&self) -> Vec<T> {
        self.0.lock().unwrap().clone()
    }

    /// Takes at most so many items at each poll, by calls of `next()` that are dropped when they are pending, and ends
    /// at the end of the stream or after `most` items.
    fn poll<S: StreamExt<Item = T> + Unpin>(
        &self,
        stream: &mut S,
        (per_poll, most): (usize, usize),
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        for _ in 0..per_poll {
            if self.get().len() == most {
                return Poll::Ready(());
            }
            match stream.next().poll_unpin(cx) {
                Poll::Ready(Some(item)) => self.0.lock().unwrap().push(item),
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
        // It has something else to do, and comes back for the rest.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Draws how many items are taken at each poll, and in all.
fn appetite(random: &mut Random) -> (usize, usize) {
    let most = if random.one_in(3) {
        random.below(8)
    } else {
        usize::MAX
    };
    (1 + random.below(4), most)
}

#[test]
fn interrupted_streams_lose_nothing() {
    programs(results);
}

pub(crate) fn results(random: &mut Random) {
    let world = World::new(plans(random, 15));
    let (len, window) = (world.plans().len(), window(random));
    let (is_ordered, fails_fast) = (random.one_in(2), random.one_in(4));
    let source = world.clone();
    let tasks = (0..len).map(move |index| source.task(index));
    // A list and a stream of tasks have types of their own.
    let mut stream: BoxStream<'_, Item> = if random.one_in(2) {
        let run = parallel(tasks).concurrency(window).fail_fast(fails_fast);
        if is_ordered {
            run.into_ordered_stream().boxed()
        } else {
            run.into_stream().boxed()
        }
    } else {
        let run = parallel_stream(stream::iter(tasks)).concurrency(window);
        let run = run.fail_fast(fails_fast);
        if is_ordered {
            run.into_ordered_stream().boxed()
        } else {
            run.into_stream().boxed()
        }
    };

    let appetite = appetite(random);
    let taken = Taken::new();
    let (taking, creator) = (taken.clone(), world.clone());
    let run = poll_fn(move |cx| {
        let polled = taking.poll(&mut stream, appetite, cx);
        // What is running and what waits to be handed over fits into the window. What has panicked may have no result.
        let gone = taking.get().len() + creator.panics();
        let waiting = creator.created().saturating_sub(gone);
        assert!(waiting <= window, "{waiting} are held back");
        polled
    });
    let is_cancelled = random.one_in(4);
    let outcome = drive(&world, random, is_cancelled, run);
    world.assert_over(window);

    // Each result comes once, in the order of the tasks or in that in which they have ended.
    let taken = taken.get();
    let results = world.results().into_iter();
    let mut expected: Vec<Item> = results
        .map(|result| (result.unwrap_or_else(|error| error), result))
        .collect();
    if is_ordered {
        assert!(taken.is_sorted_by_key(|item| item.0), "order");
        expected.sort_by_key(|item| item.0);
    }
    assert!(
        expected.starts_with(&taken) || fails_fast,
        "lost or made up"
    );
    assert!(taken.iter().all(|item| expected.contains(item)), "made up");
    if let RunOutcome::Cancelled = outcome {
        assert!(is_cancelled || any(world.plans(), End::Never), "it hangs");
    } else if taken.len() < appetite.1 && !fails_fast {
        let has_result = |index: &usize| world.plans()[*index].result(*index).is_some();
        assert_eq!(taken.len(), (0..len).filter(has_result).count(), "lost");
    }
}

#[test]
fn pages_come_in_order() {
    programs(pages);
}

pub(crate) fn pages(random: &mut Random) {
    // Each fetch is a task, whose result says which page it is. An empty page or an error ends the list.
    let mut plans = plans(random, 5);
    for plan in &mut plans {
        plan.shares_waker = true;
    }
    let world = World::new(plans);
    let limit = 1 + random.below(5);
    let len = world.plans().len();
    let sizes: Vec<_> = (0..len)
        .map(|_| {
            if random.one_in(8) {
                random.below(8)
            } else {
                limit
            }
        })
        .collect();
    let (fetcher, pages) = (world.clone(), sizes.clone());
    let mut fetched = 0;
    let mut items_before = 0;
    let fetch = move |asked: usize, offset: usize| {
        assert_eq!((asked, offset), (limit, items_before), "what is asked for");
        let page = fetched;
        fetched += 1;
        let size = pages.get(page).copied().unwrap_or(0);
        let items = offset..offset + size;
        items_before += size;
        let task = (page < pages.len()).then(|| fetcher.task(page));
        async move {
            if let Some(task) = task {
                task.await?;
            }
            Ok::<_, usize>(items)
        }
    };
    let mut stream = paginate(fetch).limit(limit);
    let appetite = appetite(random);
    let taken = Taken::new();
    let taking = taken.clone();
    let run = poll_fn(move |cx| taking.poll(&mut stream, appetite, cx));
    let is_cancelled = random.one_in(4);
    let outcome = drive(&world, random, is_cancelled, run);
    world.assert_over(1);

    // Pages up to the first that fails, panics, hangs, or is the last.
    let mut expected = Vec::new();
    let mut hangs = false;
    for (page, (plan, size)) in world.plans().iter().zip(&sizes).enumerate() {
        hangs = plan.end == End::Never;
        match plan.result(page) {
            Some(Ok(_)) => {
                let first = expected.len();
                expected.extend((first..first + size).map(Ok));
            }
            Some(Err(error)) => {
                expected.push(Err(error));
                break;
            }
            None => break,
        }
        if *size < limit {
            break;
        }
    }
    let taken = taken.get();
    let dropped_badly = world.plans().iter().any(|plan| plan.drop_panics);
    assert!(expected.starts_with(&taken), "lost or made up");
    if let RunOutcome::Cancelled = outcome {
        assert!(is_cancelled || hangs, "it hangs");
    } else if !dropped_badly {
        assert_eq!(taken.len(), expected.len().min(appetite.1), "lost");
    }
}
