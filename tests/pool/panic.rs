//! Panics in jobs, their destructors, their outputs and their wakers: the worker lives on.
#![cfg(panic = "unwind")]

use std::any::Any;
use std::future::{Future, pending};
use std::panic::{self, panic_any};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use crate::support::Driver as Loop;
use abreast::{JobError, JobHandle, Pool, pool};

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("in a destructor");
    }
}

fn panicked<T>(message: &str) -> Result<T, JobError<()>> {
    Err(JobError::Panicked {
        message: message.into(),
    })
}

/// Holds `kept` in the future itself, to be dropped with it.
fn holding<K: Send, T>(
    kept: K,
    task: impl Future<Output = T> + Send,
) -> impl Future<Output = T> + Send {
    let mut task = Box::pin(task);
    std::future::poll_fn(move |cx| {
        let _kept = &kept;
        task.as_mut().poll(cx)
    })
}

/// Checks that the pool still runs jobs.
fn check<F: Future<Output = ()>>(pool: &Pool, driver: &mut Loop<F>) {
    let handle = pool.execute(async { Ok::<_, ()>(1) }).unwrap();
    assert!(driver.run().is_pending());
    assert_eq!(Loop::new(handle).finish(), Ok(1));
    assert_eq!((pool.queue_length(), pool.active_workers()), (0, 0));
}

/// Runs what panics, and looks after the pool.
fn run<T>(submit: impl FnOnce(&Pool) -> JobHandle<T, ()>) -> (Result<T, JobError<()>>, Pool) {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let handle = submit(&pool);
    assert!(driver.run().is_pending());
    let result = Loop::new(handle).finish();
    check(&pool, &mut driver);
    (result, pool)
}

#[test]
fn a_panic_ends_its_job_alone() {
    let (result, pool) = run(|pool| {
        pool.execute(async {
            crate::support::yield_now().await;
            if true {
                panic!("the number is {}", 5);
            }
            Ok(())
        })
        .unwrap()
    });
    assert_eq!(result, panicked("the number is 5"));
    assert_eq!(
        (pool.stats().total_panicked, pool.stats().total_succeeded),
        (1, 1)
    );
}

#[test]
fn panic_payloads_may_be_anything() {
    let payloads: [Box<dyn FnOnce() -> Box<dyn Any + Send> + Send>; 3] = [
        Box::new(|| Box::new("text")),
        Box::new(|| Box::new(5)),
        Box::new(|| Box::new(PanicsWhenDropped)),
    ];
    let messages = [
        "text",
        "with a payload that is no text",
        "with a payload that is no text",
    ];
    for (payload, message) in payloads.into_iter().zip(messages) {
        let (result, _) = run(|pool| {
            pool.execute(async move {
                if true {
                    panic::resume_unwind(payload());
                }
                Ok(())
            })
            .unwrap()
        });
        assert_eq!(result, panicked(message));
    }
    let (result, _) = run(|pool| {
        pool.execute(async {
            if true {
                panic_any(String::from("owned"));
            }
            Ok(())
        })
        .unwrap()
    });
    assert_eq!(result, panicked("owned"));
}

#[test]
fn a_destructor_panic_outweighs_the_output() {
    let (result, pool) = run(|pool| {
        pool.execute(holding(PanicsWhenDropped, async { Ok(()) }))
            .unwrap()
    });
    assert_eq!(result, panicked("in a destructor"));
    assert_eq!(pool.stats().total_panicked, 1);
    let (result, _) = run(|pool| {
        pool.execute(holding(PanicsWhenDropped, async { Ok(PanicsWhenDropped) }))
            .unwrap()
    });
    assert!(matches!(result, Err(JobError::Panicked { .. })));
}

#[test]
fn the_first_panic_of_two_counts() {
    let (result, _) = run(|pool| {
        pool.execute(holding(PanicsWhenDropped, async {
            if true {
                panic!("first");
            }
            Ok(())
        }))
        .unwrap()
    });
    assert_eq!(result, panicked("first"));
}

#[test]
fn destructor_panics_of_cancelled_jobs_count() {
    let never = || holding(PanicsWhenDropped, pending::<Result<(), ()>>());
    let (result, pool) = run(|pool| {
        let handle = pool.execute(never()).unwrap();
        handle.cancel();
        assert_eq!((pool.queue_length(), pool.stats().total_panicked), (0, 1));
        handle
    });
    assert_eq!(result, panicked("in a destructor"));
    assert_eq!(pool.stats().total_cancelled, 0);

    let mut driver;
    let (pool, raw) = abreast::pool(1);
    driver = Loop::new(raw);
    let handle = pool.execute(never()).unwrap();
    assert!(driver.run().is_pending());
    handle.cancel();
    assert!(driver.run().is_pending());
    assert_eq!(Loop::new(handle).finish(), panicked("in a destructor"));
    check(&pool, &mut driver);
}

#[test]
fn an_unclaimed_panicking_output_is_contained() {
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    drop(
        pool.execute(async { Ok::<_, ()>(PanicsWhenDropped) })
            .unwrap(),
    );
    assert!(driver.run().is_pending());
    assert_eq!(pool.stats().total_succeeded, 1);
    check(&pool, &mut driver);
}

#[test]
fn destructor_panics_of_abandoned_jobs() {
    let (pool, driver) = pool(2);
    let mut driver = Loop::new(driver);
    let handles: Vec<_> = (0..4)
        .map(|_| {
            pool.execute(holding(PanicsWhenDropped, pending::<Result<(), ()>>()))
                .unwrap()
        })
        .collect();
    assert!(driver.run().is_pending());
    let mut drain = Loop::new(pool.drain());
    assert!(drain.run().is_pending());
    drop(driver);
    drain.finish();
    for handle in handles {
        assert_eq!(Loop::new(handle).finish(), Err(JobError::Abandoned));
    }
}

#[test]
fn panicking_wakers_stop_no_worker() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("in a waker");
        }
    }
    let waker = Waker::from(Arc::new(Panics));
    let (pool, driver) = pool(1);
    let mut driver = Loop::new(driver);
    let mut handle = Box::pin(pool.execute(async { Ok::<_, ()>(1) }).unwrap());
    assert!(
        handle
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    let mut drain = Loop::new(pool.drain());
    assert!(drain.run().is_pending());
    assert!(driver.run().is_pending());
    drain.finish();
    assert_eq!(Loop::new(handle).finish(), Ok(1));
    check(&pool, &mut driver);
}
