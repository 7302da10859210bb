//! Pools at a rate: never more starts than it allows, none late, and no place in its line without a job. Needs the
//! feature `test-util`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::limit::Runner;
use crate::support::{Board, Driver as Loop, Random};
use abreast::time::VirtualClock;
use abreast::{Driver, JobHandle, Limit, Pool, Rate};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const INTERVAL: Duration = Duration::from_millis(100);

/// Creates a pool at a rate with the tasks of a board as its jobs.
fn full(rate: &Rate, clock: &VirtualClock, board: &Board, jobs: usize) -> (Pool, Loop<Driver>) {
    let (pool, driver) = Pool::builder().rate(rate, clock.timer()).build();
    for index in 0..jobs {
        drop(pool.execute(board.task(index)).unwrap());
    }
    (pool, Loop::new(driver))
}

#[test]
fn jobs_start_at_the_rate() {
    let (clock, board) = (VirtualClock::new(), Board::new(6));
    let rate = Rate::per_second(10).burst(2);
    let (pool, mut driver) = full(&rate, &clock, &board, 6);
    for started in 2..5 {
        assert!(driver.run().is_pending());
        assert_eq!(pool.active_workers(), started);
        clock.advance(INTERVAL);
        assert!(driver.wakes() > 0);
    }
    assert!(driver.run().is_pending());
    // Its five workers are all at work, so it does not even ask.
    assert_eq!((pool.active_workers(), clock.timers_running()), (5, 0));
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    assert_eq!((pool.active_workers(), pool.queue_length()), (4, 1));
    clock.advance(INTERVAL);
    assert!(driver.run().is_pending());
    assert_eq!(pool.queue_length(), 0);
}

#[test]
fn pauses_hold_pools_back() {
    let (clock, board) = (VirtualClock::new(), Board::new(2));
    let rate = Rate::per_second(10);
    let (pool, mut driver) = full(&rate, &clock, &board, 2);
    assert!(driver.run().is_pending());
    rate.pause_for(10 * INTERVAL, &clock.timer());
    clock.advance(9 * INTERVAL);
    assert!(driver.run().is_pending());
    assert_eq!(pool.active_workers(), 1);
    clock.advance(INTERVAL);
    assert!(driver.run().is_pending());
    assert_eq!(pool.active_workers(), 2);
}

#[test]
fn local_timers_need_not_be_send() {
    let clock = VirtualClock::new();
    let timer = std::rc::Rc::new(clock.timer());
    let local = move |duration| {
        let timer = timer.clone();
        async move { abreast::Timer::sleep(&*timer, duration).await }
    };
    // The clock of such a timer is the system's.
    let rate = Rate::per(1, Duration::from_secs(3600));
    let builder = Pool::builder().local().rate(&rate, local);
    let (pool, driver) = builder.build();
    let mut driver = Loop::new(driver);
    for _ in 0..2 {
        drop(pool.execute(async { Ok::<_, ()>(()) }).unwrap());
    }
    assert!(driver.run().is_pending());
    assert_eq!((pool.queue_length(), clock.timers_running()), (1, 1));
}

#[test]
fn the_permit_comes_before_the_unit() {
    let (clock, board) = (VirtualClock::new(), Board::new(2));
    let (limit, rate) = (Limit::new(1), Rate::per_second(10).burst(1));
    let builder = Pool::builder().limit(&limit).rate(&rate, clock.timer());
    let (pool, driver) = builder.build();
    let mut driver = Loop::new(driver);
    let mut handles = [0, 1].map(|index| pool.execute(board.task(index)).unwrap());
    assert!(driver.run().is_pending());
    assert_eq!((limit.in_use(), limit.waiting()), (1, 1));

    // While it waits for the limit, it takes no unit.
    clock.advance(INTERVAL);
    assert!(driver.run().is_pending());
    assert!(rate.try_acquire(1, &clock.timer()));
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    assert_eq!((pool.active_workers(), limit.in_use()), (0, 1));

    // Without a job, both are given up.
    handles[1].cancel();
    assert!(driver.wakes() > 0 && driver.run().is_pending());
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
    assert_eq!(clock.timers_running(), 0);
    assert_eq!(Loop::new(&mut handles[0]).finish(), Ok(0));
}

#[test]
fn cancelled_jobs_leave_the_line() {
    let (clock, board) = (VirtualClock::new(), Board::new(2));
    let rate = Rate::per_second(10);
    let (pool, mut driver) = full(&rate, &clock, &board, 1);
    let handle = pool.execute(board.task(1)).unwrap();
    assert!(driver.run().is_pending());
    let mut behind = Loop::new(rate.acquire(1, clock.timer()));
    assert!(behind.run().is_pending());

    // Another job runs on, so the pool is not idle.
    handle.cancel();
    assert!(driver.wakes() > 0 && driver.run().is_pending());
    assert!(behind.wakes() > 0 && behind.run().is_pending());
    clock.advance(INTERVAL);
    assert!(behind.run().is_ready());
}

#[test]
fn drains_wait_for_the_rate() {
    let (clock, board) = (VirtualClock::new(), Board::new(3));
    (0..3).for_each(|index| board.end(index, Ok(0)));
    let rate = Rate::per_second(10);
    let (pool, mut driver) = full(&rate, &clock, &board, 3);
    clock.run(driver.future.run_until(pool.drain()));
    assert_eq!(clock.now(), 2 * INTERVAL);
    assert_eq!(pool.stats().total_succeeded, 3);
}

