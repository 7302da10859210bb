//! Allocations: two for each slot and a few more, however many tasks there are; and everything is given back.

use std::cell::RefCell;
use std::future::{Future, Pending, pending, poll_fn, ready};
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::counting::{Usage, usage_of, usage_so_far};
use crate::support::yield_now;
use abreast::{
    batched, fall_through, gather, join_all, paginate, parallel, parallel_stream, race, sequential,
    task_group, timeout, try_gather,
};
use futures::future::LocalBoxFuture;
use futures::{Stream, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// How the tasks of a test end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Ready,
    SelfWaking,
    Woken,
}

const KINDS: [Kind; 3] = [Kind::Ready, Kind::SelfWaking, Kind::Woken];

thread_local! {
    /// The wakers of the tasks that wait to be woken.
    static WAITING: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
}

struct Work {
    kind: Kind,
    begun: bool,
    result: Result<u32, u32>,
}

impl Work {
    fn new(kind: Kind, result: Result<u32, u32>) -> Self {
        Self {
            kind,
            begun: false,
            result,
        }
    }
}

impl Future for Work {
    type Output = Result<u32, u32>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.begun || self.kind == Kind::Ready {
            return Poll::Ready(self.result);
        }
        self.begun = true;
        match self.kind {
            Kind::SelfWaking => cx.waker().wake_by_ref(),
            _ => WAITING.with_borrow_mut(|waiting| waiting.push(cx.waker().clone())),
        }
        Poll::Pending
    }
}

/// Makes room for all that may wait, so that the test itself allocates nothing.
fn make_room(waiting: usize) {
    WAITING.with_borrow_mut(|wakers| {
        wakers.clear();
        wakers.reserve(waiting);
    });
}

/// Polls to the end, and wakes one waiting task after each poll.
fn drive<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        let waker = WAITING.with_borrow_mut(Vec::pop);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// What a window of any size allocates besides two for each slot: the ready set, the growing list of slots (a doubling
/// at a time) and the list of results.
const FEW: usize = 16;

#[test]
fn parallel_allocates_twice_per_slot() {
    for concurrency in [5, 64, 256] {
        for kind in KINDS {
            let many = if concurrency == 5 { 1_000_000 } else { 100_000 };
            for tasks in [1_000, many] {
                make_room(concurrency);
                let (usage, succeeded) = usage_of(|| {
                    let tasks = (0..tasks).map(|n| Work::new(kind, Ok(n)));
                    drive(parallel(tasks).concurrency(concurrency)).success_count()
                });
                assert_eq!(succeeded, tasks as usize);
                assert!(
                    usage.allocations <= 2 * concurrency + FEW,
                    "{} allocations for {tasks} tasks, {concurrency} at a time, {kind:?}",
                    usage.allocations
                );
                assert_eq!(usage.live, 0);
            }
        }
    }
}

#[test]
fn unknown_totals_grow_one_list() {
    let allocations = |tasks| {
        let tasks = (0..tasks)
            .filter(|_| true)
            .map(|n| Work::new(Kind::Ready, Ok(n)));
        let (usage, _) = usage_of(|| drive(parallel(tasks)).len());
        usage.allocations
    };
    assert!(allocations(1_000) <= 2 * 5 + FEW);
    // Twenty doublings.
    assert!(allocations(1_000_000) <= 2 * 5 + 20 + FEW);
}

#[test]
fn a_window_costs_what_it_holds() {
    make_room(100);
    let tasks = || (0..100).map(|n| Work::new(Kind::Woken, Ok(n)));
    let (usage, _) = usage_of(|| drive(parallel(tasks()).concurrency(usize::MAX)).len());
    assert!(usage.allocations <= 2 * 100 + FEW, "{usage:?}");
    assert!(usage.peak < 100 * 1024, "{usage:?}");
}

