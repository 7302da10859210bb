//! What others get wrong: each test is named after where it was seen.
//!
//! Also of this kind, and tested elsewhere: windows of 0 are refused (futures#2939, `contract.rs`, `zero`), wakes of
//! tasks that are only pending (`polls.rs`, `pending_windows_never_wake_themselves`), 1,000 racers (`polls.rs`,
//! `races_of_n_cost_2n_polls`), huge size hints (`alloc.rs`), borrowed items under `spawn` (`send.rs`,
//! `rust_89976_borrowed_items_under_spawn`), tasks that panicked (`panic.rs`), connections that wake their task while
//! they close (`late_wake.rs`).

use std::cell::Cell;
use std::future::{Future, poll_fn};
#[cfg(panic = "unwind")]
use std::panic::catch_unwind;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use crate::support::{Board, Driver};
use abreast::{RaceError, batched, parallel, parallel_stream, race};
use futures::StreamExt;
#[cfg(panic = "unwind")]
use futures::future::Either;
use futures::task::AtomicWaker;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[cfg(panic = "unwind")]
#[test]
fn futures_2939_limits_of_0_panic() {
    let tasks = || (0..3).map(|n| async move { Ok::<_, ()>(n) });
    let refused = [
        catch_unwind(|| drop(parallel(tasks()).concurrency(0))),
        catch_unwind(|| drop(parallel_stream(futures::stream::iter(tasks())).concurrency(0))),
        catch_unwind(|| drop(batched(0..3, |n| async move { Ok::<_, ()>(n) }).batch_size(0))),
    ];
    for refused in refused {
        let message = refused.unwrap_err();
        let message = message.downcast_ref::<&str>().expect("a plain sentence");
        assert!(message.contains("pass at least 1"), "{message}");
    }
}

#[test]
fn futures_2961_all_slots_start_first() {
    // `buffer_unordered(4)` had polled one of four when the first item came.
    for ordered in [false, true] {
        let board = Board::new(8);
        board.end(0, Ok(0));
        let run = parallel(board.tasks()).concurrency(4);
        let mut stream = if ordered {
            run.into_ordered_stream().boxed()
        } else {
            run.into_stream().boxed()
        };
        let mut next = Driver::new(poll_fn(move |cx| stream.poll_next_unpin(cx)));
        assert_eq!(next.poll(), Poll::Ready(Some((0, Ok(0)))));
        assert_eq!(board.total_polls(), 4, "one has ended and three run");
        // Its slot is filled as soon as anybody looks.
        assert!(next.poll().is_pending());
        assert_eq!((board.total_polls(), board.alive()), (5, 4));
    }
}

#[test]
fn futures_2961_slots_run_between_items() {
    let board = Board::new(20);
    let mut stream = parallel(board.tasks()).concurrency(4).into_stream();
    let mut next = Driver::new(poll_fn(move |cx| stream.poll_next_unpin(cx)));
    assert!(next.run().is_pending());
    (0..4).for_each(|index| board.end(index, Ok(index)));
    for handed_over in 1..=4 {
        assert!(next.run().is_ready());
        assert_eq!(board.alive(), handed_over - 1, "a slot is idle");
    }
}

#[test]
fn futures_2866_31_fail_like_30() {
    // `try_join_all` changes to another algorithm at 31, which waited for all.
    for tasks in 1..=70 {
        for failing in [0, tasks / 2, tasks - 1] {
            let board = Board::new(tasks);
            let run = parallel(board.tasks())
                .concurrency(usize::MAX)
                .fail_fast(true);
            let mut run = Driver::new(run);
            assert!(run.run().is_pending());
            board.end(failing, Err("no"));
            assert_eq!(run.finish().into_result().unwrap_err().index(), failing);
            assert_eq!(board.total_polls(), tasks + 1);

            let board = Board::new(tasks);
            let handled = board.clone();
            let run = batched(0..tasks, move |index| handled.task(index)).batch_size(tasks);
            let mut run = Driver::new(run);
            assert!(run.run().is_pending());
            board.end(failing, Err("no"));
            assert_eq!(run.finish().unwrap_err().index(), failing);
            assert_eq!((board.total_polls(), board.alive()), (tasks + 1, 0));
        }
    }
}

