//! Batches of chunks, and the hooks and the duration of batches.

use std::cell::RefCell;
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::{Board, Driver, returns, yield_now};
use abreast::{Progress, TaskError, batched, batched_chunks, sequential};
use futures::executor::block_on;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Returns the sum of a chunk, or an error if it has a zero.
async fn sum(chunk: Vec<u32>) -> Result<u32, &'static str> {
    if chunk.contains(&0) {
        return Err("a zero");
    }
    Ok(chunk.iter().sum())
}

#[test]
fn the_handler_gets_whole_chunks() {
    let running = RefCell::new(0);
    let mut seen = Vec::new();
    let handler = |chunk: Vec<usize>| {
        seen.push(chunk.clone());
        *running.borrow_mut() += 1;
        assert_eq!(*running.borrow(), 1, "one chunk at a time");
        let running = &running;
        async move {
            yield_now().await;
            *running.borrow_mut() -= 1;
            Ok::<_, ()>(chunk.len())
        }
    };
    let counts = Driver::new(batched_chunks(0..7, 3, handler)).finish();
    assert_eq!(counts, Ok(vec![3, 3, 1]));
    assert_eq!(seen, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
}

#[test]
fn no_items_make_no_chunk() {
    let none = Driver::new(batched_chunks([], 3, sum)).finish();
    assert_eq!(none, Ok(vec![]));
}

#[test]
fn errors_and_progress_count_chunks() {
    let items = [1, 2, 3, 4, 0, 6, 7];
    let mut progress = Vec::new();
    let error = Driver::new(
        batched_chunks(items, 2, sum).on_progress(|seen| progress.push(seen.to_string())),
    )
    .finish()
    .unwrap_err();
    assert_eq!(error.index(), 2);
    assert_eq!(progress, ["1/4", "2/4", "3/4"]);

    let settled = Driver::new(batched_chunks(items, 2, sum).settle()).finish();
    let values: Vec<_> = settled.results().collect();
    assert_eq!(values, [Some(&3), Some(&7), None, Some(&7)]);
}

#[test]
fn several_chunks_run_at_once() {
    let board = Board::new(4);
    let mut numbers = 0..;
    let handler = |_: Vec<u32>| board.task(numbers.next().unwrap());
    let mut run = Driver::new(batched_chunks(0..8, 2, handler).batch_size(3));
    assert!(run.run().is_pending());
    assert_eq!(board.alive(), 3);
    (0..4).for_each(|chunk| board.end(chunk, Ok(chunk)));
    assert_eq!(run.finish(), Ok(vec![0, 1, 2, 3]));
}

#[test]
fn lying_hints_reserve_little() {
    struct Liar(std::ops::Range<u32>);
    impl Iterator for Liar {
        type Item = u32;
        fn next(&mut self) -> Option<u32> {
            self.0.next()
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (usize::MAX, None)
        }
    }
    let mut capacity = 0;
    let handler = |chunk: Vec<u32>| {
        capacity = chunk.capacity();
        sum(chunk)
    };
    let sums = Driver::new(batched_chunks(Liar(1..4), usize::MAX, handler)).finish();
    assert_eq!(sums, Ok(vec![6]));
    assert!(capacity <= 1024, "{capacity}");
}

#[cfg(panic = "unwind")]
#[test]
fn a_panicking_iterator_loses_no_item() {
    let mut panics = true;
    let items = (1..=5).inspect(move |&n| {
        if n == 3 && std::mem::take(&mut panics) {
            panic!("the iterator panics");
        }
    });
    let mut run = Driver::new(batched_chunks(items, 4, |chunk| async move {
        Ok::<_, ()>(chunk)
    }));
    assert!(catch_unwind(AssertUnwindSafe(|| run.poll())).is_err());
    // The iterator has lost the 3 itself.
    assert_eq!(run.finish(), Ok(vec![vec![1, 2, 4, 5]]));
}

#[test]
#[should_panic(expected = "pass at least 1, or usize::MAX for one chunk of all")]
fn a_chunk_size_of_zero_panics() {
    drop(batched_chunks([1], 0, sum));
}

#[test]
fn batches_wait_for_each_other() {
    let board = Board::new(7);
    let mut progress = Vec::new();
    let handled = board.clone();
    let mut run = Driver::new(
        batched(0..7, |item| handled.task(item))
            .batch_size(3)
            .on_progress(|p| progress.push(p.to_string())),
    );
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 3);
    for index in [2, 0] {
        board.end(index, Ok(index));
        assert!(run.run().is_pending());
        assert_eq!(board.created(), 3);
    }
    board.end(1, Ok(1));
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 6);
    (3..7).for_each(|index| board.end(index, Ok(index)));
    assert_eq!(run.finish().unwrap(), [0, 1, 2, 3, 4, 5, 6]);
    drop(run);
    assert_eq!(progress, ["3/7", "6/7", "7/7"]);
}