#[test]
fn ready_tasks_share_one_slot() {
    let tasks = (0..10_000).map(|n| Work::new(Kind::Ready, Ok(n)));
    let (usage, _) = usage_of(|| drive(parallel(tasks).concurrency(1_000)).len());
    assert!(usage.allocations <= 2 + FEW, "{usage:?}");
}

/// Polls for the next item, waking one waiting task after each poll.
fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    drive(poll_fn(|cx| stream.poll_next_unpin(cx)))
}

fn endless_in_constant_memory(name: &str, kind: Kind, mut stream: impl Stream + Unpin) {
    for _ in 0..1_000 {
        assert!(next(&mut stream).is_some());
    }
    let items = if kind == Kind::Woken {
        1_000_000
    } else {
        50_000
    };
    let (usage, ()) = usage_of(|| {
        for _ in 0..items {
            next(&mut stream);
        }
    });
    assert_eq!(
        usage,
        Usage::default(),
        "{name}, {kind:?}: bytes came or went while {items} items did"
    );
}

/// What a consumer that keeps nothing leaves behind, call for call.
#[test]
fn endless_consumption_takes_constant_memory() {
    for (kind, ordered) in KINDS.iter().flat_map(|&kind| [(kind, false), (kind, true)]) {
        make_room(16);
        let live = std::cell::Cell::new((0, 0));
        let (usage, _) = usage_of(|| {
            let run = parallel((0..).map(|n| Work::new(kind, Ok(n)))).concurrency(16);
            // It waits every other time, so that results wait for it. The first calls may make room for those.
            let run = run.try_for_each(|index, _| {
                let live = &live;
                async move {
                    if index % 2 == 0 {
                        yield_now().await;
                    }
                    match index {
                        1_000 => live.set((usage_so_far().allocations, usage_so_far().live)),
                        20_000 => {
                            let now = (usage_so_far().allocations, usage_so_far().live);
                            assert_eq!(live.get(), now, "{kind:?}");
                            return Err(());
                        }
                        _ => {}
                    }
                    Ok(())
                }
            });
            let ended = if ordered {
                drive(run.ordered())
            } else {
                drive(run)
            };
            assert!(ended.is_err());
        });
        assert!(usage.allocations <= 2 * 16 + FEW, "{kind:?}: {usage:?}");
        WAITING.with_borrow_mut(Vec::clear);
    }
}

#[test]
fn endless_streams_take_constant_memory() {
    for kind in KINDS {
        make_room(64);
        let tasks = || (0_u32..).map(|n| Work::new(kind, Ok(n)));
        let window = || parallel(tasks()).concurrency(16);
        endless_in_constant_memory("as finished", kind, window().into_stream());
        endless_in_constant_memory("in order", kind, window().into_ordered_stream());
        let stream = parallel_stream(futures::stream::iter(tasks())).into_stream();
        endless_in_constant_memory("from a stream", kind, stream);
    }
}

