//! Streams that feed a pool.

use std::future::{pending, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::support::{Board, Driver as Loop, Task, yield_now};
use abreast::{Pool, PoolError, PoolEvent, local_pool, pool};
use futures::future::FusedFuture;
use futures::{Stream, StreamExt, stream};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Returns the tasks of a board from `first` on, each made when it is pulled.
fn tasks(board: &Board, first: usize, count: usize) -> impl Stream<Item = Task> + Unpin + use<> {
    let board = board.clone();
    stream::iter((first..first + count).map(move |index| board.task(index)))
}

#[test]
fn streams_are_pulled_by_free_workers() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let board = Board::new(5);
    let mut feed = Loop::new(pool.feed(tasks(&board, 0, 5)));
    assert_eq!(board.created(), 0, "nothing is pulled before it is polled");
    assert!(feed.run().is_pending());
    assert_eq!((board.created(), pool.queue_length()), (2, 2));
    assert!(driver.run().is_pending());
    assert_eq!((board.created(), feed.wakes()), (2, 0));
    board.end(1, Ok(1));
    assert!(driver.run().is_pending());
    assert_eq!(feed.wakes(), 1);
    assert!(feed.run().is_pending());
    assert_eq!(board.created(), 3);
    for index in [0, 2, 3, 4] {
        board.end(index, Ok(index));
    }
    let mut both = Loop::new(async { futures::join!(&mut feed.future, &mut driver.future).0 });
    assert!(both.run().is_pending());
    drop(both);
    assert!(feed.future.is_terminated());
    let stats = pool.stats();
    assert_eq!((stats.total_accepted, stats.total_succeeded), (5, 5));
    assert_eq!(board.alive(), 0);
}

#[test]
fn a_feed_ends_with_its_stream() {
    let (pool, mut driver) = pool(3);
    let tasks = stream::iter((0..100).map(|n| async move {
        yield_now().await;
        if n % 2 == 0 { Ok(n) } else { Err(n) }
    }));
    let fed = driver.run_until(async {
        pool.feed(tasks).await?;
        pool.drain().await;
        Ok::<_, PoolError>(())
    });
    assert_eq!(Loop::new(fed).finish(), Ok(()));
    let stats = pool.stats();
    assert_eq!((stats.total_succeeded, stats.total_failed), (50, 50));
}

#[test]
fn a_channel_holds_its_senders_back() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let board = Board::new(10);
    let (sender, receiver) = async_channel::bounded(2);
    let mut feed = Loop::new(pool.feed(receiver));
    assert!(feed.run().is_pending() && driver.run().is_pending());
    for index in 0..2 {
        sender.try_send(board.task(index)).unwrap();
    }
    assert_eq!(feed.wakes(), 1);
    assert!(feed.run().is_pending());
    assert_eq!((sender.len(), driver.wakes()), (1, 1));
    assert!(driver.run().is_pending() && feed.run().is_pending());
    sender.try_send(board.task(2)).unwrap();
    assert!(
        sender.try_send(board.task(3)).is_err(),
        "the channel is full"
    );
    drop(sender);
    (0..3).for_each(|index| board.end(index, Ok(index)));
    let mut both = Loop::new(async { futures::join!(&mut feed.future, &mut driver.future).0 });
    assert!(both.run().is_pending());
    drop(both);
    assert_eq!(pool.stats().total_succeeded, 3);
}

#[test]
fn submitted_jobs_go_before_streams() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let board = Board::new(4);
    let mut feed = Loop::new(pool.feed(tasks(&board, 2, 2)));
    let _first = [0, 1].map(|index| pool.execute(board.task(index)).unwrap());
    assert!(feed.run().is_pending() && driver.run().is_pending());
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    assert_eq!((feed.wakes(), board.polls(1), board.created()), (0, 1, 2));
    board.end(1, Ok(1));
    assert!(driver.run().is_pending());
    assert_eq!(feed.wakes(), 1);
    assert!(feed.run().is_pending() && driver.run().is_pending());
    assert_eq!(board.polls(2), 1);
}