#[test]
fn progress_comes_once_per_batch() {
    for len in 0..10 {
        for exact in [true, false] {
            let mut seen = Vec::new();
            let handler = |item| std::future::ready(Ok::<_, ()>(item));
            let on_progress = |progress: Progress| seen.push(progress.completed);
            if exact {
                let run = batched(0..len, handler).batch_size(3);
                block_on(run.on_progress(on_progress)).unwrap();
            } else {
                let run = batched((0..len).filter(|_| true), handler).batch_size(3);
                block_on(run.on_progress(on_progress)).unwrap();
            }
            let mut expected: Vec<_> = (1..=len / 3).map(|batch| batch * 3).collect();
            expected.extend((len % 3 != 0).then_some(len));
            assert_eq!(seen, expected, "{len} items");
        }
    }
}

#[test]
fn a_failure_drops_its_batch() {
    let board = Board::new(9);
    let handled = board.clone();
    let mut run = Driver::new(batched(0..9, |item| handled.task(item)).batch_size(3));
    assert!(run.run().is_pending());
    board.end(1, Err("no"));
    assert_eq!(
        run.finish(),
        Err(TaskError::Failed {
            index: 1,
            error: "no"
        })
    );
    assert_eq!((board.created(), board.alive()), (3, 0));
}

#[test]
fn settle_runs_every_batch() {
    let handler = |n| returns(if n % 2 == 0 { Ok(n) } else { Err(n) });
    let result = block_on(batched(0..25, handler).settle());
    assert_eq!((result.success_count(), result.failure_count()), (13, 12));
    assert_eq!(result.len(), 25);
}

/// What the hooks of a run have seen, in order.
#[derive(Default)]
struct Log(RefCell<Vec<String>>);

impl Log {
    fn progress(&self) -> impl FnMut(abreast::Progress) {
        |progress| self.0.borrow_mut().push(progress.to_string())
    }

    fn complete(&self) -> impl FnMut(&u32, usize) {
        |value, index| self.0.borrow_mut().push(format!("{index}: {value}"))
    }

    fn error(&self) -> impl FnMut(&&'static str, usize) {
        |error, index| self.0.borrow_mut().push(format!("{index}: {error}"))
    }

    fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

async fn half(n: u32) -> Result<u32, &'static str> {
    if n % 2 == 0 { Ok(n / 2) } else { Err("odd") }
}

#[test]
fn batches_have_every_hook() {
    let log = Log::default();
    let run = batched([2, 4, 5, 6], half)
        .batch_size(2)
        .on_complete(log.complete())
        .on_error(log.error())
        .on_progress(log.progress());
    assert!(Driver::new(run).finish().is_err());
    // The failure starts no more, so the batch is not complete.
    assert_eq!(log.take(), ["0: 1", "1: 2", "2/4", "2: odd"]);
}

#[test]
fn hooks_follow_settle() {
    let log = Log::default();
    let run = batched([2, 3, 6], half)
        .on_complete(log.complete())
        .settle()
        .on_error(log.error())
        .on_progress(log.progress());
    let result = Driver::new(run).finish();
    assert_eq!(result.failure_count(), 1);
    assert_eq!(log.take(), ["0: 1", "1: odd", "2: 3", "3/3"]);
}

#[test]
fn sequential_has_every_hook() {
    let log = Log::default();
    let run = sequential([2, 4, 5, 6].map(half))
        .on_complete(log.complete())
        .on_error(log.error())
        .on_progress(log.progress());
    assert!(Driver::new(run).finish().is_err());
    assert_eq!(log.take(), ["0: 1", "1/4", "1: 2", "2/4", "2: odd", "3/4"]);
}

#[cfg(feature = "test-util")]
#[test]
fn pauses_are_measured_by_their_clock() {
    use abreast::time::VirtualClock;
    use std::time::Duration;

    let clock = VirtualClock::new();
    clock.advance(Duration::from_secs(100));
    let run = batched([2, 4, 6], half)
        .batch_size(1)
        .pause(Duration::from_secs(60), clock.timer())
        .settle();
    assert_eq!(clock.run(run).duration(), Duration::from_secs(120));
}