#[test]
fn a_huge_hint_reserves_little() {
    // futures-concurrency makes 4,000,000 slots for one future.
    struct Boasting(usize, u32);
    impl Iterator for Boasting {
        type Item = Work;
        fn next(&mut self) -> Option<Work> {
            self.1 = self.1.checked_sub(1)?;
            Some(Work::new(Kind::SelfWaking, Ok(self.1)))
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (self.0, Some(self.0))
        }
    }
    const MOST: isize = 64 * 1024;
    for hint in [4_000_000, usize::MAX] {
        let runs: [(&str, LocalBoxFuture<'_, ()>); 7] = [
            (
                "parallel",
                Box::pin(async move { drop(parallel(Boasting(hint, 1)).await) }),
            ),
            (
                "stream",
                Box::pin(async move {
                    parallel(Boasting(hint, 1))
                        .into_stream()
                        .for_each(|_| ready(()))
                        .await;
                }),
            ),
            (
                "ordered",
                Box::pin(async move {
                    let stream = parallel(Boasting(hint, 1)).into_ordered_stream();
                    stream.for_each(|_| ready(())).await;
                }),
            ),
            (
                "race",
                Box::pin(async move { drop(race(Boasting(hint, 1)).await) }),
            ),
            (
                "sequential",
                Box::pin(async move { drop(sequential(Boasting(hint, 1)).await) }),
            ),
            (
                "batched",
                Box::pin(async move {
                    drop(batched(Boasting(hint, 1), |work| work).await);
                }),
            ),
            (
                "settle",
                Box::pin(async move {
                    drop(batched(Boasting(hint, 1), |work| work).settle().await);
                }),
            ),
        ];
        for (name, run) in runs {
            let (usage, ()) = usage_of(|| drive(run));
            assert!(usage.peak < MOST, "{name}, {hint} hinted at: {usage:?}");
        }
    }
}

#[test]
fn a_small_hint_costs_no_more() {
    struct Modest(std::ops::Range<u32>);
    impl Iterator for Modest {
        type Item = Work;
        fn next(&mut self) -> Option<Work> {
            Some(Work::new(Kind::Ready, Ok(self.0.next()?)))
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (3, Some(3))
        }
    }
    let (usage, len) = usage_of(|| drive(parallel(Modest(0..100_000))).len());
    assert_eq!(len, 100_000);
    assert!(usage.allocations <= 2 * 5 + 17 + FEW, "{usage:?}");
}

#[test]
fn eight_racers_share_an_allocation() {
    for racers in [10_u32, 1_000, 10_000] {
        let doublings = racers.ilog2() as usize;
        for kind in [Kind::SelfWaking, Kind::Woken] {
            make_room(racers as usize);
            let (usage, won) = usage_of(|| {
                let won = drive(race((0..racers).map(|n| Work::new(kind, Ok(n)))));
                // The wakers of the losers.
                WAITING.with_borrow_mut(Vec::clear);
                won.is_ok()
            });
            assert!(won);
            // A chunk of slots, and a word of the ready set for each 64. The lists of both grow with the race.
            let racers = racers as usize;
            let most = racers / 8 + racers / 64 + 2 * doublings + FEW;
            assert!(
                usage.allocations <= most,
                "{racers} racers, {kind:?}: {usage:?}"
            );
            assert_eq!(usage.live, 0);
        }
        // Those that fail at once share a slot. Their errors are a list.
        let all = (0..racers).map(|n| Work::new(Kind::Ready, Err(n)));
        let (usage, _) = usage_of(|| drive(race(all)).is_err());
        assert!(usage.allocations <= 2 + doublings + FEW, "{usage:?}");
        let (usage, _) =
            usage_of(|| drive(race((0..racers).map(|n| Work::new(Kind::Ready, Ok(n))))).is_ok());
        // Where many are expected, the ready set begins with a leaf, or a leaf under a node.
        let nodes = match racers {
            ..55 => 0,
            55..7_000 => 3,
            _ => 5,
        };
        assert!(usage.allocations <= 4 + nodes, "{usage:?}");
    }
}

#[test]
fn sequential_allocates_a_constant() {
    for kind in KINDS {
        for (tasks, lists) in [(1, 1), (1_000, 1), (100_000, 4)] {
            make_room(1);
            let (usage, values) = usage_of(|| {
                drive(sequential((0..tasks).map(|n| Work::new(kind, Ok(n)))))
                    .unwrap()
                    .len()
            });
            assert_eq!(values, tasks as usize);
            // The list of outcomes in a few steps, and the list of values that it becomes.
            assert!(
                usage.allocations <= 4 + lists + 1,
                "{tasks}, {kind:?}: {usage:?}"
            );
            assert_eq!(usage.live, 0);
        }
    }
}

#[test]
fn batches_allocate_for_one_batch() {
    for size in [1, 10, 64, 256] {
        for kind in KINDS {
            for items in [1_000, 100_000] {
                for settle in [false, true] {
                    make_room(size);
                    let (usage, values) = usage_of(|| {
                        let run = batched(0..items, |n| Work::new(kind, Ok(n))).batch_size(size);
                        if settle {
                            drive(run.settle()).success_count()
                        } else {
                            drive(run).unwrap().len()
                        }
                    });
                    assert_eq!(values, items as usize);
                    assert!(
                        usage.allocations <= 2 * size + FEW,
                        "{size}, {kind:?}: {usage:?}"
                    );
                    assert_eq!(usage.live, 0);
                }
            }
        }
    }
}

#[test]
fn falling_through_allocates_a_constant() {
    for tasks in [10_u32, 1_000, 100_000] {
        for kind in KINDS {
            make_room(1);
            let (usage, _) = usage_of(|| {
                let tasks =
                    (0..=tasks).map(|n| Work::new(kind, if n == tasks { Ok(n) } else { Err(n) }));
                assert!(drive(fall_through(tasks)).is_ok());
            });
            // Each error is kept.
            let doublings = tasks.ilog2() as usize;
            assert!(
                usage.allocations <= 3 + doublings,
                "{tasks}, {kind:?}: {usage:?}"
            );
            assert_eq!(usage.live, 0);
        }
    }
}

#[test]
fn timeouts_and_delays_allocate_little() {
    let waiting = |timer: fn(Duration) -> Pending<()>| {
        let (usage, ()) = usage_of(|| {
            let mut run = std::pin::pin!(timeout(Duration::MAX, timer, pending::<()>()));
            for _ in 0..10 {
                let run = run.as_mut();
                assert!(
                    run.poll(&mut Context::from_waker(Waker::noop()))
                        .is_pending()
                );
            }
        });
        usage.allocations
    };
    assert_eq!(waiting(|_| pending()), 0);

    let racing = |staggered: bool| {
        make_room(30);
        let (usage, ()) = usage_of(|| {
            let tasks = (0..30).map(|n| Work::new(Kind::Woken, Err(n)));
            if staggered {
                drop(drive(race(tasks).stagger(Duration::MAX, |_| yield_now())));
            } else {
                drop(drive(race(tasks)));
            }
        });
        assert_eq!(usage.live, 0);
        usage.allocations
    };
    assert!(racing(true) <= racing(false) + 1);
}

#[test]
fn a_tuple_allocates_once() {
    let work = |n| Work::new(Kind::SelfWaking, Ok(n));
    let (usage, _) = usage_of(|| drive(gather((work(0), work(1), work(2)))));
    assert_eq!((usage.allocations, usage.live), (1, 0));
    let set = || (work(0), work(1), work(2), work(3), work(4), work(5));
    let (usage, _) = usage_of(|| drive(try_gather(set())));
    assert_eq!((usage.allocations, usage.live), (1, 0));
}

#[test]
fn eight_futures_share_an_allocation() {
    for n in [1_usize, 30, 1_000, 10_000] {
        let work = |n| Work::new(Kind::SelfWaking, Ok(n));
        let set: Vec<_> = (0..n as u32).map(work).collect();
        let few = FEW + 2 * n.ilog2() as usize;
        let (usage, outputs) = usage_of(|| drive(gather(set)));
        assert_eq!((outputs.len(), outputs.capacity()), (n, n));
        assert!(usage.allocations <= n / 8 + n / 64 + few, "{n}: {usage:?}");
        let (usage, outputs) = usage_of(|| drive(join_all((0..n as u32).map(work))));
        assert_eq!((outputs.len(), outputs.capacity()), (n, n));
        assert!(usage.allocations <= n / 8 + n / 64 + few, "{n}: {usage:?}");
        let (usage, outputs) = usage_of(|| drive(join_all((0..n as u32).map(work)).concurrency(5)));
        assert_eq!(outputs.len(), n);
        assert!(usage.allocations <= 2 * 5 + few, "{n}: {usage:?}");
    }
}

#[test]
fn paging_allocates_once() {
    for items in [10, 1_000, 100_000] {
        let (usage, ()) = usage_of(|| {
            let mut pages = paginate(|limit, offset| async move {
                yield_now().await;
                Ok::<_, ()>((0..items).skip(offset).take(limit))
            })
            .limit(10);
            let mut received = 0;
            while drive(pages.next()).is_some() {
                received += 1;
            }
            assert_eq!(received, items);
        });
        assert_eq!((usage.allocations, usage.live), (1, 0));
    }
}

#[test]
fn groups_allocate_twice_per_running_task() {
    for (tasks, limit) in [(1_000_usize, usize::MAX), (1_000, 5), (100_000, 5)] {
        make_room(tasks);
        let (usage, result) = usage_of(|| {
            let group = task_group(async |group| {
                for n in 0..tasks as u32 {
                    group.spawn(Work::new(Kind::SelfWaking, Ok(n)));
                }
                Ok::<_, u32>(())
            });
            drive(group.concurrency(limit))
        });
        assert_eq!((result, usage.live), (Ok(()), 0));
        // The queue has a block for each 31 tasks.
        let most = 2 * tasks + 2 * limit.min(tasks) + tasks / 31 + FEW + 20;
        assert!(usage.allocations <= most, "{tasks}, {limit}: {usage:?}");
    }
}

/// Runs until a failure, a panic or a drop half-way: whatever was taken is given back.
#[cfg(panic = "unwind")]
#[test]
fn runs_give_back_all_memory() {
    let failing = |n| Work::new(Kind::Woken, if n == 77 { Err(n) } else { Ok(n) });
    make_room(1_000);
    let freed = |work: &dyn Fn()| {
        let (usage, ()) = usage_of(|| {
            work();
            // The wakers of tasks that are gone.
            WAITING.with_borrow_mut(Vec::clear);
        });
        assert_eq!(usage.live, 0);
        assert!(usage.allocations > 0);
    };
    freed(&|| {
        drive(
            parallel((0..1_000).map(failing))
                .concurrency(64)
                .fail_fast(true),
        );
    });
    freed(&|| {
        drive(sequential((0..1_000).map(failing))).unwrap_err();
    });
    freed(&|| {
        drive(batched(0..1_000, failing).batch_size(100)).unwrap_err();
    });
    freed(&|| {
        drive(race((0..1_000).map(|n| Work::new(Kind::Woken, Ok(n))))).unwrap();
    });
    for polls in [0, 1, 10, 200] {
        let halfway = |future: Pin<Box<dyn Future<Output = ()>>>| {
            let mut future = future;
            for _ in 0..polls {
                let _ = future
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()));
                if let Some(waker) = WAITING.with_borrow_mut(Vec::pop) {
                    waker.wake();
                }
            }
        };
        let tasks = || (0..1_000).map(|n| Work::new(Kind::Woken, Ok(n)));
        freed(&|| {
            halfway(Box::pin(async move {
                drop(parallel(tasks()).concurrency(64).await);
            }));
        });
        freed(&|| halfway(Box::pin(async move { drop(sequential(tasks()).await) })));
        freed(&|| {
            let errors = (0..1_000).map(|n| Work::new(Kind::Woken, Err(n)));
            halfway(Box::pin(async move { drop(race(errors).await) }));
        });
        freed(&|| {
            halfway(Box::pin(async move {
                let mut stream = parallel(tasks()).concurrency(64).into_ordered_stream();
                while stream.next().await.is_some() {}
            }));
        });
    }
    // A panic makes allocations of its own, which std keeps: the first one does not count.
    let panicking = |n| {
        let mut work = failing(n);
        poll_fn(move |cx| match (work.begun, n) {
            (true, 3) => std::panic::resume_unwind(Box::new(())),
            _ => Pin::new(&mut work).poll(cx),
        })
    };
    freed(&|| {
        let mut run = Box::pin(parallel((0..10).map(panicking)).concurrency(10));
        let mut panics = 0;
        while catch_unwind(AssertUnwindSafe(|| drive(run.as_mut()))).is_err() {
            panics += 1;
        }
        assert_eq!(panics, 1);
    });
}
