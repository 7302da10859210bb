//! Sets of futures: `gather`, `try_gather` and `join_all`.

use std::cell::{Cell, RefCell};
#[cfg(panic = "unwind")]
use std::future::Future;
use std::future::{pending, poll_fn, ready};
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::support::{Board, Count, Driver, yield_now, yield_times};
use abreast::{gather, join_all, timeout, try_gather};
use futures::FutureExt;
use futures::future::FusedFuture;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn outputs_keep_the_sets_shape() {
    assert_eq!(Driver::new(gather((ready(1),))).finish(), (1,));
    let tuple = gather((ready(1), yield_now().map(|()| "two"), async { 3.0 }));
    assert_eq!(Driver::new(tuple).finish(), (1, "two", 3.0));
    assert_eq!(Driver::new(gather([ready(1), ready(2)])).finish(), [1, 2]);
    assert_eq!(
        Driver::new(gather(vec![ready(1), ready(2)])).finish(),
        [1, 2]
    );
    assert_eq!(
        Driver::new(gather(Vec::<std::future::Ready<()>>::new())).finish(),
        []
    );
    let none: [std::future::Ready<()>; 0] = [];
    assert_eq!(Driver::new(gather(none)).finish(), []);
}

#[test]
fn tuples_have_up_to_twelve_futures() {
    let n = |n: usize| yield_times(n % 3).map(move |()| n);
    let twelve = gather((
        n(0),
        n(1),
        n(2),
        n(3),
        n(4),
        n(5),
        n(6),
        n(7),
        n(8),
        n(9),
        n(10),
        n(11),
    ));
    assert_eq!(
        Driver::new(twelve).finish(),
        (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
    );
}

#[test]
fn gather_goes_on_after_an_error() {
    let board = Board::new(2);
    let mut run = Driver::new(gather((board.task(0), board.task(1))));
    assert!(run.run().is_pending());
    board.end(0, Err("no"));
    assert!(run.run().is_pending());
    board.end(1, Ok(1));
    assert_eq!(run.finish(), (Err("no"), Ok(1)));
    assert!(run.future.is_terminated());
}

#[test]
fn try_gather_returns_all_values() {
    let values = try_gather((ready(Ok::<_, ()>(1)), ready(Ok("two"))));
    assert_eq!(Driver::new(values).finish(), Ok((1, "two")));
    let values = try_gather([ready(Ok::<_, ()>(1)), ready(Ok(2))]);
    assert_eq!(Driver::new(values).finish(), Ok([1, 2]));
    let values = try_gather(vec![ready(Ok::<_, ()>(1)), ready(Ok(2))]);
    assert_eq!(Driver::new(values).finish(), Ok(vec![1, 2]));
}

/// Checks that the first error ends the run, when the rest has been dropped.
fn fails_fast<R>(board: &Board, run: impl FusedFuture<Output = Result<R, &'static str>>) {
    let mut run = Driver::new(run);
    assert!(run.run().is_pending());
    board.end(2, Ok(2));
    assert!(run.run().is_pending());
    board.end(1, Err("no"));
    assert_eq!(run.finish().err(), Some("no"));
    assert_eq!(board.alive(), 0);
    assert!(run.future.is_terminated());
    assert_eq!((board.polls(0), board.polls(1), board.polls(2)), (1, 2, 2));
}

#[test]
fn tuples_fail_fast() {
    let board = Board::new(3);
    let set = (board.task(0), board.task(1), board.task(2));
    fails_fast(&board, try_gather(set));
}

#[test]
fn arrays_fail_fast() {
    let board = Board::new(3);
    let set = [board.task(0), board.task(1), board.task(2)];
    fails_fast(&board, try_gather(set));
}

#[test]
fn futures_2866_large_sets_fail_fast() {
    for n in [3, 29, 30, 31, 32, 61, 62, 200, 5000] {
        let board = Board::new(n);
        fails_fast(&board, try_gather(board.tasks().collect::<Vec<_>>()));
    }
}

#[test]
fn tuples_poll_once_per_wake() {
    let board = Board::new(3);
    let mut run = Driver::new(gather((board.task(0), board.task(1), board.task(2))));
    assert!(run.run().is_pending());
    assert_eq!(board.total_polls(), 3);
    for _ in 0..10 {
        assert!(run.poll().is_pending(), "nobody was woken");
    }
    assert_eq!(board.total_polls(), 3);
    board.wake(1);
    assert_eq!(run.wakes(), 1);
    assert!(run.run().is_pending());
    assert_eq!((board.polls(0), board.polls(1), board.polls(2)), (1, 2, 1));
    for index in [2, 0, 1] {
        board.end(index, Ok(index));
    }
    assert_eq!(run.wakes(), 1, "one wake tells of all");
    let _ = run.finish();
    assert_eq!(board.total_polls(), 7);
}

#[test]
fn lists_poll_once_per_wake() {
    for n in [1, 30, 31, 1000] {
        let board = Board::new(n);
        let mut run = Driver::new(gather(board.tasks().collect::<Vec<_>>()));
        assert!(run.run().is_pending());
        for index in (0..n).rev() {
            board.end(index, Ok(index));
            let _ = run.run();
        }
        assert_eq!(board.total_polls(), 2 * n);
    }
}

#[test]
fn yielding_tuples_yield_to_the_executor() {
    let mut run = Driver::new(gather((yield_times(10), yield_times(3))));
    assert_eq!(run.finish(), ((), ()));
    // One poll for each yield, and one poll of the set for two of its futures that yield together. A pass that ended
    // one is followed by another in the same poll.
    assert!((9..=11).contains(&run.polls), "{}", run.polls);
}

#[test]
fn late_wakes_reach_nobody() {
    let board = Board::new(2);
    let (wakes, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    let mut run = Box::pin(gather((board.task(0), board.task(1))));
    assert!(run.poll_unpin(&mut cx).is_pending());
    let late = board.waker(0);
    board.end(0, Ok(0));
    assert!(run.poll_unpin(&mut cx).is_pending());
    late.wake_by_ref();
    assert!(run.poll_unpin(&mut cx).is_pending());
    assert_eq!(board.polls(0), 2, "it is not polled after its end");
    drop(run);
    assert_eq!(board.alive(), 0);
    wakes.take();
    late.wake();
    assert_eq!(wakes.get(), 0);
    // The last late waker takes the parent along.
    drop((waker, board));
    assert_eq!(Arc::strong_count(&wakes), 1);
}

/// futures-concurrency: a parent waker that re-enters a child's waker deadlocks.
#[test]
fn parent_wakers_may_wake_siblings() {
    struct Reentrant(Mutex<Option<Waker>>);
    impl Wake for Reentrant {
        fn wake(self: Arc<Self>) {
            let sibling = self.0.lock().unwrap().take();
            if let Some(sibling) = sibling {
                sibling.wake();
            }
        }
    }
    let board = Board::new(2);
    let parent = Arc::new(Reentrant(Mutex::new(None)));
    let waker = Waker::from(parent.clone());
    let mut cx = Context::from_waker(&waker);
    let mut run = Box::pin(gather((board.task(0), board.task(1))));
    assert!(run.poll_unpin(&mut cx).is_pending());
    *parent.0.lock().unwrap() = Some(board.waker(1));
    board.wake(0);
    assert!(run.poll_unpin(&mut cx).is_pending());
    assert_eq!((board.polls(0), board.polls(1)), (2, 2));
}

/// futures-concurrency: a caught child panic leaves the set pending for ever.
#[cfg(panic = "unwind")]
#[test]
fn a_caught_panic_hangs_no_set() {
    fn check<T>(set: impl Future<Output = T>) {
        let mut run = Driver::new(set);
        for _ in 0..2 {
            let panicked = catch_unwind(AssertUnwindSafe(|| run.run().is_ready()));
            assert!(panicked.is_err());
        }
    }
    async fn panics(at: usize) -> Result<usize, ()> {
        yield_times(at).await;
        panic!("on purpose")
    }
    check(gather((panics(0), ready(1))));
    check(gather((ready(1), panics(1))));
    check(try_gather((panics(0), ready(Ok(1)))));
    check(gather([panics(0), panics(1)]));
    check(gather(vec![panics(1)]));
    check(try_gather(vec![panics(1)]));
    check(join_all([panics(1)]));
}

#[cfg(panic = "unwind")]
#[test]
fn siblings_of_a_panic_run_on() {
    let ended = Cell::new(false);
    let futures = [0, 1].map(|index| {
        let ended = &ended;
        async move {
            assert_ne!(index, 0, "the first panics");
            yield_now().await;
            ended.set(true);
        }
    });
    let mut run = Driver::new(join_all(futures));
    assert!(catch_unwind(AssertUnwindSafe(|| run.poll())).is_err());
    let message = catch_unwind(AssertUnwindSafe(|| run.run().is_ready())).unwrap_err();
    let message = message.downcast_ref::<String>().unwrap();
    assert_eq!(message, "future 0 has panicked, so it has no output");
    assert!(ended.get());
}

/// Panics when it is dropped.
#[cfg(panic = "unwind")]
struct PanicsOnDrop;

#[cfg(panic = "unwind")]
impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("as planned"));
    }
}

