//! What the clock says: how long jobs are queued, and how long they run.

use std::sync::mpsc;
use std::time::Duration;
#[cfg(not(target_family = "wasm"))]
use std::time::Instant;

use crate::support::{Board, Driver as Loop};
use abreast::{Pool, PoolEvent, PoolStats, pool};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;
#[cfg(target_family = "wasm")]
use web_time::Instant;

/// Keeps the thread busy.
fn toil() {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(4) {}
}

#[test]
fn durations_are_summed() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let submit = |yields| {
        let _ = pool.execute(async move {
            toil();
            crate::support::yield_times(yields).await;
            Ok::<_, ()>(())
        });
    };
    [0, 0, 0].into_iter().for_each(submit);
    assert_eq!(pool.stats().total_duration, Duration::ZERO);
    let begin = Instant::now();
    assert!(driver.run().is_pending());
    let elapsed = begin.elapsed();
    let one_by_one = pool.stats().total_duration;
    assert!(one_by_one >= Duration::from_millis(12) && one_by_one <= elapsed);

    // Each of these runs while another toils.
    [0, 1, 0, 1, 0].into_iter().for_each(submit);
    let begin = Instant::now();
    assert!(driver.run().is_pending());
    let most = 2 * begin.elapsed();
    let side_by_side = pool.stats().total_duration - one_by_one;
    assert!(side_by_side > Duration::from_millis(20) && side_by_side <= most);
}

#[test]
fn jobs_side_by_side_are_summed() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let board = Board::new(2);
    let _handles = [0, 1].map(|index| pool.execute(board.task(index)).unwrap());
    assert!(driver.run().is_pending());
    toil();
    (0..2).for_each(|index| board.end(index, Ok(index)));
    assert!(driver.run().is_pending());
    assert!(pool.stats().total_duration >= Duration::from_millis(8));
}

#[test]
fn hooks_learn_the_duration_of_jobs() {
    let (durations, seen) = mpsc::channel();
    let (pool, driver) = Pool::builder()
        .on_event(move |event| {
            if let PoolEvent::Ended { duration, .. } = event {
                durations.send(*duration).unwrap();
            }
        })
        .build();
    for toils in [true, false, true] {
        let _ = pool.execute(async move {
            if toils {
                toil();
            }
            Ok::<_, ()>(())
        });
    }
    assert!(Loop::new(driver).run().is_pending());
    let seen: Vec<Duration> = seen.try_iter().collect();
    assert!(seen[0].as_millis() >= 4 && seen[1] < seen[0] && seen[2].as_millis() >= 4);
    assert_eq!(seen.iter().sum::<Duration>(), pool.stats().total_duration);
}

/// Submits two jobs to one worker, each of which waits while the thread is busy, and runs them.
fn queue_two(pool: Pool, driver: abreast::Driver) -> PoolStats {
    for _ in 0..2 {
        let task = async {
            toil();
            Ok::<_, ()>(())
        };
        drop(pool.execute(task).unwrap());
    }
    toil();
    assert!(Loop::new(driver).run().is_pending());
    pool.stats()
}

#[test]
fn hooks_learn_the_queue_time() {
    let (times, seen) = mpsc::channel();
    let (pool, driver) = Pool::builder()
        .worker_count(1)
        .on_event(move |event| {
            if let PoolEvent::Started { queue_time, .. } = event {
                times.send(*queue_time).unwrap();
            }
        })
        .build();
    let stats = queue_two(pool, driver);
    let seen: Vec<Duration> = seen.try_iter().collect();
    assert!(seen[0].as_millis() >= 4 && seen[1].as_millis() >= 8);
    assert_eq!(seen.iter().sum::<Duration>(), stats.total_queue_time);
    assert_eq!(seen[1], stats.max_queue_time);
}

#[test]
fn queue_times_are_summed_when_asked() {
    let builder = Pool::builder().worker_count(1);
    let (measured, driver) = builder.measure_queue_time(true).build();
    let stats = queue_two(measured, driver);
    assert!(stats.total_queue_time >= Duration::from_millis(12));
    assert!(stats.max_queue_time >= Duration::from_millis(8));

    let (pool, driver) = pool(1);
    let stats = queue_two(pool, driver);
    assert_eq!(stats.total_queue_time, Duration::ZERO);
    assert_eq!(stats.max_queue_time, Duration::ZERO);
}

#[test]
fn cancelled_jobs_have_no_queue_time() {
    let builder = Pool::builder().worker_count(1);
    let (pool, driver) = builder.measure_queue_time(true).build();
    let handle = pool.execute(async { Ok::<_, ()>(1) }).unwrap();
    toil();
    handle.cancel();
    assert!(Loop::new(driver).run().is_pending());
    assert_eq!(pool.stats().total_queue_time, Duration::ZERO);
}

#[test]
fn waiting_for_room_is_not_queueing() {
    let builder = Pool::builder().worker_count(1).queue_capacity(1);
    let (pool, driver) = builder.measure_queue_time(true).build();
    let mut driver = Loop::new(driver);
    let mut first = Loop::new(pool.execute_when_room(async { Ok::<_, ()>(1) }));
    let mut second = Loop::new(pool.execute_when_room(async { Ok::<_, ()>(2) }));
    assert!(first.poll().is_ready() && second.poll().is_pending());
    assert!(driver.run().is_pending());
    let before = pool.stats().total_queue_time;
    toil();
    let begin = Instant::now();
    assert!(second.poll().is_ready());
    assert!(driver.run().is_pending());
    let most = begin.elapsed();
    assert!(pool.stats().total_queue_time - before <= most);
}
