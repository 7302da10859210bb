//! Pools of operations with settings in common.
#![cfg(all(feature = "operation", feature = "test-util"))]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::script::*;
use abreast::operation::{
    AttemptError, Category, EventContext, EventKind, Guardrails, Operation, Retry, RetryContext,
    Strategy, TimedOut, Timeout, TimeoutKind, create_pool,
};
use abreast::{JobError, PoolError};
use futures::stream;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn operations_inherit_unset_settings() {
    let (stage, log) = (Stage::new(), Log::new());
    let (pool, mut driver) = create_pool(1)
        .timer(stage.clock.timer())
        .shared_retry(Retry::recommended().strategy(Strategy::Fixed))
        .shared_timeout(Timeout::initial_token(ms(50)))
        .shared_guardrails(Guardrails::recommended())
        .on_event(log.handler())
        .context([("user_id", "user_123")])
        .build();
    let operation = Operation::new(stage.source([&[Hang], &[Token("[1")], &[Token("[1]")]]));
    let handle = pool.execute(operation).unwrap();
    let state = stage.clock.run(driver.run_until(handle)).unwrap();
    assert_eq!(state.content, "[1]");
    assert_eq!((state.network_retry_count, state.model_retry_count), (1, 1));
    assert_eq!(state.duration, ms(2050));
    let context = EventContext::from([("user_id", "user_123")]);
    assert!(log.events().iter().all(|event| event.context == context));
    assert_eq!(log.names().last(), Some(&"Complete"));
}

#[test]
fn what_operations_have_set_wins() {
    let (stage, shared, own) = (Stage::new(), Log::new(), Log::new());
    let (pool, mut driver) = create_pool(1)
        .timer(stage.clock.timer())
        .shared_retry(Retry::recommended())
        .shared_timeout(Timeout::initial_token(ms(50)))
        .shared_guardrails(Guardrails::recommended())
        .on_event(shared.handler())
        .context([("user_id", "user_123")])
        .build();
    let operation = Operation::new(stage.source([&[Wait(99), Fail(Fault::Broken)], &[Hang]]))
        .timer(stage.clock.timer())
        .retry(Retry::minimal().max_retries(1).base_delay(ms(7)))
        .timeout(Timeout::initial_token(ms(100)))
        .guardrails(Guardrails::none())
        .context([("user_id", "user_7")])
        .on_event(own.handler());
    let handle = pool.execute(operation).unwrap();
    let Err(JobError::Failed(failure)) = stage.clock.run(driver.run_until(handle)) else {
        panic!()
    };
    let (kind, after) = (TimeoutKind::InitialToken, ms(100));
    assert_eq!(
        failure.error,
        AttemptError::TimedOut(TimedOut { kind, after })
    );
    assert_eq!(stage.openings(), [ms(0), ms(106)]);
    assert_eq!(shared.names().len(), 0);
    assert_eq!(own.events()[0].context.get("user_id").unwrap(), "user_7");

    let operation = Operation::new(stage.source([&[Token("[1")]])).guardrails(Guardrails::none());
    let handle = pool.execute(operation).unwrap();
    let state = stage.clock.run(driver.run_until(handle)).unwrap();
    assert_eq!(
        state.content, "[1",
        "no guardrails are guardrails of its own"
    );
    assert_eq!(shared.names().last(), Some(&"Complete"));
}

#[test]
fn operations_may_differ_in_type() {
    let (pool, mut driver) = create_pool(2)
        .shared_retry_at_once(Retry::recommended())
        .build();
    let one = pool
        .execute(Operation::new(|| {
            stream::iter([Err::<&str, _>(Fault::Broken)])
        }))
        .unwrap();
    let connect = || async { Ok(stream::iter([Err::<String, _>(String::from("text"))])) };
    let two = pool
        .execute(Operation::new(connect).on_token(|_| {}))
        .unwrap();
    futures::executor::block_on(driver.run_until(pool.drain()));
    let one = futures::executor::block_on(one)
        .unwrap_err()
        .into_error()
        .unwrap();
    let two = futures::executor::block_on(two)
        .unwrap_err()
        .into_error()
        .unwrap();
    assert_eq!((one.earlier.len(), two.earlier.len()), (3, 3));
    assert_eq!(two.error, AttemptError::Stream(String::from("text")));
}

#[test]
fn shared_predicates_are_asked() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let retry = Retry::recommended().should_retry(move |failed| {
        count.fetch_add(1, SeqCst);
        failed.error != &AttemptError::Stream(Fault::Broken)
    });
    let (pool, mut driver) = create_pool(2).shared_retry_at_once(retry).build();
    for _ in 0..3 {
        let operation = Operation::new(|| stream::iter([Err::<&str, _>(Fault::Broken)]));
        let _handle = pool.execute(operation).unwrap();
    }
    futures::executor::block_on(driver.run_until(pool.drain()));
    assert_eq!((asked.load(SeqCst), pool.stats().total_failed), (3, 3));
}

