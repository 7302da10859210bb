//! Cancellation: before the start, while running, after the end, from wherever.

use std::future::{Future, pending};
#[cfg(not(target_family = "wasm"))]
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Wake, Waker};

use crate::support::{Board, Driver as Loop};
use abreast::{JobError, JobHandle, pool};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const CANCELLED: Result<usize, JobError<&str>> = Err(JobError::Cancelled);

#[test]
fn cancelling_a_queued_job_ends_it() {
    let (pool, driver) = pool(1);
    let board = Board::new(3);
    let handles = [0, 1, 2].map(|index| pool.execute(board.task(index)).unwrap());
    handles[1].cancel();
    assert!(board.is_dropped(1));
    assert_eq!((pool.queue_length(), pool.stats().total_cancelled), (2, 1));
    handles[1].cancel();
    assert_eq!(pool.stats().total_cancelled, 1);
    board.end(0, Ok(0));
    board.end(2, Ok(2));
    assert!(Loop::new(driver).run().is_pending());
    assert_eq!(board.polls(1), 0);
    assert_eq!(
        handles.map(|handle| Loop::new(handle).finish()),
        [Ok(0), CANCELLED, Ok(2)]
    );
}

#[test]
fn cancelling_queued_wakes_the_handle() {
    let (pool, _driver) = pool(1);
    let mut handle = Loop::new(pool.execute(Board::new(1).task(0)).unwrap());
    assert!(handle.run().is_pending());
    handle.future.cancel();
    assert_eq!(handle.wakes(), 1);
    assert_eq!(handle.finish(), CANCELLED);
}

#[test]
fn cancelling_wakes_the_running_worker() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let board = Board::new(3);
    let handles = [0, 1, 2].map(|index| pool.execute(board.task(index)).unwrap());
    assert!(driver.run().is_pending());
    handles[0].cancel();
    assert_eq!(driver.wakes(), 1);
    handles[0].cancel();
    assert_eq!(driver.wakes(), 0);
    assert!(!handles[0].is_finished() && !board.is_dropped(0));
    assert!(driver.run().is_pending());
    assert!(handles[0].is_finished() && board.is_dropped(0));
    assert_eq!(board.polls(0), 1, "it is not polled again");
    assert_eq!(board.polls(2), 1, "its worker goes on with the next");
    assert_eq!(
        (pool.stats().total_cancelled, pool.active_workers()),
        (1, 2)
    );
    let [first, ..] = handles;
    assert_eq!(Loop::new(first).finish(), CANCELLED);
}

#[test]
fn cancelled_after_the_end_changes_nothing() {
    let (pool, driver) = pool(1);
    let handle = pool.execute(async { Ok::<_, ()>(1) }).unwrap();
    assert!(Loop::new(driver).run().is_pending());
    handle.cancel();
    assert_eq!(Loop::new(handle).finish(), Ok(1));
    assert_eq!(
        (pool.stats().total_cancelled, pool.stats().total_succeeded),
        (0, 1)
    );
}

#[test]
fn dependent_jobs_end_with_their_handle() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let board = Board::new(3);
    let [ended, running, queued] = [0, 1, 2].map(|index| {
        let handle = pool.execute(board.task(index)).unwrap();
        handle.cancel_on_drop()
    });
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    assert!(ended.is_finished() && board.polls(1) == 1);
    drop((ended, queued));
    assert!(board.is_dropped(2) && !board.is_dropped(1));
    drop(running);
    assert!(driver.run().is_pending());
    assert!(board.is_dropped(1));
    let stats = pool.stats();
    assert_eq!((stats.total_succeeded, stats.total_cancelled), (1, 2));
}

#[test]
fn a_dependent_handle_resolves_or_detaches() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let board = Board::new(2);
    let first = pool.execute(board.task(0)).unwrap().cancel_on_drop();
    let other = pool.execute(board.task(1)).unwrap().cancel_on_drop();
    let mut first = Loop::new(first);
    assert!(first.run().is_pending() && driver.run().is_pending());
    drop(other.detach());
    board.end(0, Ok(0));
    board.end(1, Ok(1));
    assert!(driver.run().is_pending());
    assert_eq!(first.finish(), Ok(0));
    assert_eq!(pool.stats().total_succeeded, 2);
}

