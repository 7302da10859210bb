//! The same under every runtime and none, with wakes from other threads.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Random, yield_times};
use abreast::{batched, fall_through, parallel, parallel_stream, race, sequential};
use futures::channel::oneshot;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

/// Runs a future to its end.
type BlockOn = fn(BoxFuture<'static, ()>);

/// Every runtime, and none.
const RUNTIMES: [(&str, BlockOn); 7] = [
    ("smol", |future| smol::block_on(smol::spawn(future))),
    ("tokio, one thread", |future| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(future);
    }),
    ("tokio, many threads", |future| {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async { tokio::spawn(future).await.unwrap() });
    }),
    ("async-std", |future| {
        async_std::task::block_on(async_std::task::spawn(future));
    }),
    ("futures", futures::executor::block_on),
    ("a thread that parks", block_on_parked),
    ("a loop that polls", |mut future| {
        let mut cx = Context::from_waker(Waker::noop());
        while future.as_mut().poll(&mut cx).is_pending() {
            thread::yield_now();
        }
    }),
];

/// Parks between polls. A lost wake would be a hang, so it wakes up and says so.
fn block_on_parked(mut future: BoxFuture<'static, ()>) {
    struct Unpark(thread::Thread, AtomicBool);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.1.store(true, Ordering::SeqCst);
            self.0.unpark();
        }
    }
    let unpark = Arc::new(Unpark(thread::current(), AtomicBool::new(false)));
    let waker = Waker::from(unpark.clone());
    while future
        .as_mut()
        .poll(&mut Context::from_waker(&waker))
        .is_pending()
    {
        let asleep = Instant::now();
        while !unpark.1.swap(false, Ordering::SeqCst) {
            // A token of an earlier wake may end this at once.
            thread::park_timeout(Duration::from_secs(30));
            assert!(
                asleep.elapsed() < Duration::from_secs(30),
                "a wake was lost"
            );
        }
    }
}

/// Threads that complete what they are sent.
#[derive(Clone)]
struct Completers(Vec<mpsc::Sender<(usize, oneshot::Sender<usize>)>>);

impl Completers {
    fn start(threads: usize) -> Self {
        let start = |_| {
            let (sender, receiver) = mpsc::channel::<(usize, oneshot::Sender<usize>)>();
            thread::spawn(move || {
                for (value, reply) in receiver {
                    // Nobody listens if the task was dropped.
                    let _ = reply.send(value);
                }
            });
            sender
        };
        Self((0..threads).map(start).collect())
    }

    /// Returns a task that one of the threads completes.
    fn task(&self, index: usize) -> impl Future<Output = Result<usize, &'static str>> + use<> {
        let thread = self.0[index % self.0.len()].clone();
        async move {
            let (reply, value) = oneshot::channel();
            thread.send((index, reply)).expect("the thread runs");
            value.await.map_err(|_| "the thread is gone")
        }
    }
}

/// Runs every verb, with tasks that end at once, yield, or are completed by other threads.
async fn every_verb() {
    let threads = Completers::start(3);
    let task = move |index: usize| {
        let elsewhere = threads.task(index);
        async move {
            match index % 3 {
                0 => Ok(index),
                1 => {
                    yield_times(index % 5).await;
                    Ok(index)
                }
                _ => elsewhere.await,
            }
        }
    };
    let failing = |error| {
        move |_| async move {
            yield_times(1).await;
            Err::<usize, _>(error)
        }
    };
    let all: Vec<_> = (0..200).collect();
    let tasks = || (0..200).map(task.clone());
    for window in [1, 7, 200] {
        let result = parallel(tasks()).concurrency(window).await;
        assert_eq!(result.into_result().unwrap(), all);
        let stream = futures::stream::iter(tasks());
        let result = parallel_stream(stream).concurrency(window).await;
        assert_eq!(result.into_result().unwrap(), all);
        let stream = parallel(tasks()).concurrency(window).into_stream();
        let mut values: Vec<_> = stream.map(|(_, value)| value.unwrap()).collect().await;
        values.sort_unstable();
        assert_eq!(values, all);
        let stream = parallel(tasks()).concurrency(window).into_ordered_stream();
        let values: Vec<_> = stream.map(|(_, value)| value.unwrap()).collect().await;
        assert_eq!(values, all);
        let values = batched(0..200, task.clone()).batch_size(window).await;
        assert_eq!(values.unwrap(), all);
        assert!(
            batched(0..200, task.clone())
                .batch_size(window)
                .settle()
                .await
                .all_succeeded()
        );
    }
    assert_eq!(sequential(tasks()).await.unwrap(), all);
    let won = race((0..200).map(|index| task(index + 1).map(move |value| (index, value).1)));
    assert!(won.await.is_ok());
    assert_eq!(
        race((0..9).map(failing("no"))).await.unwrap_err().last(),
        Some(&"no")
    );
    assert_eq!(
        fall_through((0..200).map(task.clone()))
            .await
            .unwrap()
            .winner_index,
        0
    );
    let failed = parallel((0..9).map(failing("no"))).fail_fast(true).await;
    assert_eq!((failed.failure_count(), failed.cancelled_count()), (1, 8));
}

