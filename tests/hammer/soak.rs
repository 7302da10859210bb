//! Everything nested in everything, on two threads and for a while: it never stands still, and leaves nothing behind.
//!
//! `ABREAST_SOAK=600 cargo test --release --all-features --test hammer soak` goes on for ten minutes.
#![cfg(not(target_family = "wasm"))]

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicIsize, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use abreast::{
    Pool, batched, fall_through, gather, join_all, parallel, parallel_stream, pool, race,
    sequential, task_group, timeout,
};
use futures::channel::oneshot;
use futures::executor::block_on;
use futures::future::FutureExt;
use futures::stream::{self, StreamExt};

use crate::pool::{ALONE, BYTES};
use crate::support::{Random, yield_times};

type Nested = Pin<Box<dyn Future<Output = Result<usize, usize>> + Send>>;

/// For how long it goes on, unless `ABREAST_SOAK` says so.
const SECONDS: u64 = 8;

/// How long nothing may be done before it counts as a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// What all threads share.
struct Soak {
    /// The leaves that exist.
    alive: AtomicIsize,
    /// The leaves that have ended.
    done: AtomicU64,
    /// Answers from another thread.
    elsewhere: Mutex<Sender<oneshot::Sender<()>>>,
    pool: Pool,
}

/// A leaf of a tree of futures, counted for as long as it exists.
struct Leaf(Arc<Soak>);