#[test]
fn a_local_dependent_job_is_cancelled() {
    let (pool, driver) = abreast::local_pool(1);
    let kept = std::rc::Rc::new(());
    let held = kept.clone();
    let task = async move {
        let _held = held;
        pending::<Result<(), ()>>().await
    };
    drop(pool.execute(task).unwrap().cancel_on_drop());
    assert_eq!(std::rc::Rc::strong_count(&kept), 1);
    drop((pool, driver));
}

#[test]
fn cancelled_handles_stop_no_worker() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    for round in 0..10 {
        for _ in 0..4 {
            let handle = pool.execute(pending::<Result<(), ()>>()).unwrap();
            if round % 2 == 0 {
                assert!(driver.run().is_pending());
            }
            handle.cancel();
        }
        assert!(driver.run().is_pending());
    }
    assert_eq!(pool.stats().total_cancelled, 40);
    let last = pool.execute(async { Ok::<_, ()>(1) }).unwrap();
    assert!(driver.run().is_pending());
    assert_eq!(Loop::new(last).finish(), Ok(1));
}

type Place = Arc<Mutex<Option<JobHandle<usize, &'static str>>>>;

/// Cancels the job in the place.
fn cancel(place: &Place) {
    place.lock().unwrap().as_ref().unwrap().cancel();
}

#[test]
fn a_job_may_cancel_itself() {
    let (pool, driver) = pool(1);
    let place = Place::default();
    let own = place.clone();
    let kept = Arc::new(());
    let held = kept.clone();
    let handle = pool.execute(async move {
        cancel(&own);
        pending::<()>().await;
        drop(held);
        Ok(1)
    });
    *place.lock().unwrap() = Some(handle.unwrap());
    assert!(Loop::new(driver).run().is_pending());
    assert_eq!(Arc::strong_count(&kept), 1);
    let handle = place.lock().unwrap().take().unwrap();
    assert_eq!(Loop::new(handle).finish(), CANCELLED);
}

#[test]
fn a_result_outweighs_a_concurrent_cancel() {
    let (pool, driver) = pool(1);
    let place = Place::default();
    let own = place.clone();
    let handle = pool.execute(async move {
        cancel(&own);
        Ok(1)
    });
    *place.lock().unwrap() = Some(handle.unwrap());
    assert!(Loop::new(driver).run().is_pending());
    let handle = place.lock().unwrap().take().unwrap();
    assert_eq!(Loop::new(handle).finish(), Ok(1));
}

#[test]
fn jobs_may_cancel_each_other() {
    let (pool, driver) = pool(3);
    let mut driver = Loop::new(driver);
    let board = Board::new(2);
    let (before, after) = (Place::default(), Place::default());
    *before.lock().unwrap() = Some(pool.execute(board.task(0)).unwrap());
    let others = [before.clone(), after.clone()];
    let canceller = pool.execute(async move {
        others.iter().for_each(cancel);
        Ok::<_, ()>(())
    });
    *after.lock().unwrap() = Some(pool.execute(board.task(1)).unwrap());
    assert!(driver.run().is_pending());
    assert_eq!(board.polls(1), 0);
    assert_eq!(Loop::new(canceller.unwrap()).finish(), Ok(()));
    for place in [before, after] {
        let handle = place.lock().unwrap().take().unwrap();
        assert_eq!(Loop::new(handle).finish(), CANCELLED);
    }
}

/// A waker that does what it likes.
struct Then<F>(F);

impl<F: Fn() + Send + Sync + 'static> Wake for Then<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

#[test]
fn wakers_may_use_the_pool() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let board = Board::new(2);
    let mut first = Box::pin(pool.execute(board.task(0)).unwrap());
    let second = pool.execute(board.task(1)).unwrap();
    let inside = pool.clone();
    let (log, results) = mpsc::channel();
    let waker = Waker::from(Arc::new(Then(move || {
        second.cancel();
        drop(inside.execute(async { Ok::<_, ()>(1) }));
        drop(inside.drain());
        log.send((second.is_finished(), inside.stats().total_cancelled))
            .unwrap();
        drop(inside.shutdown());
    })));
    assert!(
        first
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    board.end(0, Ok(0));
    driver.finish();
    assert_eq!(results.recv(), Ok((true, 1)));
    assert_eq!(
        (pool.stats().total_cancelled, pool.stats().total_succeeded),
        (1, 2)
    );
}