/// Returns a future that returns `result` at once, and whose destructor panics.
#[cfg(panic = "unwind")]
fn drops_badly<T: Copy>(result: T) -> impl Future<Output = T> {
    let bad = PanicsOnDrop;
    poll_fn(move |_| {
        let _kept = &bad;
        Poll::Ready(result)
    })
}

#[cfg(panic = "unwind")]
#[test]
fn panicking_destructors_lose_no_output() {
    fn check<F: Future<Output: PartialEq + std::fmt::Debug>>(set: F, expected: F::Output) {
        let mut run = Driver::new(set);
        assert!(catch_unwind(AssertUnwindSafe(|| run.run().is_ready())).is_err());
        assert_eq!(run.finish(), expected);
    }
    let value = || drops_badly(Ok::<_, ()>(1));
    check(gather((value(), ready(2))), (Ok(1), 2));
    check(gather((ready(0), value(), yield_now())), (0, Ok(1), ()));
    check(gather([value()]), [Ok(1)]);
    check(try_gather((ready(Ok(0)), value())), Ok((0, 1)));
    check(try_gather(vec![value()]), Ok(vec![1]));
    check(try_gather((drops_badly(Err::<(), _>(1)),)), Err(1));
    check(join_all([value()]), vec![Ok(1)]);

    // That of a sibling, which is dropped when the first error is known.
    let bad = PanicsOnDrop;
    let sibling = async move {
        let _bad = bad;
        pending::<Result<(), _>>().await
    };
    let set = try_gather((sibling, async {
        yield_now().await;
        Err::<(), _>(2)
    }));
    check(set, Err(2));
}