#[test]
fn every_verb_runs_everywhere() {
    for (name, block_on) in RUNTIMES {
        println!("{name}");
        block_on(every_verb().boxed());
    }
}

#[test]
fn threads_complete_a_hundred_thousand_tasks() {
    // Not under the loop that polls: it asks for no wake.
    for ((name, block_on), window) in RUNTIMES[..6].iter().zip([5, 64, 256, 4_096, 100, 1]) {
        println!("{name}");
        let threads = Completers::start(4);
        let tasks = if window == 1 { 10_000 } else { 100_000 / 6 };
        block_on(
            async move {
                let tasks = (0..tasks).map(|index| threads.task(index));
                let len = tasks.len();
                let result = parallel(tasks).concurrency(window).await;
                assert!(result.into_result().unwrap().into_iter().eq(0..len));
            }
            .boxed(),
        );
    }
}

#[test]
fn a_million_tasks_run() {
    for window in [5, 4_096] {
        for (name, block_on) in [RUNTIMES[1], RUNTIMES[5]] {
            println!("{name}");
            block_on(
                async move {
                    let tasks = (0..500_000_usize).map(|index| async move {
                        yield_times(index % 2).await;
                        if index % 1_000 == 7 {
                            Err(index)
                        } else {
                            Ok(index)
                        }
                    });
                    let result = parallel(tasks).concurrency(window).await;
                    assert_eq!((result.len(), result.failure_count()), (500_000, 500));
                    assert!(result.failures().all(|(index, &error)| index == error));
                }
                .boxed(),
            );
        }
    }
}

#[test]
fn spurious_wakes_change_nothing() {
    let wakers = Arc::new(Mutex::new(Vec::<Waker>::new()));
    let stop = Arc::new(AtomicBool::new(false));
    let noise: Vec<_> = (0..2)
        .map(|seed| {
            let (wakers, stop) = (wakers.clone(), stop.clone());
            thread::spawn(move || {
                let mut random = Random(seed + 1);
                while !stop.load(Ordering::Relaxed) {
                    let waker = {
                        let wakers = wakers.lock().unwrap();
                        match wakers.len() {
                            0 => continue,
                            len => wakers[random.below(len)].clone(),
                        }
                    };
                    waker.wake();
                }
            })
        })
        .collect();
    let threads = Completers::start(2);
    let run = async move {
        for window in [3, 70, 3_000] {
            let tasks = (0..5_000).map(|index| {
                let (wakers, mut task) = (wakers.clone(), Box::pin(threads.task(index)));
                std::future::poll_fn(move |cx| {
                    let mut wakers = wakers.lock().unwrap();
                    // Some of tasks that are gone, and of runs that are.
                    match wakers.len() {
                        len if len < 500 => wakers.push(cx.waker().clone()),
                        len => wakers[index % len] = cx.waker().clone(),
                    }
                    drop(wakers);
                    task.as_mut().poll(cx)
                })
            });
            let result = parallel(tasks).concurrency(window).await;
            assert!(result.into_result().unwrap().into_iter().eq(0..5_000));
        }
    };
    block_on_parked(run.boxed());
    stop.store(true, Ordering::Relaxed);
    noise.into_iter().for_each(|thread| thread.join().unwrap());
}

/// A parent waker of one poll, which reports its wake.
struct OfOnePoll(mpsc::Sender<usize>, usize);

impl Wake for OfOnePoll {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let _ = self.0.send(self.1);
    }
}