#[test]
fn shutdowns_end_after_the_last_job() {
    let (clock, board) = (VirtualClock::new(), Board::new(2));
    let rate = Rate::per_second(10);
    let (pool, mut driver) = full(&rate, &clock, &board, 2);
    assert!(driver.run().is_pending());
    let mut shutdown = Loop::new(pool.shutdown());
    (0..2).for_each(|index| board.end(index, Ok(0)));
    assert!(driver.run().is_pending() && shutdown.run().is_pending());
    clock.advance(INTERVAL);
    assert!(driver.run().is_ready() && shutdown.run().is_ready());
}

#[test]
fn a_deadline_ends_the_wait() {
    let (clock, board) = (VirtualClock::new(), Board::new(2));
    let rate = Rate::per_second(1);
    let (pool, mut driver) = full(&rate, &clock, &board, 2);
    assert!(driver.run().is_pending());
    let mut shutdown = Loop::new(pool.shutdown().within(INTERVAL, clock.timer()));
    assert!(shutdown.run().is_pending());
    clock.advance(INTERVAL);
    let report = shutdown.finish();
    assert_eq!((report.dropped, report.never_started), (1, 1));
    assert!(driver.run().is_ready());
    assert_eq!(clock.timers_running(), 0);
    clock.advance(10 * INTERVAL);
    assert!(rate.try_acquire(1, &clock.timer()));
}

#[test]
fn dropped_workers_leave_the_line() {
    let (clock, board) = (VirtualClock::new(), Board::new(4));
    let rate = Rate::per_second(10);
    let (_first, mut gone) = full(&rate, &clock, &board, 2);
    let (second, mut driver) = full(&rate, &clock, &board, 2);
    assert!(gone.run().is_pending() && driver.run().is_pending());
    drop(gone);
    assert!(driver.wakes() > 0 && driver.run().is_pending());
    clock.advance(INTERVAL);
    assert!(driver.run().is_pending());
    assert_eq!(second.active_workers(), 1);
}

#[test]
fn a_split_driver_starts_afresh() {
    let (clock, board) = (VirtualClock::new(), Board::new(3));
    let rate = Rate::per_second(10);
    let (pool, mut driver) = full(&rate, &clock, &board, 3);
    assert!(driver.run().is_pending());
    let driver = *std::pin::Pin::into_inner(driver.future);
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    // The first has its one job, so it is in nobody's way.
    assert!(workers.iter_mut().all(|worker| worker.run().is_pending()));
    clock.advance(INTERVAL);
    assert!(workers[1].wakes() > 0 && workers[1].run().is_pending());
    assert!(workers[2].wakes() > 0 && workers[2].run().is_pending());
    assert_eq!(pool.active_workers(), 2);
}

/// Two pools share a rate, as jobs are submitted, ended and cancelled at random.
#[test]
fn never_above_the_rate_nor_late() {
    const JOBS: usize = 60;
    const STEP: Duration = Duration::from_millis(1);
    const EACH: Duration = Duration::from_millis(5);

    for seed in 1..=200_u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let clock = VirtualClock::new();
        let burst = 1 + random.below(3) as u32;
        let rate = Rate::per(1, EACH).burst(burst);
        let workers: [usize; 2] = std::array::from_fn(|_| 1 + random.below(4));
        let (pools, mut runners): (Vec<_>, Vec<_>) = workers
            .iter()
            .map(|workers| {
                let builder = Pool::builder().worker_count(*workers);
                let (pool, driver) = builder.rate(&rate, clock.timer()).build();
                (pool, Runner::new(driver, random.below(2) == 0))
            })
            .unzip();
        let (board, starts) = (Board::new(JOBS), Arc::new(Mutex::new(0)));
        let mut handles: Vec<JobHandle<usize, &str>> = Vec::new();
        runners.iter_mut().for_each(|runner| _ = runner.run(true));

        // The bucket of the model: the time until it is full.
        let (mut missing, mut modelled) = (Duration::ZERO, 0);
        for _ in 0..300 {
            match random.below(8) {
                0 | 1 if handles.len() < JOBS => {
                    let (task, starts) = (board.task(handles.len()), starts.clone());
                    let job = async move {
                        *starts.lock().unwrap() += 1;
                        task.await
                    };
                    handles.push(pools[random.below(2)].execute(job).unwrap());
                }
                2 if !handles.is_empty() => handles[random.below(handles.len())].cancel(),
                3 if !handles.is_empty() => board.end(random.below(handles.len()), Ok(0)),
                _ => {
                    clock.advance(STEP);
                    missing = missing.saturating_sub(STEP);
                }
            }
            while runners
                .iter_mut()
                .fold(false, |any, runner| any | runner.run(false))
            {}

            // Never above the rate.
            let now = *starts.lock().unwrap();
            missing += EACH * (now - modelled);
            modelled = now;
            assert!(missing <= EACH * burst);
            // Nor late: a free worker with a job has no unit. And if there is none, nobody is in line.
            let has_unit = missing + EACH <= EACH * burst;
            let waits = pools
                .iter()
                .zip(&workers)
                .any(|(pool, workers)| pool.queue_length() > 0 && pool.active_workers() < *workers);
            assert!(!(has_unit && waits));
            if random.below(4) == 0 {
                let acquired = rate.try_acquire(1, &clock.timer());
                assert_eq!(acquired, has_unit && !waits);
                missing += EACH * u32::from(acquired);
            }
        }
    }
}