#[test]
fn dropping_a_set_drops_all() {
    let board = Board::new(6);
    let tuple = gather((board.task(0), board.task(1)));
    let array = gather([board.task(2), board.task(3)]);
    let list = try_gather(vec![board.task(4), board.task(5)]);
    let mut all = Driver::new(gather((tuple, array, list)));
    assert!(all.run().is_pending());
    assert_eq!((board.alive(), board.total_polls()), (6, 6));
    drop(all);
    assert_eq!(board.alive(), 0);
}

#[test]
fn timeouts_in_sets_have_defaults() {
    let soon = |_| ready(());
    let health = timeout(Duration::from_secs(5), soon, pending()).or("unknown");
    let classes = timeout(Duration::from_secs(10), soon, ready(vec![1])).or(vec![]);
    assert_eq!(
        Driver::new(gather((health, classes))).finish(),
        ("unknown", vec![1])
    );
}

#[test]
fn join_all_takes_any_output() {
    let outputs = join_all((0..100).map(|n| yield_times(n % 7).map(move |()| n)));
    assert_eq!(Driver::new(outputs).finish(), (0..100).collect::<Vec<_>>());
    assert_eq!(
        Driver::new(join_all([ready(Err::<(), _>("kept"))])).finish(),
        [Err("kept")]
    );
    assert_eq!(
        Driver::new(join_all(None::<std::future::Ready<()>>)).finish(),
        []
    );
}