impl Leaf {
    fn new(soak: &Arc<Soak>) -> Self {
        soak.alive.fetch_add(1, Ordering::Relaxed);
        Self(soak.clone())
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Soak {
    /// Creates a task that ends at once, after some turns, or when another thread has answered. One in four fails.
    fn leaf(self: &Arc<Self>, random: &mut Random) -> Nested {
        let leaf = Leaf::new(self);
        let (kind, turns, fails) = (random.below(4), random.below(4), random.below(4) == 0);
        Box::pin(async move {
            match kind {
                0 => {}
                1 | 2 => yield_times(turns).await,
                _ => {
                    let (answer, answered) = oneshot::channel();
                    let elsewhere = leaf.0.elsewhere.lock().unwrap().clone();
                    elsewhere.send(answer).expect("it runs");
                    answered.await.expect("it answers");
                }
            }
            leaf.0.done.fetch_add(1, Ordering::Relaxed);
            if fails { Err(turns) } else { Ok(turns) }
        })
    }

    /// Creates a tree of futures. Only its upper part uses the pool: a job that waits for others may keep them from a
    /// worker.
    fn nested(self: &Arc<Self>, random: &mut Random, depth: usize, uses_pool: bool) -> Nested {
        if depth == 0 {
            return self.leaf(random);
        }
        let count = 1 + random.below(5);
        let window = 1 + random.below(4);
        let pooled = uses_pool && random.below(3) == 0;
        let mut tasks: Vec<_> = (0..count)
            .map(|_| {
                let depth = random.below(depth);
                self.nested(random, depth, uses_pool && !pooled)
            })
            .collect();
        if pooled {
            tasks = tasks
                .into_iter()
                .map(|task| self.in_pool(random, task))
                .collect();
        }
        match random.below(11) {
            0 => Box::pin(async move {
                let result = parallel(tasks).concurrency(window).await;
                Ok(result.success_count())
            }),
            1 => Box::pin(async move {
                let result = parallel_stream(stream::iter(tasks))
                    .concurrency(window)
                    .fail_fast(true);
                Ok(result.await.success_count())
            }),
            2 => Box::pin(async move {
                // Some of the results, and then the rest is dropped.
                let results = parallel(tasks).concurrency(window).into_ordered_stream();
                Ok(results.take(window).count().await)
            }),
            3 => Box::pin(async move { race(tasks).await.map_or(Err(0), |won| Ok(won.value)) }),
            4 => Box::pin(async move {
                let won = race(tasks).stagger(Duration::ZERO, |_| ready(())).await;
                won.map_or(Err(1), |won| Ok(won.value))
            }),
            5 => Box::pin(async move {
                let first = fall_through(tasks).await;
                first.map_or(Err(2), |first| Ok(first.value))
            }),
            6 => Box::pin(async move {
                let values = sequential(tasks).await;
                values.map_or(Err(3), |values| Ok(values.len()))
            }),
            7 => Box::pin(async move {
                let result = batched(tasks, |task| task)
                    .batch_size(window)
                    .settle()
                    .await;
                Ok(result.success_count())
            }),
            8 => Box::pin(async move {
                let last = tasks.pop().expect("there is one");
                let (last, others) = gather((last, join_all(tasks).boxed())).await;
                last.map(|last| last + others.len())
            }),
            9 => Box::pin(async move {
                let group = task_group(|group| async move {
                    let spawn = |task| group.spawn(task);
                    let handles: Vec<_> = tasks.into_iter().map(spawn).collect();
                    // One is awaited, and the others are not.
                    match handles.into_iter().next() {
                        Some(first) => Ok(first.await),
                        None => Ok(0),
                    }
                });
                let result = group.concurrency(window).await;
                result.map_err(|failed| failed.failures().count())
            }),
            _ => Box::pin(async move {
                // It strikes after some turns, in the middle of whatever runs.
                let strikes = move |_| yield_times(window);
                let all = timeout(Duration::ZERO, strikes, join_all(tasks).boxed()).await;
                all.map_or(Err(4), |all| Ok(all.len()))
            }),
        }
    }

    /// Runs a task in the pool, which goes on or not when it is no longer waited for.
    fn in_pool(self: &Arc<Self>, random: &mut Random, task: Nested) -> Nested {
        let soak = self.clone();
        let is_dependent = random.below(2) == 0;
        Box::pin(async move {
            let handle = soak.pool.execute_when_room(task).await;
            let handle = handle.expect("it is open");
            let result = if is_dependent {
                handle.cancel_on_drop().await
            } else {
                handle.await
            };
            result.map_err(|error| error.into_error().expect("nothing panics"))
        })
    }
}

/// Runs trees of futures on two threads, a pool on one of them, and a third one that answers.
fn round(seed: u64, duration: Duration) -> u64 {
    let (pool, driver) = pool(4);
    let (elsewhere, answers) = mpsc::channel::<oneshot::Sender<()>>();
    let soak = Arc::new(Soak {
        alive: AtomicIsize::new(0),
        done: AtomicU64::new(0),
        elsewhere: Mutex::new(elsewhere),
        pool,
    });
    let end = Instant::now() + duration;
    let work = |seed| {
        let soak = soak.clone();
        async move {
            let mut random = Random(seed);
            while Instant::now() < end {
                _ = soak.nested(&mut random, 4, true).await;
                yield_times(1).await;
            }
        }
    };

    let (first, second) = (work(seed), work(seed + 1));
    let (ended, watched) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            for answer in answers {
                // Its task may have been dropped.
                _ = answer.send(());
            }
        });
        // Whatever happens, something is done all the time.
        let watchdog = scope.spawn({
            let soak = &soak;
            move || {
                let mut before = u64::MAX;
                while let Err(RecvTimeoutError::Timeout) = watched.recv_timeout(PATIENCE) {
                    let done = soak.done.load(Ordering::Relaxed);
                    if done == before {
                        eprintln!("it hangs after {done} leaves");
                        std::process::abort();
                    }
                    before = done;
                }
            }
        });
        let (second_ended, second_end) = oneshot::channel();
        let alone = scope.spawn(move || {
            block_on(second);
            second_ended.send(()).expect("the other waits for it");
        });
        block_on(async {
            let work = async {
                first.await;
                second_end.await.expect("nothing panics");
                soak.pool.shutdown().await;
            };
            futures::join!(driver, work);
        });
        alone.join().expect("nothing panics");
        drop(ended);
        watchdog.join().expect("nothing panics");
        // The last sender ends the thread that answers.
        let (nobody, _) = mpsc::channel();
        *soak.elsewhere.lock().unwrap() = nobody;
    });
    assert_eq!(soak.alive.load(Ordering::Relaxed), 0, "leaves are left");
    let stats = soak.pool.stats();
    assert_eq!((stats.queue_length, stats.active_workers), (0, 0));
    soak.done.load(Ordering::Relaxed)
}

#[test]
fn a_soak_leaves_nothing_behind() {
    let _alone = ALONE.lock();
    let seconds = std::env::var("ABREAST_SOAK").map_or(SECONDS, |seconds| {
        seconds.parse().expect("ABREAST_SOAK has to be a number")
    });
    // What threads and the standard library keep is there after the first round.
    const ROUNDS: u32 = 5;
    let duration = Duration::from_secs(seconds) / ROUNDS;
    let mut leaves = round(1, duration);
    let before = BYTES.load(Ordering::SeqCst);
    let mut most = isize::MIN;
    for seed in 2..=u64::from(ROUNDS) {
        leaves += round(seed * 1000, duration);
        let grown = BYTES.load(Ordering::SeqCst) - before;
        assert!(grown < 16 * 1024, "it has grown by {grown} bytes");
        most = most.max(grown);
    }
    println!(
        "{leaves} leaves in {ROUNDS} rounds, and at most {most} bytes more after one than after the first"
    );
    assert!(leaves > 1000, "nothing was done");
}
