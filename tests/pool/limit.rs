//! Pools under a limit: never more jobs than it allows, no permit in vain, and drains and shutdowns that wait while it
//! is 0.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::support::{Board, Driver as Loop, Random};
use abreast::pool::Worker;
use abreast::{Driver, JobError, JobHandle, Limit, Pool};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Creates a pool under a limit with the tasks of a board as its jobs.
fn full(workers: usize, limit: &Limit, board: &Board, jobs: usize) -> (Pool, Loop<Driver>) {
    let builder = Pool::builder().worker_count(workers).limit(limit);
    let (pool, driver) = builder.build();
    for index in 0..jobs {
        drop(pool.execute(board.task(index)).unwrap());
    }
    (pool, Loop::new(driver))
}

#[test]
fn a_limit_changes_while_jobs_run() {
    let (limit, board) = (Limit::new(2), Board::new(10));
    let (pool, mut driver) = full(5, &limit, &board, 10);
    assert!(driver.run().is_pending());
    assert_eq!((pool.active_workers(), limit.in_use()), (2, 2));

    limit.set(4);
    assert!(driver.run().is_pending());
    assert_eq!((pool.active_workers(), limit.waiting()), (4, 1));

    // Nothing is stopped, and nothing started until enough have ended.
    limit.set(1);
    for ended in 0..3 {
        board.end(ended, Ok(0));
        assert!(driver.run().is_pending());
        assert_eq!(pool.active_workers(), 3 - ended);
    }
    board.end(3, Ok(0));
    assert!(driver.run().is_pending());
    assert_eq!((pool.active_workers(), pool.queue_length()), (1, 5));

    // Its own workers are a limit, too.
    limit.set(100);
    assert!(driver.run().is_pending());
    assert_eq!((pool.active_workers(), limit.waiting()), (5, 0));
    assert_eq!(pool.stats().limit, Some(100));
}

#[test]
fn pools_without_limit_say_so() {
    let (pool, _driver) = abreast::pool(2);
    assert_eq!(pool.stats().limit, None);
}

#[test]
fn idle_pools_take_no_permits() {
    let (limit, board) = (Limit::new(1), Board::new(2));
    let (pool, mut driver) = full(3, &limit, &board, 1);
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));

    // What it waited for was cancelled, so the permit goes on.
    let permit = limit.try_acquire().unwrap();
    let handle = pool.execute(board.task(1)).unwrap();
    assert!(driver.run().is_pending());
    assert_eq!(limit.waiting(), 1);
    handle.cancel();
    drop(permit);
    assert!(driver.run().is_pending());
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
}

#[test]
fn drains_wait_while_paused() {
    let (limit, board) = (Limit::new(1), Board::new(2));
    limit.set(0);
    let (pool, mut driver) = full(3, &limit, &board, 2);
    let mut drain = Loop::new(pool.drain());
    assert!(driver.run().is_pending() && drain.run().is_pending());
    limit.set(1);
    for index in 0..2 {
        board.end(index, Ok(0));
    }
    assert!(driver.run().is_pending() && drain.run().is_ready());
    assert_eq!(pool.stats().total_succeeded, 2);
}

#[test]
fn shutdowns_wait_while_paused() {
    let (limit, board) = (Limit::new(1), Board::new(1));
    limit.set(0);
    let (pool, mut driver) = full(3, &limit, &board, 1);
    assert!(driver.run().is_pending());
    let mut shutdown = Loop::new(pool.shutdown());
    assert!(driver.run().is_pending() && shutdown.run().is_pending());
    board.end(0, Ok(0));
    limit.set(1);
    assert!(driver.run().is_ready() && shutdown.run().is_ready());
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
}

#[test]
fn paused_workers_leave_after_cancellation() {
    let limit = Limit::new(1);
    limit.set(0);
    let builder = Pool::builder().worker_count(2).limit(&limit);
    let (pool, driver) = builder.build();
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    let handle = pool.execute(async { Ok::<_, ()>(1) }).unwrap();
    assert!(workers.iter_mut().all(|worker| worker.run().is_pending()));
    assert_eq!(limit.waiting(), 2);
    let mut shutdown = Loop::new(pool.shutdown());
    handle.cancel();
    assert!(shutdown.run().is_ready());
    for worker in &mut workers {
        assert!(worker.wakes() > 0 && worker.run().is_ready());
    }
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
}