#[test]
fn streams_take_turns() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let board = Board::new(9);
    let mut feeds = [0, 3, 6].map(|first| Loop::new(pool.feed(tasks(&board, first, 3))));
    let mut order = Vec::new();
    for _ in 0..9 {
        for feed in &mut feeds {
            if !feed.future.is_terminated() {
                let _ = feed.run();
            }
        }
        assert!(driver.run().is_pending());
        let started = (0..9).filter(|index| board.polls(*index) == 1);
        let started: Vec<_> = started.filter(|index| !order.contains(index)).collect();
        assert_eq!(started.len(), 1);
        order.push(started[0]);
        board.end(started[0], Ok(0));
        assert!(driver.run().is_pending());
    }
    // The first is in line again before the others come.
    assert_eq!(order, [0, 1, 3, 6, 2, 4, 7, 5, 8]);
}

#[test]
fn a_dropped_feed_passes_workers_on() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let board = Board::new(3);
    let _busy = pool.execute(board.task(0)).unwrap();
    let mut first = Loop::new(pool.feed(tasks(&board, 1, 1)));
    let mut second = Loop::new(pool.feed(tasks(&board, 2, 1)));
    assert!(driver.run().is_pending() && first.run().is_pending() && second.run().is_pending());
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert!(second.run().is_pending() && driver.run().is_pending());
    assert_eq!((board.polls(2), second.wakes()), (1, 0));
    board.end(2, Ok(2));
    assert!(driver.run().is_pending());
    assert_eq!(second.finish(), Ok(()));
}

#[test]
fn a_pending_stream_blocks_no_other() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let board = Board::new(1);
    let mut never = Loop::new(pool.feed(stream::pending::<Task>()));
    let mut feed = Loop::new(pool.feed(tasks(&board, 0, 1)));
    assert!(never.run().is_pending());
    assert!(feed.run().is_pending() && driver.run().is_pending());
    assert_eq!(board.polls(0), 1);
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    assert_eq!(feed.finish(), Ok(()));
    // Nor does it keep the pool from being drained.
    Loop::new(pool.drain()).finish();
}

#[test]
fn a_drain_holds_streams_back() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let board = Board::new(3);
    let mut feed = Loop::new(pool.feed(tasks(&board, 0, 3)));
    assert!(feed.run().is_pending() && driver.run().is_pending());
    let mut drain = Loop::new(pool.drain());
    (0..2).for_each(|index| board.end(index, Ok(index)));
    assert!(driver.run().is_pending());
    assert!(feed.run().is_pending());
    assert_eq!(board.created(), 2);
    drain.finish();
    assert_eq!(feed.wakes(), 1);
    assert_eq!(feed.finish(), Ok(()));
    assert_eq!(board.created(), 3);
    board.end(2, Ok(2));
    assert!(driver.run().is_pending());

    let drain = pool.drain();
    let mut late = Loop::new(pool.feed(stream::iter([ready(Ok::<_, ()>(1))])));
    assert!(late.run().is_pending());
    drop(drain);
    assert_eq!(late.wakes(), 1);
    assert_eq!(late.finish(), Ok(()));
}

#[test]
fn a_shutdown_ends_feeds_without_loss() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let board = Board::new(5);
    let mut stream = tasks(&board, 0, 5);
    let mut feed = Loop::new(pool.feed(&mut stream));
    assert!(feed.run().is_pending() && driver.run().is_pending());
    let mut shutdown = Loop::new(pool.shutdown());
    assert_eq!(feed.wakes(), 1);
    assert_eq!(feed.finish(), Err(PoolError::Closed));
    drop(feed);
    assert_eq!(board.created(), 2);
    (0..2).for_each(|index| board.end(index, Ok(index)));
    driver.finish();
    shutdown.finish();
    assert_eq!(pool.stats().total_succeeded, 2);
    // What was not taken is still there.
    assert_eq!(Loop::new(stream.count()).finish(), 3);
}