#[test]
fn join_all_runs_all_by_default() {
    let board = Board::new(100);
    let mut run = Driver::new(join_all(board.tasks()));
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 100);
    let board = Board::new(100);
    let mut run = Driver::new(join_all(board.tasks()).concurrency(7));
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 7);
    board.end(3, Ok(3));
    assert!(run.run().is_pending());
    assert_eq!((board.created(), board.alive()), (8, 7));
}

#[test]
fn join_all_reports_progress() {
    let seen = RefCell::new(Vec::new());
    let run = join_all([2, 0, 1].map(yield_times));
    Driver::new(run.on_progress(|progress| seen.borrow_mut().push(progress.to_string()))).finish();
    assert_eq!(*seen.borrow(), ["1/3", "2/3", "3/3"]);
}

#[test]
#[should_panic(expected = "usize::MAX to run all futures at once")]
fn a_concurrency_of_zero_panics() {
    drop(join_all([ready(1)]).concurrency(0));
}

#[test]
fn sets_are_send_when_parts_are() {
    fn check<T: Send>(value: T) {
        drop(value);
    }
    let urls = ["a".to_owned(), "b".to_owned()];
    let get = |url: &String| ready(Ok::<_, ()>(url.len()));
    // Borrowed items under a spawn: rust#89976.
    check(async {
        let _ = gather((get(&urls[0]), get(&urls[1]))).await;
        let _ = gather(urls.each_ref().map(|url| async move { get(url).await })).await;
        try_gather(
            urls.iter()
                .map(|url| async move { get(url).await })
                .collect::<Vec<_>>(),
        )
        .await?;
        join_all(urls.iter().map(|url| async move { get(url).await }))
            .concurrency(1)
            .await;
        Ok::<_, ()>(())
    });
}

#[test]
fn pinned_futures_stay_in_place() {
    let address = Cell::new(std::ptr::null::<u8>());
    let pinned = async {
        let here = 0_u8;
        poll_fn(|cx| {
            let now = &raw const here;
            if address.replace(now).is_null() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            assert_eq!(address.get(), now);
            Poll::Ready(())
        })
        .await;
    };
    Driver::new(gather((pinned, yield_times(5)))).finish();
}

