//! Limits that are shared: never exceeded, never idle with work waiting, first come, first served.

#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
#[cfg(panic = "unwind")]
use std::sync::Arc;
#[cfg(panic = "unwind")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
#[cfg(panic = "unwind")]
use std::task::{Context, Wake, Waker};

use crate::support::{Board, Driver};
use abreast::{Limit, parallel};
use futures::StreamExt;
use futures::future::{FutureExt, poll_fn};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Returns how many of the first `len` tasks were polled and still run.
fn running(board: &Board, len: usize) -> usize {
    (0..len)
        .filter(|&task| board.polls(task) > 0 && !board.is_dropped(task))
        .count()
}

#[test]
fn runs_share_a_limit() {
    let limit = Limit::new(3);
    let boards = [Board::new(4), Board::new(4)];
    let run = |board: &Board| Driver::new(parallel(board.tasks()).limit(&limit));
    let mut runs = [run(&boards[0]), run(&boards[1])];
    for run in &mut runs {
        assert!(run.run().is_pending());
    }
    assert_eq!((running(&boards[0], 4), running(&boards[1], 4)), (3, 0));
    assert_eq!((limit.in_use(), limit.waiting()), (3, 2));

    // The second run has waited for longer than the fourth task of the first.
    boards[0].end(0, Ok(0));
    assert!(runs[0].run().is_pending());
    assert_eq!(runs[1].wakes(), 0, "it came behind the first run");
    boards[0].end(1, Ok(1));
    assert!(runs[0].run().is_pending());
    assert_eq!(runs[1].wakes(), 1);
    assert!(runs[1].run().is_pending());
    assert_eq!((running(&boards[0], 4), running(&boards[1], 4)), (2, 1));

    // Whatever the turns, all end.
    for index in 0..4 {
        boards[0].end(index, Ok(index));
        boards[1].end(index, Ok(index));
    }
    let mut done = [false; 2];
    while done != [true; 2] {
        for (run, done) in runs.iter_mut().zip(&mut done) {
            *done = *done || run.run().is_ready();
        }
    }
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
}

#[test]
fn runs_take_turns() {
    let limit = Limit::new(1);
    let order = std::cell::RefCell::new(Vec::new());
    let run = |name| {
        let order = &order;
        let task = move |_| async move {
            order.borrow_mut().push(name);
            crate::support::returns(Ok::<_, ()>(())).await
        };
        parallel((0..4).map(task)).limit(&limit)
    };
    let both = futures::future::join(run('a'), run('b'));
    Driver::new(both).finish();
    // The second task of the first run came before the second run did.
    assert_eq!(order.into_inner().iter().collect::<String>(), "aabababb");
}

#[test]
fn concurrency_holds_beside_a_limit() {
    let board = Board::new(6);
    let limit = Limit::new(4);
    let mut run = Driver::new(parallel(board.tasks()).concurrency(2).limit(&limit));
    assert!(run.run().is_pending());
    assert_eq!((running(&board, 6), board.created()), (2, 2));
}

#[test]
fn limits_change_while_runs_go_on() {
    let board = Board::new(8);
    let limit = Limit::new(4);
    let mut run = Driver::new(parallel(board.tasks()).concurrency(8).limit(&limit));
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 8), 4);

    // Raised, it wakes the run, which fills up.
    limit.set(6);
    assert_eq!(run.wakes(), 1);
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 8), 6);

    // Lowered, it stops nothing that runs.
    limit.set(5);
    assert!(run.run().is_pending());
    assert_eq!((limit.get(), limit.in_use()), (5, 6));
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 8), 5);
    board.end(1, Ok(1));
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 8), 5);
}

#[test]
fn a_limit_of_zero_pauses() {
    let board = Board::new(3);
    let limit = Limit::new(1);
    limit.set(0);
    let mut run = Driver::new(parallel(board.tasks()).limit(&limit));
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 3), 0);
    assert!(limit.try_acquire().is_none());
    assert!(limit.acquire_many(0).now_or_never().is_none());

    (0..3).for_each(|task| board.end(task, Ok(task)));
    limit.set(1);
    assert!(run.finish().all_succeeded());
}

#[test]
#[should_panic(expected = "a limit of 0 lets nothing run")]
fn a_new_limit_of_zero_panics() {
    let _ = Limit::new(0);
}

#[test]
fn permits_outlive_their_tasks() {
    struct Checks(Limit);
    impl Drop for Checks {
        fn drop(&mut self) {
            assert_eq!(self.0.in_use(), 1);
        }
    }
    let limit = Limit::new(1);
    let task = async {
        let _checks = Checks(limit.clone());
        crate::support::yield_now().await;
        Ok::<_, ()>(())
    };
    let mut run = Driver::new(parallel([task]).limit(&limit));
    assert!(run.finish().all_succeeded());
    assert_eq!(limit.in_use(), 0);
}

#[test]
fn a_granted_permit_goes_on() {
    let limit = Limit::new(1);
    let first = limit.try_acquire().unwrap();
    let mut waiters: Vec<_> = (0..3).map(|_| Driver::new(limit.acquire())).collect();
    for waiter in &mut waiters {
        assert!(waiter.poll().is_pending());
    }
    drop(first);
    assert_eq!((waiters[0].wakes(), limit.in_use()), (1, 1));
    assert!(limit.try_acquire().is_none());

    // It is gone before it takes what it got, and so does the one after it.
    waiters.remove(0);
    assert_eq!(waiters[0].wakes(), 1);
    waiters.remove(0);
    assert_eq!(waiters[0].wakes(), 1);
    let Poll::Ready(permit) = waiters[0].poll() else {
        panic!("the last in line has the permit");
    };
    assert_eq!((limit.in_use(), limit.waiting()), (1, 0));
    drop(permit);
    assert_eq!(limit.in_use(), 0);
}