#[test]
fn a_driver_drop_ends_feeds() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let board = Board::new(5);
    let mut feed = Loop::new(pool.feed(tasks(&board, 0, 5)));
    assert!(feed.run().is_pending() && driver.run().is_pending());
    drop(driver);
    assert_eq!((board.alive(), feed.wakes()), (0, 1));
    assert_eq!(feed.finish(), Err(PoolError::Abandoned));
    assert_eq!(pool.stats().total_abandoned, 2);
}

/// A stream that does something with the pool while it is asked, and then gives a task.
struct Meddling<F, T>(Option<F>, Option<T>);

impl<F: FnOnce() + Unpin, T: Unpin> Stream for Meddling<F, T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
        if let Some(meddle) = self.0.take() {
            meddle();
        }
        Poll::Ready(self.1.take())
    }
}

#[test]
fn what_a_stream_gave_is_run() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    assert!(driver.run().is_pending());
    let board = Board::new(1);
    let inner = pool.clone();
    let mut shutdown = None;
    let stream = Meddling(
        Some(|| shutdown = Some(Loop::new(inner.shutdown()))),
        Some(board.task(0)),
    );
    let mut feed = Loop::new(pool.feed(stream));
    assert_eq!(feed.finish(), Err(PoolError::Closed));
    drop(feed);
    let mut shutdown = shutdown.unwrap();
    assert!(shutdown.run().is_pending() && driver.run().is_pending());
    board.end(0, Ok(0));
    driver.finish();
    shutdown.finish();
    assert_eq!(pool.stats().total_succeeded, 1);
}

#[test]
fn a_reservation_keeps_workers() {
    let (pool, driver) = pool(3);
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    assert!(workers.iter_mut().all(|worker| worker.run().is_pending()));
    let board = Board::new(1);
    let inner = pool.clone();
    let closing = &mut workers;
    let stream = Meddling(
        Some(move || {
            drop(inner.shutdown());
            assert!(closing.iter_mut().all(|worker| worker.run().is_pending()));
        }),
        Some(board.task(0)),
    );
    let mut feed = Loop::new(pool.feed(stream));
    assert_eq!(feed.finish(), Err(PoolError::Closed));
    drop(feed);
    board.end(0, Ok(0));
    // All were woken: one for the job, and the others to leave.
    for worker in &mut workers {
        assert_eq!(worker.wakes(), 1);
        worker.finish();
    }
}

#[test]
fn tasks_given_too_late_are_abandoned() {
    let (pool, driver) = pool(2);
    let board = Board::new(1);
    let stream = Meddling(Some(|| drop(driver)), Some(board.task(0)));
    let mut feed = Loop::new(pool.feed(stream));
    assert_eq!(feed.finish(), Err(PoolError::Abandoned));
    let stats = pool.stats();
    assert_eq!((stats.total_accepted, stats.total_abandoned), (1, 1));
    assert!(board.is_dropped(0));
    Loop::new(pool.drain()).finish();
}

#[cfg(panic = "unwind")]
#[test]
fn a_panicking_stream_frees_its_worker() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let board = Board::new(1);
    let stream = Meddling(Some(|| panic!("on purpose")), Some(board.task(0)));
    let mut feed = Loop::new(pool.feed(stream));
    assert!(catch_unwind(AssertUnwindSafe(|| feed.poll())).is_err());
    Loop::new(pool.drain()).finish();
    let handle = pool.execute(async { Ok::<_, ()>(1) }).unwrap();
    assert!(driver.run().is_pending());
    assert_eq!(Loop::new(handle).finish(), Ok(1));
    assert!(feed.run().is_pending() && driver.run().is_pending());
    assert_eq!(board.polls(0), 1, "it is asked again");
}