#[test]
fn select_ok_polls_only_woken_racers() {
    // It polls all that are left for each wake of one.
    let board = Board::new(1_000);
    let mut run = Driver::new(race(board.tasks()));
    assert!(run.run().is_pending());
    for _ in 0..1_000 {
        board.wake(500);
        assert!(run.run().is_pending());
    }
    assert_eq!(board.total_polls(), 2_000);
    board.end(999, Ok(0));
    assert_eq!(run.finish().unwrap().winner_index, 999);
    assert_eq!(board.total_polls(), 2_001);
}

#[test]
fn select_ok_keeps_every_error() {
    let tasks = ["timed out", "refused", "reset"].map(|error| async move { Err::<(), _>(error) });
    let Err(RaceError::AllFailed(failures)) = futures::executor::block_on(race(tasks)) else {
        panic!("nobody succeeds")
    };
    assert!(
        failures
            .into_iter()
            .eq([(0, "timed out"), (1, "refused"), (2, "reset")])
    );
    let tasks = [Err("no"), Err("no"), Ok(7)].map(|result| async move { result });
    let won = futures::executor::block_on(race(tasks)).unwrap();
    assert_eq!((won.value, won.winner_index), (7, 2));
}

#[test]
fn futures_concurrency_collects_two_at_once() {
    // `.limit(2).collect()` ran 6.
    let (running, most) = (Cell::new(0), Cell::new(0));
    let tasks = || {
        (0..20).map(|n| {
            let (running, most) = (&running, &most);
            async move {
                running.set(running.get() + 1);
                most.set(most.get().max(running.get()));
                crate::support::yield_times(n % 4).await;
                running.set(running.get() - 1);
                Ok::<_, ()>(n)
            }
        })
    };
    let window = || parallel(tasks()).concurrency(2);
    assert_eq!(Driver::new(window()).finish().len(), 20);
    let stream = window().into_stream();
    assert_eq!(Driver::new(stream.collect::<Vec<_>>()).finish().len(), 20);
    let stream = window().into_ordered_stream();
    assert_eq!(Driver::new(stream.collect::<Vec<_>>()).finish().len(), 20);
    let fed = parallel_stream(futures::stream::iter(tasks())).concurrency(2);
    assert_eq!(Driver::new(fed).finish().len(), 20);
    assert_eq!(most.get(), 2);
}

#[test]
fn futures_buffered_bounds_a_stuck_head() {
    // It started 1,000 of 1,000.
    let board = Board::new(1_000);
    (1..1_000).for_each(|index| board.end(index, Ok(index)));
    let mut stream = parallel(board.tasks()).concurrency(8).into_ordered_stream();
    let mut next = Driver::new(poll_fn(move |cx| stream.poll_next_unpin(cx)));
    for _ in 0..10 {
        assert!(next.run().is_pending());
        assert_eq!(board.created(), 8);
    }
    board.end(0, Ok(0));
    for index in 0..1_000 {
        assert_eq!(next.run(), Poll::Ready(Some((index, Ok(index)))));
        assert!(board.created() <= index + 1 + 8);
    }
}

/// A parent whose wake wakes a task in turn.
struct Meddler {
    board: Board,
    target: usize,
    wakes: AtomicUsize,
}

impl Wake for Meddler {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        self.board.wake(self.target);
    }
}

#[test]
fn futures_concurrency_parents_may_wake_tasks() {
    // Also in futures-buffered.
    for target in [0, 1, 40, 99] {
        let board = Board::new(100);
        let meddler = Arc::new(Meddler {
            board: board.clone(),
            target,
            wakes: AtomicUsize::new(0),
        });
        let parent = Waker::from(meddler.clone());
        let mut cx = Context::from_waker(&parent);
        let mut run = Box::pin(parallel(board.tasks()).concurrency(100));
        assert!(run.as_mut().poll(&mut cx).is_pending());
        board.wake(0);
        assert_eq!(meddler.wakes.load(Ordering::SeqCst), 1);
        assert!(run.as_mut().poll(&mut cx).is_pending());
        assert_eq!(board.total_polls(), if target == 0 { 101 } else { 102 });
        (0..100).for_each(|index| board.end(index, Ok(index)));
        assert!(run.as_mut().poll(&mut cx).is_ready());
    }
}

/// A parent whose wake drops the run that it is the parent of.
struct Dropper(Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>);

impl Wake for Dropper {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let run = self.0.lock().unwrap().take();
        drop(run);
    }
}