#[test]
fn dropping_a_waiter_lets_others_pass() {
    let limit = Limit::new(3);
    let held = limit.acquire_many(2).now_or_never().unwrap();
    let mut heavy = Driver::new(limit.acquire_many(2));
    let mut light = Driver::new(limit.acquire());
    assert!(heavy.poll().is_pending());
    assert!(light.poll().is_pending(), "nobody overtakes");
    drop(heavy);
    assert_eq!(light.wakes(), 1);
    assert!(light.poll().is_ready());
    drop(held);
}

#[test]
fn what_is_too_heavy_is_alone() {
    let limit = Limit::new(3);
    let held = limit.try_acquire().unwrap();
    let mut heavy = Driver::new(limit.acquire_many(usize::MAX));
    assert!(heavy.poll().is_pending());
    drop(held);
    let Poll::Ready(permit) = heavy.poll() else {
        panic!("nothing else is in use");
    };
    assert!(limit.try_acquire().is_none());
    drop(permit);
    assert!(limit.try_acquire().is_some());
}

#[test]
fn a_stopped_run_leaves_the_line() {
    let limit = Limit::new(1);
    let board = Board::new(3);
    let run = parallel(board.tasks()).fail_fast(true).limit(&limit);
    let mut run = Driver::new(run);
    assert!(run.run().is_pending());
    assert_eq!(limit.waiting(), 1);
    board.end(0, Err("no"));
    let result = run.finish();
    assert_eq!((result.len(), result.cancelled_count()), (3, 2));

    // It is still there, but neither waits nor holds anything.
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
    assert!(limit.try_acquire().is_some());
}

#[test]
fn a_stopped_stream_leaves_the_line() {
    let limit = Limit::new(2);
    let board = Board::new(4);
    let stream = parallel(board.tasks()).fail_fast(true).limit(&limit);
    let mut stream = stream.into_stream();
    let mut poll = Driver::new(poll_fn(move |cx| stream.poll_next_unpin(cx)));
    assert!(poll.run().is_pending());
    board.end(1, Err("no"));
    assert_eq!(poll.run(), Poll::Ready(Some((1, Err("no")))));
    assert_eq!(poll.run(), Poll::Ready(None));
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
}

#[test]
fn a_dropped_run_gives_everything_back() {
    let limit = Limit::new(2);
    let board = Board::new(4);
    let mut run = Driver::new(parallel(board.tasks()).limit(&limit));
    assert!(run.run().is_pending());
    let mut next = Driver::new(limit.acquire_many(2));
    assert!(next.poll().is_pending());
    drop(run);
    assert!(next.poll().is_ready());
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
    assert_eq!(board.alive(), 0);
}

#[test]
fn awaiting_a_permit_delays_no_task() {
    let limit = Limit::new(2);
    let board = Board::new(3);
    let mut run = Driver::new(parallel(board.tasks()).limit(&limit));
    assert!(run.run().is_pending());
    board.wake(0);
    assert!(run.run().is_pending());
    assert_eq!((board.polls(0), board.polls(1)), (2, 1));
    assert_eq!((board.created(), board.polls(2)), (3, 0));
}

#[test]
fn an_empty_source_holds_no_permit() {
    let limit = Limit::new(1);
    let source = futures::stream::pending::<crate::support::Task>();
    let mut run = Driver::new(abreast::parallel_stream(source).limit(&limit));
    assert!(run.run().is_pending());
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
}

/// A waker that takes a permit, or panics.
#[cfg(panic = "unwind")]
struct Hostile {
    limit: Limit,
    took: AtomicBool,
    panics: bool,
}

#[cfg(panic = "unwind")]
impl Wake for Hostile {
    fn wake(self: Arc<Self>) {
        assert!(!self.panics, "a planned panic");
        // It would wait for ever if it were woken under the lock.
        self.took
            .store(self.limit.try_acquire().is_some(), Ordering::SeqCst);
        self.limit.set(self.limit.get());
    }
}

#[test]
#[cfg(panic = "unwind")]
fn hostile_wakers_harm_nobody() {
    let limit = Limit::new(1);
    let held = limit.try_acquire().unwrap();
    let waker = |panics| {
        Arc::new(Hostile {
            limit: limit.clone(),
            took: AtomicBool::new(false),
            panics,
        })
    };
    let (panicking, taking) = (waker(true), waker(false));
    let mut waiters = [limit.acquire(), limit.acquire()];
    for (waiter, waker) in waiters.iter_mut().zip([&panicking, &taking]) {
        let waker = Waker::from(waker.clone());
        assert!(
            waiter
                .poll_unpin(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    let mut last = Driver::new(limit.acquire());
    assert!(last.poll().is_pending());

    limit.set(3);
    let raised = catch_unwind(AssertUnwindSafe(|| drop(held)));
    assert!(
        raised.is_ok(),
        "a panic of a waker is no business of who gives back"
    );
    assert_eq!(last.wakes(), 1);
    assert!(!taking.took.load(Ordering::SeqCst), "nobody overtakes");
    assert_eq!((limit.in_use(), limit.waiting()), (3, 0));
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn threads_never_exceed_a_limit() {
    use std::sync::atomic::AtomicUsize;

    let limit = Limit::new(3);
    let running = AtomicUsize::new(0);
    let task = async |_| {
        let now = running.fetch_add(1, Ordering::SeqCst) + 1;
        assert!(now <= 3, "{now} run at the same time");
        crate::support::yield_now().await;
        running.fetch_sub(1, Ordering::SeqCst);
        Ok::<_, ()>(())
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let run = parallel((0..500).map(task)).limit(&limit);
                assert!(futures::executor::block_on(run).all_succeeded());
            });
        }
    });
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
}
