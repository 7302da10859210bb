//! Many threads at once.
#![cfg(not(target_family = "wasm"))]
// Allocators cannot be written without.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::env;
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::{Random, yield_times};
use abreast::{JobError, JobHandle, Pool, PoolError, PoolStats, pool};
use futures::executor::block_on;

struct Weighing;

pub(crate) static BYTES: AtomicIsize = AtomicIsize::new(0);

unsafe impl GlobalAlloc for Weighing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size() as isize, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Weighing = Weighing;

/// One test at a time, as they weigh memory.
pub(crate) static ALONE: Mutex<()> = Mutex::new(());

fn add_up(stats: PoolStats) {
    let ended =
        stats.total_succeeded + stats.total_failed + stats.total_cancelled + stats.total_panicked;
    assert_eq!(stats.total_executed, ended);
    let present = (stats.queue_length + stats.active_workers) as u64;
    assert_eq!(
        stats.total_accepted,
        ended + stats.total_abandoned + present
    );
    assert!(stats.active_workers <= stats.worker_count);
}

/// `count` jobs through 64 workers from 8 submitters; all of it on 2 threads. `ABREAST_JOBS` sets the count.
#[test]
fn every_handle_resolves_and_memory_returns() {
    let _alone = ALONE.lock();
    let count: u64 = match env::var("ABREAST_JOBS") {
        Ok(count) => count.parse().expect("a number of jobs"),
        Err(_) => 1_000_000,
    };
    let run = |count: u64| {
        let executor = Arc::new(smol::Executor::new());
        let (pool, driver) = pool(64);
        let workers: Vec<_> = driver
            .into_workers()
            .into_iter()
            .map(|worker| executor.spawn(worker))
            .collect();
        let submitters: Vec<_> = (0..8)
            .map(|submitter| {
                let pool = pool.clone();
                executor.spawn(async move {
                    let mut sum = 0;
                    for batch in 0..count / 8 / 1000 {
                        let handles: Vec<_> = (0..1000)
                            .map(|n| {
                                let n = submitter + 8 * (n + 1000 * batch);
                                let yields = (n % 3) as usize;
                                let task = async move {
                                    yield_times(yields).await;
                                    Ok::<_, ()>(n)
                                };
                                pool.execute(task).unwrap()
                            })
                            .collect();
                        for handle in handles {
                            sum += handle.await.unwrap();
                        }
                    }
                    sum
                })
            })
            .collect();
        let all = async {
            let mut sum = 0;
            for submitter in submitters {
                sum += submitter.await;
            }
            pool.shutdown().await;
            for worker in workers {
                worker.await;
            }
            sum
        };
        let end = async_channel::bounded::<()>(1);
        let sum = thread::scope(|scope| {
            scope.spawn(|| block_on(executor.run(end.1.recv())));
            let sum = block_on(executor.run(all));
            end.0.close();
            sum
        });
        assert_eq!(sum, (0..count).sum::<u64>());
        let stats = pool.stats();
        add_up(stats);
        assert_eq!(
            (stats.total_succeeded, stats.total_accepted),
            (count, count)
        );
    };
    // What threads and libraries keep for good is there after the first run.
    run(8_000);
    let before = BYTES.load(Ordering::SeqCst);
    run(count);
    let after = BYTES.load(Ordering::SeqCst);
    assert!(
        (after - before).abs() < 16 * 1024,
        "{before} bytes before, {after} after"
    );
}

#[test]
fn a_long_queue_returns_its_memory() {
    let _alone = ALONE.lock();
    let (pool, mut driver) = pool(2);
    block_on(driver.run_until(pool.drain()));
    let before = BYTES.load(Ordering::SeqCst);
    for n in 0..100_000 {
        drop(pool.execute(async move { Ok::<_, ()>(n) }).unwrap());
    }
    block_on(driver.run_until(pool.drain()));
    let after = BYTES.load(Ordering::SeqCst);
    assert!(
        (after - before).abs() < 16 * 1024,
        "{before} bytes before, {after} after"
    );
}