#[test]
fn destructors_may_cancel_abandoned_jobs() {
    struct Cancels(Place);
    impl Drop for Cancels {
        fn drop(&mut self) {
            cancel(&self.0);
        }
    }
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let places: Vec<Place> = (0..5).map(|_| Place::default()).collect();
    for (index, place) in places.iter().enumerate() {
        let cancels = Cancels(places[(index + 1) % 5].clone());
        let handle = pool.execute(async move {
            let _cancels = cancels;
            pending().await
        });
        *place.lock().unwrap() = Some(handle.unwrap());
    }
    assert!(driver.run().is_pending());
    drop(driver);
    for place in places {
        let handle = place.lock().unwrap().take().unwrap();
        assert_eq!(Loop::new(handle).finish(), Err(JobError::Abandoned));
    }
    assert_eq!(
        (pool.stats().total_abandoned, pool.stats().total_executed),
        (5, 0)
    );
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn cancelling_races_with_other_threads() {
    let (pool, driver) = pool(4);
    let stop = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = driver
        .into_workers()
        .into_iter()
        .map(|worker| std::thread::spawn(|| smol::block_on(worker)))
        .collect();
    let submitters: Vec<_> = (0..4)
        .map(|seed| {
            let (pool, stop) = (pool.clone(), stop.clone());
            std::thread::spawn(move || {
                let mut random = crate::support::Random(seed + 1);
                let (mut ended, mut cancelled) = (0_u64, 0_u64);
                for n in 0..2_000 {
                    let yields = random.below(3);
                    let handle = pool.execute(async move {
                        crate::support::yield_times(yields).await;
                        Ok::<_, ()>(n)
                    });
                    let handle = handle.unwrap();
                    for _ in 0..random.below(50) {
                        std::hint::spin_loop();
                    }
                    if random.below(2) == 0 {
                        handle.cancel();
                    }
                    match smol::block_on(handle) {
                        Ok(value) => {
                            assert_eq!(value, n);
                            ended += 1;
                        }
                        Err(JobError::Cancelled) => cancelled += 1,
                        Err(other) => panic!("{other:?}"),
                    }
                }
                stop.store(true, Ordering::SeqCst);
                (ended, cancelled)
            })
        })
        .collect();
    let mut total = (0, 0);
    for submitter in submitters {
        let (ended, cancelled) = submitter.join().unwrap();
        total = (total.0 + ended, total.1 + cancelled);
    }
    let stats = pool.stats();
    assert_eq!((stats.total_succeeded, stats.total_cancelled), total);
    assert_eq!(
        (
            stats.total_executed,
            stats.queue_length,
            stats.active_workers
        ),
        (8_000, 0, 0)
    );
    drop(pool);
    for thread in threads {
        thread.join().unwrap();
    }
}

/// A poll of the driver that ended because it had done enough leaves no job half taken.
#[test]
fn spent_turns_take_no_job_ahead() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    for n in 0..256 {
        drop(pool.execute(async move { Ok::<_, ()>(n) }).unwrap());
    }
    let board = Board::new(1);
    let last = pool.execute(board.task(0)).unwrap();
    assert!(driver.poll().is_pending());
    assert_eq!(board.polls(0), 0, "it was not started");
    last.cancel();
    assert!(last.is_finished() && board.is_dropped(0));
}

#[test]
fn cancelled_jobs_leave_others_in_order() {
    let (pool, driver) = pool(1);
    let board = Board::new(100);
    let handles: Vec<_> = (0..100)
        .map(|index| pool.execute(board.task(index)).unwrap())
        .collect();
    // Every third one stays, so holes are swept on the way; cancelling from the back and from the front.
    for index in (0..50).rev().chain(50..100).filter(|index| index % 3 > 0) {
        handles[index].cancel();
        handles[index].cancel();
        assert!(board.is_dropped(index));
    }
    assert_eq!(pool.queue_length(), 34);
    let mut driver = Loop::new(driver);
    for index in (0..100).step_by(3) {
        assert!(driver.run().is_pending());
        assert_eq!((board.polls(index), pool.active_workers()), (1, 1));
        board.end(index, Ok(index));
    }
    assert!(driver.run().is_pending());
    let stats = pool.stats();
    assert_eq!((stats.total_succeeded, stats.total_cancelled), (34, 66));
}
