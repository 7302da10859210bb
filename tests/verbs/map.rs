//! Items and a handler in a rolling window: what they weigh and what they cost.

use std::cell::RefCell;
#[cfg(panic = "unwind")]
use std::future::Future;
use std::task::{Context, Poll, Waker};

use crate::support::{Board, Driver};
use abreast::{Limit, parallel_map, parallel_map_stream};
use futures::{Stream, StreamExt, stream};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Returns the tasks that were polled and still run.
fn running(board: &Board, len: usize) -> Vec<usize> {
    (0..len)
        .filter(|&task| board.polls(task) > 0 && !board.is_dropped(task))
        .collect()
}

#[test]
fn the_handler_runs_with_its_task() {
    let board = Board::new(4);
    let mut run = Driver::new(parallel_map(0..4, |item| board.task(item)).concurrency(2));
    assert_eq!(board.created(), 0);
    assert!(run.run().is_pending());
    assert_eq!((board.created(), running(&board, 4)), (2, vec![0, 1]));

    // The third ends first, and has its place all the same.
    board.end(1, Ok(10));
    board.end(2, Err("no"));
    assert!(run.run().is_pending());
    assert_eq!(running(&board, 4), [0, 3]);
    board.end(0, Ok(0));
    board.end(3, Ok(30));
    let result = run.finish();
    let values: Vec<_> = result.results().collect();
    assert_eq!(values, [Some(&0), Some(&10), None, Some(&30)]);
}

#[test]
fn settings_and_hooks_match_parallel() {
    let seen = RefCell::new(Vec::new());
    let run = parallel_map([1, 0, 2, 3], |n: i32| async move {
        6_i32.checked_div(n).ok_or("zero")
    });
    let result = Driver::new(
        run.concurrency(1)
            .fail_fast(true)
            .on_complete(|value, index| seen.borrow_mut().push((*value, index)))
            .on_progress(|progress| assert_eq!(progress.total, Some(4))),
    )
    .finish();
    assert_eq!(seen.into_inner(), [(6, 0)]);
    assert!(result[1].is_failed() && result[2].is_cancelled() && result[3].is_cancelled());

    let run = parallel_map_stream(stream::iter(0..3), |n| async move { Ok::<_, ()>(n) });
    let in_order = run.into_ordered_stream().values().collect::<Vec<_>>();
    assert_eq!(Driver::new(in_order).finish(), [Ok(0), Ok(1), Ok(2)]);
}

#[test]
fn weights_go_by_the_limit() {
    let board = Board::new(5);
    let limit = Limit::new(10);
    let weights = [4, 6, 25, 1, 1];
    let run = parallel_map(0..5, |item| board.task(item)).weigh(&limit, |&item| weights[item]);
    let mut run = Driver::new(run);
    assert!(run.run().is_pending());
    assert_eq!((running(&board, 5), limit.in_use()), (vec![0, 1], 10));
    // The handler was not called on what waits.
    assert_eq!(board.created(), 2);

    // What is heavier than the limit is not overtaken, and runs alone.
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    assert_eq!((running(&board, 5), limit.waiting()), (vec![1], 1));
    board.end(1, Ok(1));
    assert!(run.run().is_pending());
    assert_eq!((running(&board, 5), limit.in_use()), (vec![2], 25));
    board.end(2, Ok(2));
    assert!(run.run().is_pending());
    assert_eq!((running(&board, 5), limit.in_use()), (vec![3, 4], 2));
    board.end(3, Ok(3));
    board.end(4, Ok(4));
    assert!(run.finish().all_succeeded());
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
}

#[test]
fn two_limits_weigh_each_item() {
    let board = Board::new(3);
    let (memory, disk) = (Limit::new(10), Limit::new(3));
    let run = parallel_map([(0, 4), (1, 1), (2, 4)], |(item, _)| board.task(item))
        .weigh(&memory, |&(_, weight)| weight)
        .weigh(&disk, |&(item, _)| item + 1);
    let mut run = Driver::new(run);
    assert!(run.run().is_pending());
    // The third waits for both of the limits in turn, and has neither place nor permit when it is dropped.
    assert_eq!(running(&board, 3), [0, 1]);
    assert_eq!((memory.in_use(), disk.in_use(), disk.waiting()), (9, 3, 1));
    drop(run);
    assert_eq!((memory.in_use(), disk.in_use()), (0, 0));
    assert_eq!((memory.waiting(), disk.waiting()), (0, 0));
}

#[test]
fn a_failure_leaves_the_line() {
    let board = Board::new(3);
    let limit = Limit::new(2);
    let run = parallel_map(0..3, |item| board.task(item)).weigh(&limit, |_| 1);
    let mut run = Driver::new(run.fail_fast(true).into_stream());
    let mut next = || {
        run.future
            .as_mut()
            .poll_next_unpin(&mut Context::from_waker(Waker::noop()))
    };
    assert_eq!(next(), Poll::Pending);
    assert_eq!(limit.waiting(), 1);
    board.end(0, Err("no"));
    assert_eq!(next(), Poll::Ready(Some((0, Err("no")))));
    assert_eq!(next(), Poll::Ready(None));
    // Nobody is left that would take the permits.
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
}