#[test]
fn runs_move_between_threads() {
    let completers = Completers::start(3);
    for window in [1, 2, 50] {
        let threads = completers.clone();
        let tasks = 600;
        let mut run: BoxFuture<'static, ()> = async move {
            let run = parallel((0..tasks).map(move |index| threads.task(index)));
            assert_eq!(run.concurrency(window).await.success_count(), tasks);
        }
        .boxed();
        let (sender, woken) = mpsc::channel();
        for poll in 0.. {
            let parent = Waker::from(Arc::new(OfOnePoll(sender.clone(), poll)));
            let polled = thread::spawn(move || {
                let polled = run.as_mut().poll(&mut Context::from_waker(&parent));
                (polled, run)
            });
            let polled = polled.join().unwrap();
            run = polled.1;
            if polled.0.is_ready() {
                break;
            }
            // Wakes of earlier parents may come late. The one of this poll must come.
            while woken
                .recv_timeout(Duration::from_secs(30))
                .expect("a wake was lost")
                < poll
            {}
        }
    }
}

/// Waits until nobody else holds it.
fn wait_for_the_last<T>(held: &Arc<T>) {
    let waiting = Instant::now();
    while Arc::strong_count(held) > 1 {
        assert!(
            waiting.elapsed() < Duration::from_secs(30),
            "it is held for ever"
        );
        thread::yield_now();
    }
}

/// An executor that polls from within the wake, unless a poll is under way.
struct Inline {
    run: Mutex<Option<BoxFuture<'static, ()>>>,
    wanted: AtomicUsize,
    done: mpsc::Sender<()>,
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.wanted.fetch_add(1, Ordering::SeqCst) > 0 {
            // Whoever polls now will poll again.
            return;
        }
        let waker = Waker::from(self.clone());
        loop {
            let seen = self.wanted.load(Ordering::SeqCst);
            let mut run = self.run.lock().unwrap();
            if let Some(future) = run.as_mut() {
                if future
                    .as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_ready()
                {
                    *run = None;
                    self.done.send(()).unwrap();
                }
            }
            drop(run);
            if self.wanted.fetch_sub(seen, Ordering::SeqCst) == seen {
                return;
            }
        }
    }
}

#[test]
fn executors_may_poll_inside_a_wake() {
    for (window, verb) in [(1, 0), (4, 0), (100, 0), (100, 1), (7, 2)] {
        let threads = Completers::start(3);
        let run = async move {
            let task = |index| threads.task(index);
            match verb {
                0 => {
                    let result = parallel((0..3_000).map(task)).concurrency(window).await;
                    assert!(result.into_result().unwrap().into_iter().eq(0..3_000));
                }
                1 => assert!(race((0..window).map(task)).await.is_ok()),
                _ => {
                    let values = batched(0..3_000, task).batch_size(window).await;
                    assert_eq!(values.unwrap().len(), 3_000);
                }
            }
        };
        let (done, wait) = mpsc::channel();
        let inline = Arc::new(Inline {
            run: Mutex::new(Some(run.boxed())),
            wanted: AtomicUsize::new(0),
            done,
        });
        Waker::from(inline.clone()).wake();
        wait.recv_timeout(Duration::from_secs(60))
            .expect("a wake was lost");
        // The last wake may still be at it; it holds the executor, and then lets go.
        wait_for_the_last(&inline);
    }
}

#[test]
fn runs_drop_while_others_wake() {
    let completers = Completers::start(3);
    for round in 0..300 {
        let threads = completers.clone();
        let mut run = Box::pin(parallel((0..40).map(move |index| threads.task(index))));
        let (count, waker) = crate::support::Count::new();
        let mut cx = Context::from_waker(&waker);
        for _ in 0..round % 4 {
            if Pin::new(&mut run).poll(&mut cx).is_ready() {
                break;
            }
        }
        drop(run);
        drop(waker);
        // Whoever is in the middle of a wake lets go of the parent afterwards.
        wait_for_the_last(&count);
    }
}

#[test]
fn nested_runs_wake_through_both() {
    let threads = Completers::start(2);
    let run = async move {
        let outer = (0..30).map(|block| {
            let threads = threads.clone();
            async move {
                let inner = (0..30).map(|index| threads.task(block * 30 + index));
                parallel(inner).concurrency(4).await.into_result()
            }
        });
        let blocks = parallel(outer).concurrency(7).await.into_result().unwrap();
        assert!(blocks.into_iter().flatten().eq(0..900));
    };
    block_on_parked(run.boxed());
}

#[test]
fn poll_is_not_a_wake() {
    // A run that nobody wakes stays where it is, however often it is polled.
    let never = (0..100).map(|_| std::future::pending::<Result<(), ()>>());
    let mut run = crate::support::Driver::new(parallel(never).concurrency(50));
    for _ in 0..100 {
        assert_eq!(run.poll().map(|result| result.len()), Poll::Pending);
        assert_eq!(run.wakes(), 0);
    }
}
