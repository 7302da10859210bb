//! Pauses between batches, under virtual time. Needs the feature `test-util`.
#![cfg(feature = "test-util")]

use std::cell::{Cell, RefCell};
use std::future::{pending, ready};
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::support::{Board, Driver};
use abreast::time::VirtualClock;
use abreast::{TaskError, batched};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const PAUSE: Duration = Duration::from_secs(10);

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Returns when the handler was called on each of `items` in batches of three, and when all was done; each takes a
/// second.
fn schedule(items: usize) -> (Vec<(usize, u64)>, u64) {
    let clock = VirtualClock::new();
    let calls = RefCell::new(Vec::new());
    let run = batched(0..items, |item| {
        calls.borrow_mut().push((item, clock.now().as_secs()));
        let sleep = clock.sleep(secs(1));
        async move {
            sleep.await;
            Ok::<_, ()>(item)
        }
    });
    let values = clock.run(run.batch_size(3).pause(PAUSE, clock.timer()));
    assert_eq!(values.unwrap(), (0..items).collect::<Vec<_>>());
    assert_eq!(clock.timers_running(), 0);
    (calls.into_inner(), clock.now().as_secs())
}

#[test]
fn pauses_separate_batches() {
    assert_eq!(schedule(0), (vec![], 0));
    assert_eq!(schedule(1), (vec![(0, 0)], 1));
    assert_eq!(schedule(3), (vec![(0, 0), (1, 0), (2, 0)], 1));
    let four = vec![(0, 0), (1, 0), (2, 0), (3, 11)];
    assert_eq!(schedule(4), (four.clone(), 12));
    let six = [four, vec![(4, 11), (5, 11)]].concat();
    assert_eq!(schedule(6), (six.clone(), 12));
    let seven = [six, vec![(6, 22)]].concat();
    assert_eq!(schedule(7), (seven, 23));
}

#[test]
fn no_pause_follows_the_last_batch() {
    let clock = VirtualClock::new();
    let items = (0..9).filter(|item| *item < 6);
    let run = batched(items, |item| ready(Ok::<_, ()>(item)));
    let values = clock.run(run.batch_size(3).pause(PAUSE, clock.timer()));
    assert_eq!(values.unwrap().len(), 6);
    assert_eq!((clock.timers_set(), clock.now()), (1, PAUSE));
}

#[test]
fn a_pause_follows_the_slowest_task() {
    let clock = VirtualClock::new();
    let run = batched([1, 5, 2, 1], |seconds| {
        let sleep = clock.sleep(secs(seconds));
        async move {
            sleep.await;
            Ok::<_, ()>(())
        }
    });
    clock
        .run(run.batch_size(3).pause(PAUSE, clock.timer()))
        .unwrap();
    assert_eq!(clock.now(), secs(5 + 10 + 1));
}

#[test]
fn a_failure_skips_the_pause() {
    let clock = VirtualClock::new();
    let calls = Cell::new(0);
    let run = batched(0..9, |item| {
        calls.set(calls.get() + 1);
        ready(if item == 2 { Err("no") } else { Ok(item) })
    });
    let error = clock.run(run.batch_size(3).pause(PAUSE, clock.timer()));
    assert_eq!(
        error,
        Err(TaskError::Failed {
            index: 2,
            error: "no"
        })
    );
    assert_eq!((calls.get(), clock.timers_set()), (3, 0));
}

#[test]
fn settling_pauses_after_failures() {
    let clock = VirtualClock::new();
    let run = batched(0..4, |item| {
        ready(if item == 0 { Err("no") } else { Ok(item) })
    });
    let result = clock.run(run.batch_size(2).pause(PAUSE, clock.timer()).settle());
    assert_eq!((result.success_count(), result.failure_count()), (3, 1));
    assert_eq!(clock.now(), PAUSE);
}

#[test]
fn settings_come_in_any_order() {
    let clock = VirtualClock::new();
    let progress = RefCell::new(Vec::new());
    let run = batched(0..4, |item| ready(Ok::<_, ()>(item)))
        .on_progress(|progress_now| {
            progress
                .borrow_mut()
                .push((progress_now.to_string(), clock.now()));
        })
        .pause(PAUSE, clock.timer())
        .batch_size(2);
    clock.run(run).unwrap();
    assert_eq!(
        *progress.borrow(),
        [("2/4".into(), secs(0)), ("4/4".into(), PAUSE)]
    );
}

#[test]
fn only_the_timer_is_polled_meanwhile() {
    let clock = VirtualClock::new();
    let board = Board::new(3);
    let run = batched(0..3, |index| board.task(index));
    let mut run = Driver::new(run.batch_size(2).pause(PAUSE, clock.timer()));
    assert!(run.run().is_pending());
    board.end(0, Ok(0));
    board.end(1, Ok(1));
    assert!(run.run().is_pending());
    assert_eq!((board.created(), board.alive()), (2, 0));
    assert_eq!(clock.timers_running(), 1);
    clock.advance(PAUSE);
    assert!(run.run().is_pending());
    assert_eq!((board.created(), board.total_polls()), (3, 5));
    drop(run);
    assert_eq!((board.alive(), clock.timers_running()), (0, 0));
}

#[test]
fn the_timer_alone_decides() {
    let run = batched(0..4, |item| ready(Ok::<_, ()>(item))).batch_size(2);
    let mut run = Driver::new(run.pause(PAUSE, |_| pending::<()>()));
    assert!(run.run().is_pending());
    let run = batched(0..4, |item| ready(Ok::<_, ()>(item))).batch_size(2);
    assert!(
        Driver::new(run.pause(PAUSE, |_| ready(())))
            .finish()
            .is_ok()
    );
}

#[cfg(panic = "unwind")]
#[test]
fn a_panicking_handler_keeps_batches_whole() {
    let clock = VirtualClock::new();
    let calls = RefCell::new(Vec::new());
    let run = batched(0..5, |item| {
        assert_ne!(item, 0, "the first panics");
        calls.borrow_mut().push((item, clock.now()));
        ready(Ok::<_, ()>(item))
    });
    let mut run = Driver::new(run.batch_size(2).pause(PAUSE, clock.timer()).settle());
    assert!(catch_unwind(AssertUnwindSafe(|| run.poll())).is_err());
    assert!(run.run().is_pending());
    clock.advance(PAUSE);
    assert_eq!(run.finish().len(), 4);
    let times: Vec<_> = calls
        .borrow()
        .iter()
        .map(|(item, time)| (*item, time.as_secs()))
        .collect();
    assert_eq!(times, [(1, 0), (2, 0), (3, 10), (4, 10)]);
}