#[cfg(panic = "unwind")]
mod panics {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    /// Polls, and returns whether that panicked.
    fn panics<F: Future>(run: &mut Driver<F>) -> bool {
        catch_unwind(AssertUnwindSafe(|| run.run().is_ready())).is_err()
    }

    #[test]
    fn a_panicking_handler_skips_its_item() {
        let handler = |item| {
            assert_ne!(item, 1, "no");
            async move { Ok::<_, ()>(item) }
        };
        let mut run = Driver::new(parallel_map(0..3, handler));
        assert!(panics(&mut run));
        assert_eq!(run.finish().into_values(), Ok(vec![0, 2]));
    }

    #[test]
    fn a_weight_that_panics_holds_nothing() {
        let limit = Limit::new(4);
        let run = parallel_map(0..3, |item| async move { Ok::<_, ()>(item) });
        let mut run = Driver::new(run.weigh(&limit, |&item| {
            assert_ne!(item, 1, "no");
            2
        }));
        assert!(panics(&mut run));
        assert_eq!(run.finish().into_values(), Ok(vec![0, 2]));
        assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
    }
}

#[cfg(feature = "test-util")]
mod costs {
    #[cfg(target_family = "wasm")]
    use super::test;
    use std::cell::Cell;
    use std::time::Duration;

    use abreast::Rate;
    use abreast::time::VirtualClock;

    use super::*;

    /// Returns the milliseconds at which items of these costs start.
    fn starts(clock: &VirtualClock, tokens: &Rate, requests: &Rate, costs: &[u32]) -> Vec<u128> {
        let starts = RefCell::new(Vec::new());
        let run = parallel_map(costs, async |_| {
            starts.borrow_mut().push(clock.now().as_millis());
            Ok::<_, ()>(())
        });
        let run = run.cost(tokens, clock.timer(), |&&cost| cost);
        assert!(clock.run(run.rate(requests, clock.timer())).all_succeeded());
        starts.into_inner()
    }

    #[test]
    fn dear_items_wait_for_longer() {
        let clock = VirtualClock::new();
        let tokens = Rate::per_second(100).burst(50);
        let requests = Rate::per_second(1000).burst(10);
        let starts = starts(&clock, &tokens, &requests, &[50, 20, 0, 30]);
        assert_eq!(starts, [0, 200, 200, 500]);
    }

    #[test]
    fn requests_count_beside_tokens() {
        let clock = VirtualClock::new();
        let tokens = Rate::per_second(100).burst(50);
        let requests = Rate::per_second(10);
        let starts = starts(&clock, &tokens, &requests, &[1, 1, 50, 1]);
        assert_eq!(starts, [0, 100, 200, 300]);
    }

    #[test]
    fn weights_compose_with_costs_and_limits() {
        let clock = VirtualClock::new();
        let (memory, connections) = (Limit::new(10), Limit::new(2));
        let tokens = Rate::per_second(100).burst(50);
        let most = Cell::new((0, 0));
        let run = parallel_map(1..=6_u32, async |_| {
            let (memory_used, connected) = most.get();
            most.set((
                memory_used.max(memory.in_use()),
                connected.max(connections.in_use()),
            ));
            clock.sleep(Duration::from_millis(100)).await;
            Ok::<_, ()>(())
        });
        let run = run
            .concurrency(4)
            .weigh(&memory, |&item| item as usize)
            .cost(&tokens, clock.timer(), |&item| item)
            .limit(&connections);
        assert!(clock.run(run).all_succeeded());
        let (memory_used, connected) = most.into_inner();
        assert!(
            memory_used <= 10 && connected == 2,
            "{memory_used}, {connected}"
        );
        assert_eq!((memory.in_use(), connections.in_use()), (0, 0));
    }

    #[cfg(panic = "unwind")]
    #[test]
    #[should_panic(expected = "a cost of 51 is never free in a burst of 50")]
    fn a_cost_above_the_burst_panics() {
        let clock = VirtualClock::new();
        let tokens = Rate::per_second(100).burst(50);
        let run = parallel_map([51], |_| async { Ok::<_, ()>(()) });
        clock.run(run.cost(&tokens, clock.timer(), |&cost| cost));
    }
}

#[test]
fn size_hints_count_what_waits() {
    let board = Board::new(4);
    let limit = Limit::new(1);
    let run = parallel_map(0..4, |item| board.task(item)).weigh(&limit, |_| 1);
    let mut stream = Box::pin(run.into_stream());
    assert_eq!(stream.size_hint(), (4, Some(4)));
    let next = stream
        .as_mut()
        .poll_next_unpin(&mut Context::from_waker(Waker::noop()));
    assert!(next.is_pending());
    // One runs, one waits, and two are not pulled.
    assert_eq!(stream.size_hint(), (4, Some(4)));
}