#[cfg(feature = "test-util")]
#[test]
fn a_deadline_ends_a_paused_pool() {
    use std::time::Duration;

    let clock = abreast::time::VirtualClock::new();
    let (limit, board) = (Limit::new(1), Board::new(2));
    let (pool, mut driver) = full(3, &limit, &board, 2);
    assert!(driver.run().is_pending());
    limit.set(0);
    let second = Duration::from_secs(1);
    let mut shutdown = Loop::new(pool.shutdown().within(second, clock.timer()));
    assert!(shutdown.run().is_pending());
    clock.advance(second);
    let report = shutdown.finish();
    assert_eq!((report.dropped, report.never_started), (1, 1));
    assert!(driver.run().is_ready());
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
}

#[test]
fn a_dropped_driver_passes_permits_on() {
    let (limit, board) = (Limit::new(2), Board::new(4));
    let (first, mut gone) = full(2, &limit, &board, 2);
    assert!(gone.run().is_pending());
    let handle = first.execute(async { Ok::<_, ()>(1) }).unwrap();
    let (second, mut driver) = full(2, &limit, &board, 2);
    assert!(driver.run().is_pending());
    assert_eq!((second.active_workers(), limit.in_use()), (0, 2));
    drop(gone);
    assert!(driver.wakes() > 0 && driver.run().is_pending());
    assert_eq!((second.active_workers(), limit.in_use()), (2, 2));
    assert_eq!(Loop::new(handle).finish(), Err(JobError::Abandoned));
}

#[test]
fn a_split_driver_leaves_the_line() {
    let (limit, board) = (Limit::new(2), Board::new(4));
    let (pool, mut driver) = full(3, &limit, &board, 4);
    assert!(driver.run().is_pending());
    assert_eq!((limit.in_use(), limit.waiting()), (2, 1));
    let driver = *std::pin::Pin::into_inner(driver.future);
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    // The first has two jobs already, so it must not be granted another permit.
    assert!(workers[0].run().is_pending());
    assert_eq!(limit.waiting(), 0);
    assert!(workers[1].run().is_pending());
    limit.set(3);
    assert!(workers[1].run().is_pending());
    assert_eq!((pool.active_workers(), limit.in_use()), (3, 3));
}

#[test]
fn the_permit_outlives_the_job() {
    /// Reads the limit when it is dropped.
    struct ReadAtDrop(Limit, Arc<AtomicUsize>);

    impl Drop for ReadAtDrop {
        fn drop(&mut self) {
            self.1.store(self.0.in_use(), SeqCst);
        }
    }

    let (limit, seen) = (Limit::new(1), Arc::new(AtomicUsize::new(0)));
    let (pool, driver) = Pool::builder().limit(&limit).build();
    let at_drop = ReadAtDrop(limit.clone(), seen.clone());
    let task = async move {
        let _at_drop = at_drop;
        Ok::<_, ()>(1)
    };
    drop(pool.execute(task).unwrap());
    assert!(Loop::new(driver).run().is_pending());
    assert_eq!((seen.load(SeqCst), limit.in_use()), (1, 0));
}

#[cfg(all(panic = "unwind", not(target_family = "wasm")))]
#[test]
fn panics_give_permits_back() {
    let limit = Limit::new(1);
    let (pool, driver) = Pool::builder().limit(&limit).build();
    let panics = pool.execute(async { panic!("oh") as Result<(), ()> });
    drop(panics.unwrap());
    let six = pool.execute(async { Ok::<_, ()>(6) }).unwrap();
    assert!(Loop::new(driver).run().is_pending());
    assert_eq!(Loop::new(six).finish(), Ok(6));
    assert_eq!((limit.in_use(), pool.stats().total_panicked), (0, 1));
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn threads_keep_to_the_limit() {
    const JOBS: usize = 2000;

    let limit = Limit::new(3);
    let running = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..2)
        .map(|_| {
            // Two pools, whose workers are four threads each, share the limit.
            let (pool, driver) = Pool::builder().worker_count(4).limit(&limit).build();
            let workers = driver.into_workers().into_iter();
            let threads: Vec<_> = workers
                .map(|worker| std::thread::spawn(|| smol::block_on(worker)))
                .collect();
            for index in 0..JOBS {
                let running = running.clone();
                let task = async move {
                    let before = running.fetch_add(1, SeqCst);
                    if index % 3 == 0 {
                        crate::support::yield_now().await;
                    }
                    running.fetch_sub(1, SeqCst);
                    if before < 3 { Ok(()) } else { Err(before) }
                };
                drop(pool.execute(task).unwrap());
            }
            (pool, threads)
        })
        .collect();
    for permits in [1, 3, 0, 2, 3].into_iter().cycle().take(500) {
        limit.set(permits);
        std::thread::yield_now();
    }
    limit.set(3);
    for (pool, threads) in threads {
        smol::block_on(pool.shutdown());
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(pool.stats().total_succeeded, JOBS as u64);
    }
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
}