#[test]
fn classifications_are_shared_by_error_type() {
    let (pool, mut driver) = create_pool(1)
        .shared_classify(|_: &Fault| Category::Transient)
        .shared_classify(|_: &Fault| Category::Fatal)
        .shared_classify(|_: &String| Category::Network.retry_after(ms(1)))
        .build();
    let fault = || stream::iter([Err::<&str, _>(Fault::Refused)]);
    let text = || stream::iter([Err::<&str, _>(String::from("text"))]);
    let other = || stream::iter([Err::<&str, _>(std::io::Error::other("other"))]);
    let own = |_: &Fault| Category::Model;
    let log = Log::new();
    let operation = Operation::new(fault).on_event(log.handler());
    let _failed = pool.execute(operation).unwrap();
    let operation = Operation::new(fault).on_event(log.handler());
    let _failed = pool.execute(operation.classify(own)).unwrap();
    let operation = Operation::new(text).on_event(log.handler());
    let _failed = pool.execute(operation).unwrap();
    let operation = Operation::new(other).on_event(log.handler());
    let _failed = pool.execute(operation).unwrap();
    futures::executor::block_on(driver.run_until(pool.drain()));
    let categories = log.kinds().into_iter().filter_map(|kind| match kind {
        EventKind::Error { category, .. } => Some(category),
        _ => None,
    });
    let expected = [
        Category::Fatal,
        Category::Model, // its own wins
        Category::Network,
        Category::Model, // by its trait
    ];
    assert_eq!(categories.collect::<Vec<_>>(), expected);
}

#[test]
fn predicates_are_for_their_error_type() {
    let retry = Retry::recommended().should_retry(|_: &RetryContext<'_, Fault>| false);
    let (pool, mut driver) = create_pool(1).shared_retry_at_once(retry).build();
    let fault = || stream::iter([Err::<&str, _>(Fault::Broken)]);
    let text = || stream::iter([Err::<&str, _>(String::from("text"))]);
    let one = pool.execute(Operation::new(fault)).unwrap();
    let own = Operation::new(fault).retry_at_once(Retry::minimal());
    let own = pool.execute(own).unwrap();
    let two = pool.execute(Operation::new(text)).unwrap();
    futures::executor::block_on(driver.run_until(pool.drain()));
    let one = futures::executor::block_on(one).unwrap_err();
    assert_eq!(one.into_error().unwrap().earlier.len(), 0);
    let own = futures::executor::block_on(own).unwrap_err();
    assert_eq!(own.into_error().unwrap().earlier.len(), 2);
    let two = futures::executor::block_on(two).unwrap_err();
    assert_eq!(two.into_error().unwrap().earlier.len(), 3);
}

#[test]
fn it_is_a_pool_with_telemetry() {
    let stage = Stage::new();
    let (pool, mut driver) = create_pool(1)
        .timer(stage.clock.timer())
        .queue_capacity(2)
        .build();
    assert_eq!(pool.telemetry().total_tokens, 0);
    let good = || Operation::new(stage.source([&[Wait(500), Token("a"), Token("b"), Wait(500)]]));
    let bad = || Operation::new(stage.source([&[Wait(250), Token("a"), Fail(Fault::Refused)]]));
    let handles = (pool.execute(good()).unwrap(), pool.execute(bad()).unwrap());
    assert_eq!(pool.execute(good()).unwrap_err(), PoolError::Full);
    assert_eq!(
        (
            pool.worker_count(),
            pool.queue_length(),
            pool.active_workers()
        ),
        (1, 2, 0)
    );
    let drain = pool.drain();
    assert_eq!(pool.execute(good()).unwrap_err(), PoolError::Draining);
    stage.clock.run(driver.run_until(drain));
    let stats = pool.stats();
    assert_eq!(
        (
            stats.total_executed,
            stats.total_succeeded,
            stats.total_failed
        ),
        (2, 1, 1)
    );
    let telemetry = pool.clone().telemetry();
    assert_eq!(
        (telemetry.total_tokens, telemetry.total_network_errors),
        (3, 1)
    );
    assert_eq!(telemetry.total_duration, ms(1250));
    assert_eq!(telemetry.avg_time_to_first_token, ms(375));
    assert!(
        (telemetry.avg_tokens_per_second - 3.0).abs() < 1e-9,
        "of 2.0 and 4.0"
    );
    assert!(handles.0.is_finished() && handles.1.is_finished());
    let shutdown = pool.shutdown();
    futures::executor::block_on(async { futures::join!(driver, shutdown) });
    assert_eq!(pool.execute(good()).unwrap_err(), PoolError::Closed);
}

#[cfg(panic = "unwind")]
#[test]
fn a_panicking_source_fails_its_operation() {
    let (pool, mut driver) = create_pool(1).build();
    let source = || -> stream::Empty<Result<&'static str, Fault>> { panic!("no source") };
    let bad = pool.execute(Operation::new(source)).unwrap();
    let good = pool
        .execute(Operation::new(|| stream::iter([Ok::<_, Fault>("a")])))
        .unwrap();
    futures::executor::block_on(driver.run_until(pool.drain()));
    let bad = futures::executor::block_on(bad);
    assert!(matches!(bad, Err(JobError::Panicked { message }) if message == "no source"));
    assert_eq!(futures::executor::block_on(good).unwrap().content, "a");
}
