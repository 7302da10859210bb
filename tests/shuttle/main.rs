//! Whole verbs, groups and pools under random schedules: their tasks are woken, cancelled and submitted by other
//! threads, and every step of every thread may come at any time.
//!
//! `ci/shuttle.sh` runs this on a copy of the crate whose locks and atomics are those of shuttle. A schedule in which
//! nobody can go on fails as a deadlock, so a wake that is lost shows as one.
#![cfg(abreast_shuttle)]

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use abreast::{join_all, parallel, pool, race, task_group};
use futures::FutureExt;
use shuttle::future::block_on;
use shuttle::sync::{Arc, Mutex};
use shuttle::{check_random, thread};

/// Explores schedules: 2,000 of each program, or as many as `ABREAST_SCHEDULES` says.
fn explore(program: impl Fn() + Send + Sync + 'static) {
    let schedules = std::env::var("ABREAST_SCHEDULES").map_or(2000, |schedules| {
        schedules
            .parse()
            .expect("ABREAST_SCHEDULES has to be a number")
    });
    check_random(program, schedules);
}

/// A task that another thread ends.
#[derive(Clone, Default)]
struct Signal(Arc<Mutex<(bool, Option<Waker>)>>);

impl Signal {
    fn end(&self) {
        let waker = {
            let mut state = self.0.lock().unwrap();
            state.0 = true;
            state.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Future for Signal {
    type Output = Result<(), ()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock().unwrap();
        if state.0 {
            return Poll::Ready(Ok(()));
        }
        state.1 = Some(cx.waker().clone());
        Poll::Pending
    }
}

fn signals<const N: usize>() -> [Signal; N] {
    std::array::from_fn(|_| Signal::default())
}

/// Ends tasks on two other threads, while `run` waits for them on this one.
fn while_others_end<const N: usize>(signals: &[Signal; N], run: impl FnOnce()) {
    let threads = [0, 1].map(|part| {
        let signals = signals.clone();
        thread::spawn(move || signals.iter().skip(part).step_by(2).for_each(Signal::end))
    });
    run();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_window_misses_no_wake() {
    explore(|| {
        let signals = signals::<5>();
        while_others_end(&signals, || {
            let result = block_on(parallel(signals.clone()).concurrency(2));
            assert_eq!(result.success_count(), 5);
        });
    });
}

#[test]
fn a_race_ends_once() {
    explore(|| {
        let signals = signals::<3>();
        while_others_end(&signals, || {
            block_on(race(signals.clone())).unwrap();
        });
    });
}

#[test]
fn nested_sets_miss_no_wake() {
    explore(|| {
        let signals = signals::<4>();
        while_others_end(&signals, || {
            let [a, b, c, d] = signals.clone();
            let pairs = [join_all([a, b]).boxed(), join_all([c, d]).boxed()];
            assert_eq!(block_on(join_all(pairs)).len(), 2);
        });
    });
}

#[test]
fn a_drop_races_with_wakes() {
    explore(|| {
        let signals = signals::<3>();
        while_others_end(&signals, || {
            let mut run = parallel(signals.clone());
            _ = Pin::new(&mut run).now_or_never();
        });
    });
}

#[test]
fn group_values_reach_another_thread() {
    explore(|| {
        let signals = signals::<2>();
        while_others_end(&signals, || {
            let [first, second] = signals.clone();
            let group = task_group(|group| async move {
                let (first, second) = (group.spawn(first), group.spawn(second));
                first.await;
                second.await;
                Ok::<_, ()>(())
            });
            block_on(group).unwrap();
        });
    });
}

#[test]
fn a_pool_serves_other_threads() {
    explore(|| {
        let (pool, driver) = pool(2);
        let submitters = [0, 1].map(|number| {
            let pool = pool.clone();
            thread::spawn(move || {
                let job = pool.execute(async move { Ok::<_, ()>(number) }).unwrap();
                assert_eq!(block_on(job), Ok(number));
            })
        });
        let closer = thread::spawn(move || {
            for submitter in submitters {
                submitter.join().unwrap();
            }
            block_on(pool.shutdown());
        });
        block_on(driver);
        closer.join().unwrap();
    });
}

#[test]
fn workers_on_threads_share_the_jobs() {
    explore(|| {
        let (pool, driver) = pool(2);
        let signals = signals::<3>();
        let handles = signals.clone().map(|signal| pool.execute(signal).unwrap());
        let workers: Vec<_> = driver
            .into_workers()
            .into_iter()
            .map(|worker| thread::spawn(move || block_on(worker)))
            .collect();
        while_others_end(&signals, || {
            handles[2].cancel();
            let [first, second, third] = handles;
            assert_eq!(block_on(first), Ok(()));
            assert_eq!(block_on(second), Ok(()));
            // It was cancelled, or had ended before.
            _ = block_on(third);
            block_on(pool.shutdown());
        });
        for worker in workers {
            worker.join().unwrap();
        }
    });
}