/// What polls a pool: a driver, or its workers.
pub(crate) enum Runner {
    Driver(Loop<Driver>),
    Workers(Vec<Loop<Worker>>),
}

impl Runner {
    pub(crate) fn new(driver: Driver, is_split: bool) -> Self {
        if is_split {
            Self::Workers(driver.into_workers().into_iter().map(Loop::new).collect())
        } else {
            Self::Driver(Loop::new(driver))
        }
    }

    /// Polls what was woken, or all at first. Returns whether anything was.
    pub(crate) fn run(&mut self, is_first: bool) -> bool {
        let mut any = false;
        let mut run = |wakes: usize, poll: &mut dyn FnMut() -> bool| {
            if is_first || wakes > 0 {
                any = true;
                assert!(poll(), "it has left");
            }
        };
        match self {
            Self::Driver(driver) => run(driver.wakes(), &mut || driver.run().is_pending()),
            Self::Workers(workers) => {
                for worker in workers {
                    run(worker.wakes(), &mut || worker.run().is_pending());
                }
            }
        }
        any
    }
}

/// Two pools share a limit, which is set at random, as jobs are submitted, ended and cancelled.
#[test]
fn never_exceeded_nor_idle_with_work() {
    const JOBS: usize = 60;

    for seed in 1..=500_u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let limit = Limit::new(1 + random.below(4));
        let workers: [usize; 2] = std::array::from_fn(|_| 1 + random.below(4));
        let (pools, drivers): (Vec<_>, Vec<_>) = workers
            .iter()
            .map(|workers| {
                let builder = Pool::builder().worker_count(*workers);
                builder.limit(&limit).build()
            })
            .unzip();
        let mut runners: Vec<_> = drivers
            .into_iter()
            .map(|driver| Runner::new(driver, random.below(2) == 0))
            .collect();
        let board = Board::new(JOBS);
        let mut handles: Vec<JobHandle<usize, &str>> = Vec::new();
        let mut others = Vec::new();
        runners.iter_mut().for_each(|runner| _ = runner.run(true));

        let mut active = 0;
        for _ in 0..200 {
            match random.below(8) {
                0..=2 if handles.len() < JOBS => {
                    let pool = pools[random.below(2)].with_priority(random.below(2) as i32);
                    handles.push(pool.execute(board.task(handles.len())).unwrap());
                }
                3 => limit.set(random.below(5)),
                4 => others.extend(limit.try_acquire()),
                5 => drop(others.pop()),
                6 if !handles.is_empty() => handles[random.below(handles.len())].cancel(),
                _ if !handles.is_empty() => board.end(random.below(handles.len()), Ok(0)),
                _ => {}
            }
            // Whatever was woken runs, until nothing is.
            while runners
                .iter_mut()
                .fold(false, |any, runner| any | runner.run(false))
            {}

            // Never exceeded: what runs more than it allows was running before.
            let running: usize = pools.iter().map(Pool::active_workers).sum();
            assert_eq!(limit.in_use(), running + others.len());
            assert!(limit.in_use() <= limit.get() || running <= active);
            active = running;
            // Never idle with work waiting: there is no permit, or no worker.
            for (pool, workers) in pools.iter().zip(&workers) {
                let is_full = pool.active_workers() == *workers;
                assert!(pool.queue_length() == 0 || is_full || limit.in_use() >= limit.get());
            }
        }

        // What is left can end.
        drop(others);
        limit.set(2);
        (0..JOBS).for_each(|index| board.end(index, Ok(0)));
        while runners
            .iter_mut()
            .fold(false, |any, runner| any | runner.run(false))
        {}
        assert!(handles.iter().all(JobHandle::is_finished));
        assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
    }
}