#[test]
fn the_figures_always_add_up() {
    let _alone = ALONE.lock();
    let (pool, driver) = pool(8);
    let workers: Vec<_> = driver
        .into_workers()
        .into_iter()
        .map(|worker| thread::spawn(|| block_on(worker)))
        .collect();
    let stop = Arc::new(AtomicBool::new(false));
    let watcher = {
        let (pool, stop) = (pool.clone(), stop.clone());
        thread::spawn(move || {
            let mut last = PoolStats::default().total_executed;
            while !stop.load(Ordering::SeqCst) {
                let stats = pool.stats();
                add_up(stats);
                assert!(stats.total_executed >= last);
                last = stats.total_executed;
            }
        })
    };
    let submitters: Vec<_> = (0..8)
        .map(|seed| {
            let pool = pool.clone();
            thread::spawn(move || hammer(&pool, seed))
        })
        .collect();
    let accepted: u64 = submitters
        .into_iter()
        .map(|submitter| submitter.join().unwrap())
        .sum();
    block_on(pool.drain());
    stop.store(true, Ordering::SeqCst);
    watcher.join().unwrap();
    assert_eq!(
        (pool.stats().total_accepted, pool.stats().total_executed),
        (accepted, accepted)
    );
    drop(pool);
    for worker in workers {
        worker.join().unwrap();
    }
}

/// Does whatever may be done; gives the number of jobs that were accepted.
fn hammer(pool: &Pool, seed: u64) -> u64 {
    let mut random = Random(seed + 1);
    let (mut accepted, mut handles) = (0, Vec::new());
    for n in 0..2_000_usize {
        let (kind, yields) = (random.below(20), random.below(3));
        let task = async move {
            yield_times(yields).await;
            match kind {
                0 => Err("no"),
                // Without the noise of the panic hook.
                1 => std::panic::resume_unwind(Box::new("it")),
                _ => Ok(n),
            }
        };
        match pool.execute(task) {
            Ok(handle) => {
                accepted += 1;
                handles.push(handle);
            }
            Err(error) => assert_eq!(error, PoolError::Draining),
        }
        match random.below(60) {
            0 => block_on(pool.drain()),
            1 => drop(pool.drain()),
            2..12 => drop(handles.pop()),
            12..20 => handles.iter().for_each(JobHandle::cancel),
            20..24 => handles.drain(..).for_each(|handle| match block_on(handle) {
                Ok(_) | Err(JobError::Failed("no") | JobError::Cancelled) => {}
                Err(JobError::Panicked { message }) => assert_eq!(message, "it"),
                Err(other) => panic!("{other:?}"),
            }),
            _ => {}
        }
    }
    accepted
}

#[test]
fn submissions_race_with_shutting_down() {
    let _alone = ALONE.lock();
    for _ in 0..100 {
        let (pool, driver) = pool(2);
        let driver = thread::spawn(|| block_on(driver));
        let submitters: Vec<_> = (0..4)
            .map(|_| {
                let pool = pool.clone();
                thread::spawn(move || {
                    let mut handles = Vec::new();
                    let error = loop {
                        match pool.execute(async { Ok::<_, ()>(1) }) {
                            Ok(handle) => handles.push(handle),
                            Err(error) => break error,
                        }
                    };
                    assert_eq!(error, PoolError::Closed);
                    // What was accepted is finished.
                    handles
                        .into_iter()
                        .for_each(|handle| assert_eq!(block_on(handle), Ok(1)));
                })
            })
            .collect();
        while pool.stats().total_executed < 10 {
            thread::yield_now();
        }
        block_on(pool.shutdown());
        driver.join().unwrap();
        for submitter in submitters {
            submitter.join().unwrap();
        }
        add_up(pool.stats());
        assert_eq!(pool.stats().total_abandoned, 0);
    }
}