#[test]
fn a_feed_keeps_the_pool_open() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let (sender, receiver) = async_channel::unbounded();
    let mut feed = Loop::new(pool.feed(receiver));
    drop(pool);
    assert!(feed.run().is_pending() && driver.run().is_pending());
    sender.try_send(ready(Ok::<_, ()>(1))).unwrap();
    drop(sender);
    assert!(feed.run().is_pending(), "the one worker has a job");
    assert!(driver.run().is_pending());
    assert_eq!(feed.finish(), Ok(()));
    // Not any longer, though it is still there.
    driver.finish();
    drop(feed);
}

#[test]
fn hooks_learn_of_fed_jobs() {
    let (events, log) = std::sync::mpsc::channel();
    let (pool, mut driver) = Pool::builder()
        .on_event(move |event| {
            let line = match event {
                PoolEvent::Started { id, .. } => format!("{id} started"),
                PoolEvent::Ended { id, outcome, .. } => format!("{id} {outcome:?}"),
                _ => unreachable!(),
            };
            events.send(line).unwrap();
        })
        .build();
    let tasks = stream::iter([ready(Ok(1)), ready(Err(2))]);
    let fed = driver.run_until(async {
        pool.feed(tasks).await.unwrap();
        pool.drain().await;
    });
    Loop::new(fed).finish();
    let log: Vec<_> = log.try_iter().collect();
    assert_eq!(log, ["0 started", "0 Succeeded", "1 started", "1 Failed"]);
}

/// The first worker keeps what the driver ran, and more than it would take itself. The others are free nevertheless.
#[test]
fn busy_first_workers_block_no_stream() {
    let (pool, mut driver) = pool(3);
    let board = Board::new(2);
    for _ in 0..3 {
        drop(pool.execute(pending::<Result<(), ()>>()).unwrap());
    }
    let mut polled = Loop::new(&mut driver);
    assert!(polled.run().is_pending());
    drop(polled);
    let mut feed = Loop::new(pool.feed(tasks(&board, 0, 2)));
    assert!(feed.run().is_pending());
    let mut workers: Vec<_> = driver.into_workers().into_iter().map(Loop::new).collect();
    assert_eq!(feed.wakes(), 1);
    assert!(feed.run().is_pending());
    assert!(workers.iter_mut().all(|worker| worker.run().is_pending()));
    assert_eq!([0, 1].map(|index| board.polls(index)), [1, 1]);
}

#[test]
fn a_local_pool_is_fed_locally() {
    let (pool, mut driver) = local_pool(2);
    let sum = std::rc::Rc::new(std::cell::Cell::new(0));
    let tasks = stream::iter(1..=10).map(|n| {
        let sum = sum.clone();
        async move {
            yield_now().await;
            sum.set(sum.get() + n);
            Ok::<_, ()>(sum)
        }
    });
    let fed = driver.run_until(async {
        pool.feed(tasks).await.unwrap();
        pool.drain().await;
    });
    Loop::new(fed).finish();
    assert_eq!(sum.get(), 55);
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn streams_race_on_threads() {
    for _ in 0..20 {
        let (pool, driver) = pool(4);
        let workers: Vec<_> = driver
            .into_workers()
            .into_iter()
            .map(|worker| std::thread::spawn(|| smol::block_on(worker)))
            .collect();
        let feeds: Vec<_> = (0..4)
            .map(|_| {
                let pool = pool.clone();
                let tasks = (0..500).map(|n| async move {
                    smol::future::yield_now().await;
                    Ok::<_, ()>(n)
                });
                let feed = move || smol::block_on(pool.feed(stream::iter(tasks)));
                std::thread::spawn(feed)
            })
            .collect();
        for _ in 0..10 {
            smol::block_on(pool.drain());
        }
        for feed in feeds {
            assert_eq!(feed.join().unwrap(), Ok(()));
        }
        smol::block_on(pool.shutdown());
        assert_eq!(pool.stats().total_succeeded, 2000);
        for worker in workers {
            worker.join().unwrap();
        }
    }
}