#[test]
fn kept_wakers_wake_their_own_future() {
    // The first to be polled borrows a waker of the set. Others have it when it was given back, and not before.
    for (len, first) in (1..=5).flat_map(|len| (0..len).map(move |first| (len, first))) {
        let kept = RefCell::new(vec![None; len]);
        let keeps_waker = |index: usize| {
            let (kept, mut polls) = (&kept, 0);
            poll_fn(move |cx| {
                polls += 1;
                if polls == 1 || (polls == 2 && index % 2 == 0) {
                    kept.borrow_mut()[index] = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                Poll::Ready(polls)
            })
        };
        let mut run = Driver::new(gather((0..len).map(keeps_waker).collect::<Vec<_>>()));
        assert!(run.run().is_pending());
        let wake = |index: usize| kept.borrow_mut()[index].take().unwrap().wake();
        let order = (0..len).map(|offset| (first + offset) % len);
        for index in order.clone().chain(order.filter(|index| index % 2 == 0)) {
            assert!(run.run().is_pending());
            wake(index);
        }
        let polls = (0..len).map(|index| if index % 2 == 0 { 3 } else { 2 });
        assert_eq!(run.finish(), polls.collect::<Vec<_>>(), "{first} of {len}");
    }
}

#[test]
fn sets_of_any_length_are_alike() {
    /// Runs sets of as many as `len` futures, each of which is as large as `padding`, and yields once if it is odd.
    fn check<const PADDING: usize>(len: usize) {
        let task = |index: usize, fails: bool| async move {
            let padding = [index as u8; PADDING];
            if index % 2 == 1 {
                yield_now().await;
            }
            assert!(padding.iter().all(|&byte| usize::from(byte) == index));
            if fails { Err(index) } else { Ok(index) }
        };
        let list = |failing: usize| (0..len).map(move |index| task(index, index == failing));
        let all: Vec<_> = (0..len).collect();

        let outputs = Driver::new(gather(list(len).collect::<Vec<_>>())).finish();
        assert_eq!(
            outputs,
            all.iter().map(|&index| Ok(index)).collect::<Vec<_>>()
        );
        let values = Driver::new(try_gather(list(len).collect::<Vec<_>>())).finish();
        assert_eq!(values.as_ref(), Ok(&all));
        for failing in 0..len {
            let values = Driver::new(try_gather(list(failing).collect::<Vec<_>>())).finish();
            assert_eq!(values, Err(failing));
        }
    }
    for len in 0..=6 {
        check::<0>(len);
        check::<1000>(len);
    }
}

#[cfg(panic = "unwind")]
#[test]
fn a_set_that_panicked_stays_over() {
    async fn panics(at: usize, index: usize) -> Result<usize, ()> {
        assert_ne!(index, at, "as planned");
        Ok(index)
    }
    for len in 1..=6 {
        let list = || {
            (0..len)
                .map(|index| panics(len - 1, index))
                .collect::<Vec<_>>()
        };
        let mut run = Driver::new(gather(list()));
        assert!(catch_unwind(AssertUnwindSafe(|| run.poll().is_ready())).is_err());
        let message = catch_unwind(AssertUnwindSafe(|| run.run().is_ready())).unwrap_err();
        let expected = format!("future {} has panicked, so it has no output", len - 1);
        assert_eq!(message.downcast_ref::<String>(), Some(&expected));
        assert!(run.future.is_terminated(), "{len}");
    }
}

/// Wakes nobody, and panics when it is dropped for the last time.
#[cfg(panic = "unwind")]
struct BadParent(PanicsOnDrop);

#[cfg(panic = "unwind")]
impl Wake for BadParent {
    fn wake(self: Arc<Self>) {}
}

#[cfg(panic = "unwind")]
#[test]
fn parents_that_panic_lose_no_output() {
    for len in 1..=6 {
        let list = || (0..len).map(|_| yield_times(2).map(|()| Ok::<_, ()>(7)));
        let check = |mut set: std::pin::Pin<Box<dyn Future<Output = Vec<usize>>>>| {
            let bad = Waker::from(Arc::new(BadParent(PanicsOnDrop)));
            for _ in 0..2 {
                let polled = set.as_mut().poll(&mut Context::from_waker(&bad));
                assert!(polled.is_pending());
            }
            // Now the set has the only one.
            assert!(catch_unwind(AssertUnwindSafe(|| drop(bad))).is_ok());
            let cx = &mut Context::from_waker(Waker::noop());
            let first = catch_unwind(AssertUnwindSafe(|| set.as_mut().poll(cx)));
            let outputs = match first {
                Ok(polled) => polled,
                Err(_) => set.as_mut().poll(cx),
            };
            assert_eq!(outputs, Poll::Ready(vec![7; len]));
        };
        let gathered = gather(list().collect::<Vec<_>>());
        check(Box::pin(
            gathered.map(|all| all.into_iter().map(Result::unwrap).collect()),
        ));
        let tried = try_gather(list().collect::<Vec<_>>());
        check(Box::pin(tried.map(Result::unwrap)));
    }
}