#[test]
fn parents_may_drop_the_run() {
    let board = Board::new(3);
    let tasks = board.tasks();
    let mut run: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
        parallel(tasks).await;
    });
    let dropper = Arc::new(Dropper(Mutex::new(None)));
    let parent = Waker::from(dropper.clone());
    assert!(
        run.as_mut()
            .poll(&mut Context::from_waker(&parent))
            .is_pending()
    );
    *dropper.0.lock().unwrap() = Some(run);
    drop(parent);
    board.wake(1);
    assert_eq!(board.alive(), 0);
    // The wakers of the tasks keep their first parent.
    drop(board);
    assert_eq!(Arc::strong_count(&dropper), 1);
}

#[cfg(panic = "unwind")]
#[test]
fn futures_buffered_caught_panics_end_runs() {
    // Also in futures-concurrency. More of it in `panic.rs`.
    let board = Board::new(3);
    let tasks = board.tasks().map(Either::Left);
    let tasks = tasks.chain([Either::Right(poll_fn(|_| panic!("the task panics")))]);
    let mut run = Driver::new(parallel(tasks).concurrency(10));
    assert!(catch_unwind(std::panic::AssertUnwindSafe(|| run.poll())).is_err());
    (0..3).for_each(|index| board.end(index, Ok(index)));
    assert_eq!(run.finish().success_count(), 3);
}

#[test]
fn futures_2526_self_wakes_cost_little() {
    // A budget of the executor task that runs out while 10,000 are woken: each is polled in vain, over and over.
    let (tasks, yields) = (10_000, 3);
    let polls = Cell::new(0);
    let run = parallel((0..tasks).map(|_| {
        let polls = &polls;
        async move {
            let mut task = Box::pin(crate::support::yield_times(yields));
            poll_fn(move |cx| {
                polls.set(polls.get() + 1);
                task.as_mut().poll(cx)
            })
            .await;
            Ok::<_, ()>(())
        }
    }));
    assert!(Driver::new(run.concurrency(tasks)).finish().all_succeeded());
    assert_eq!(polls.get(), tasks * (yields + 1));
}

#[test]
fn futures_2961_slots_stay_filled() {
    for tasks in [63, 64, 65, 1_000_usize] {
        let started = Cell::new(0);
        let begin = |_| {
            started.set(started.get() + 1);
            async {
                crate::support::yield_now().await;
                std::future::pending::<Result<(), ()>>().await
            }
        };
        // All start at once as far as a poll goes, and half of each poll after that is for those that are left.
        let most = 1 + (tasks - tasks.min(128)).div_ceil(64);
        let all_start = |name: &str, run: &mut dyn FnMut() -> bool| {
            for _ in 0..most {
                assert!(run());
            }
            assert_eq!(started.take(), tasks, "{name}");
        };
        let mut run = Driver::new(parallel((0..tasks).map(begin)).concurrency(tasks));
        all_start("parallel", &mut || run.poll().is_pending());
        let mut run = Driver::new(race((0..tasks).map(begin)));
        all_start("race", &mut || run.poll().is_pending());
        let mut run = Driver::new(batched(0..tasks, begin).batch_size(tasks));
        all_start("batched", &mut || run.poll().is_pending());
    }
}

#[test]
fn fail_fast_leaves_no_holes() {
    // As the reference implementation did.
    let board = Board::new(10);
    let mut run = Driver::new(parallel(board.tasks()).fail_fast(true));
    assert!(run.run().is_pending());
    board.end(3, Ok(3));
    assert!(run.run().is_pending());
    board.end(0, Err("no"));
    let result = run.finish();
    assert_eq!(board.alive(), 0);
    assert_eq!(result.success_count(), 1);
    assert_eq!(result.cancelled_count(), 8);
    assert_eq!(result.into_successful_results(), [3]);
}

#[test]
fn earlier_wakers_wake_no_later_task() {
    // A `will_wake` that is true for the next task of the same slot must not confuse an `AtomicWaker`.
    let shared = Arc::new(AtomicWaker::new());
    let polls = Arc::new(AtomicUsize::new(0));
    let tasks = (0..100).map(|_| {
        let (shared, polls) = (shared.clone(), polls.clone());
        let mut registered = false;
        poll_fn(move |cx| {
            polls.fetch_add(1, Ordering::SeqCst);
            if std::mem::replace(&mut registered, true) {
                return Poll::Ready(Ok::<_, ()>(()));
            }
            shared.register(cx.waker());
            Poll::Pending
        })
    });
    let mut run = Driver::new(parallel(tasks).concurrency(1));
    while run.run().is_pending() {
        shared.wake();
    }
    assert_eq!(polls.load(Ordering::SeqCst), 200);
}
