//! In a page of a browser: futures that hold JavaScript values, its timers as timers, its clock, its promises.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use crate::browser::{microtasks, now, sleep, sleep_ms, window};
use abreast::operation::{AttemptError, Category, Classify, Operation, Retry, Strategy, Timeout};
use abreast::{
    JobError, Outcome, RaceError, TaskError, batched, fall_through, gather, join_all, local_pool,
    local_task_group, paginate, parallel, parallel_stream, race, sequential, timeout, try_gather,
};
use futures::channel::{mpsc, oneshot};
use futures::future::{Either, select};
use futures::stream::{self, Stream};
use futures::{SinkExt, StreamExt};
use js_sys::{Array, Function, JsString, Promise, Uint32Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Response;

/// Returns a promise that another task resolves: neither it nor its value may leave the thread.
async fn promised(value: u32) -> Result<JsValue, JsValue> {
    let promise = Promise::new(&mut |resolve: Function, reject: Function| {
        let settle = if value == 13 { reject } else { resolve };
        spawn_local(async move {
            microtasks(1 + value as usize % 3).await;
            settle
                .call1(&JsValue::NULL, &value.into())
                .expect("it can be called");
        });
    });
    JsFuture::from(promise).await
}

fn numbers(values: impl IntoIterator<Item = JsValue>) -> Vec<f64> {
    let number = |value: JsValue| value.as_f64().expect("it is a number");
    values.into_iter().map(number).collect()
}

/// How many of something there are, now and at most.
#[derive(Clone, Default)]
struct Gauge(Rc<(Cell<usize>, Cell<usize>)>);

struct Held(Gauge);

impl Gauge {
    fn hold(&self) -> Held {
        let (now, most) = &*self.0;
        now.set(now.get() + 1);
        most.set(most.get().max(now.get()));
        Held(self.clone())
    }

    fn now(&self) -> usize {
        self.0.0.get()
    }

    fn most(&self) -> usize {
        self.0.1.get()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let now = &self.0.0.0;
        now.set(now.get() - 1);
    }
}

// --- Values of JavaScript, in every verb

#[wasm_bindgen_test]
async fn parallel_runs_promises() {
    let result = parallel((10..15).map(promised)).concurrency(2).await;
    assert_eq!((result.success_count(), result.failure_count()), (4, 1));
    assert_eq!(result[3], Outcome::Failed(13.into()));
    assert_eq!(
        numbers(result.into_successful_results()),
        [10.0, 11.0, 12.0, 14.0]
    );
}

#[wasm_bindgen_test]
async fn fail_fast_drops_other_promises() {
    let gauge = Gauge::default();
    let tasks = [Some(13), None, None].map(|value| {
        let held = gauge.hold();
        async move {
            let _held = held;
            match value {
                Some(value) => promised(value).await,
                None => pending().await,
            }
        }
    });
    let result = parallel(tasks).fail_fast(true).await;
    assert_eq!((result.failure_count(), result.cancelled_count()), (1, 2));
    assert_eq!(gauge.now(), 0);
}

#[wasm_bindgen_test]
async fn streams_hand_over_promised_values() {
    let mut finished: Vec<_> = parallel((0..6).map(promised)).into_stream().collect().await;
    finished.sort_by_key(|(index, _)| *index);
    let ordered: Vec<_> = parallel((0..6).map(promised))
        .into_ordered_stream()
        .collect()
        .await;
    assert_eq!(finished, ordered);
    assert_eq!(ordered[4], (4, Ok(4.into())));
}

#[wasm_bindgen_test]
async fn a_fed_stream_runs_meanwhile() {
    let (mut queue, promises) = mpsc::channel(1);
    spawn_local(async move {
        for value in 0..20 {
            sleep_ms(u64::from(value % 4 == 0)).await;
            queue.send(value).await.expect("it is being read");
        }
    });
    let result = parallel_stream(promises.map(promised)).await;
    assert_eq!((result.success_count(), result.failure_count()), (19, 1));
}

#[wasm_bindgen_test]
async fn the_first_kept_promise_wins() {
    let winner = race([13, 5, 3].map(promised)).await.expect("one succeeds");
    assert_eq!((winner.winner_index, winner.value), (2, 3.into()));
    let lost = race([13, 13].map(promised))
        .await
        .expect_err("none succeeds");
    assert!(matches!(lost, RaceError::AllFailed(failures) if failures.len() == 2));
}

#[wasm_bindgen_test]
async fn fall_through_asks_in_turn() {
    let asked = RefCell::new(Vec::new());
    let tasks = [13, 13, 7, 8].map(|value| {
        let asked = &asked;
        async move {
            asked.borrow_mut().push(value);
            promised(value).await
        }
    });
    let winner = fall_through(tasks).await.expect("one succeeds");
    assert_eq!((winner.winner_index, winner.value), (2, 7.into()));
    assert_eq!(*asked.borrow(), [13, 13, 7]);
}

#[wasm_bindgen_test]
async fn sequential_stops_at_a_broken_promise() {
    let values = sequential((1..4).map(promised)).await.expect("all succeed");
    assert_eq!(numbers(values), [1.0, 2.0, 3.0]);
    let error = sequential([1, 13, 2].map(promised))
        .await
        .expect_err("one fails");
    assert!(
        matches!(error, TaskError::Failed { index: 1, .. }),
        "{error:?}"
    );
}

#[wasm_bindgen_test]
async fn batches_are_of_promises_too() {
    let gauge = Gauge::default();
    let handler = |value| {
        let held = gauge.hold();
        async move {
            let _held = held;
            promised(value).await
        }
    };
    let values = batched(0..9, handler)
        .batch_size(4)
        .await
        .expect("all succeed");
    assert_eq!(
        numbers(values),
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    );
    assert_eq!(gauge.most(), 4);
    let result = batched(10..15, handler).batch_size(2).settle().await;
    assert_eq!((result.success_count(), result.failure_count()), (4, 1));
}

#[wasm_bindgen_test]
async fn gather_takes_futures_of_many_kinds() {
    let text = async { JsString::from("text") };
    let (number, text, ()) = gather((promised(1), text, sleep_ms(1))).await;
    assert_eq!((number, text.into()), (Ok(1.into()), JsValue::from("text")));
    assert_eq!(
        try_gather((promised(1), promised(13))).await,
        Err(13.into())
    );
    let all = join_all((0..50).map(promised)).concurrency(7).await;
    assert_eq!(all.iter().filter(|result| result.is_ok()).count(), 49);
}

#[wasm_bindgen_test]
async fn a_local_group_runs_local_tasks() {
    let sum = Cell::new(0.0);
    let spawned = local_task_group(async |group| {
        for value in 0..5 {
            let sum = &sum;
            group.spawn(async move {
                let value = promised(value).await?.as_f64().expect("it is a number");
                sum.set(sum.get() + value);
                Ok(())
            });
        }
        Ok::<_, JsValue>("all of them")
    });
    assert_eq!(spawned.await.expect("none fails"), "all of them");
    assert_eq!(sum.get(), 10.0);
}

#[wasm_bindgen_test]
async fn pages_are_fetched_on_demand() {
    let items = paginate(async |limit, offset| {
        microtasks(2).await;
        let all: Vec<u32> = (0..7).collect();
        Ok::<_, JsValue>(all.into_iter().skip(offset).take(limit).collect::<Vec<_>>())
    })
    .limit(3);
    let items: Vec<_> = pin!(items)
        .map(|item| item.expect("it never fails"))
        .collect()
        .await;
    assert_eq!(items, [0, 1, 2, 3, 4, 5, 6]);
}

// --- Its timers

#[wasm_bindgen_test]
async fn timers_of_the_browser_are_timers() {
    let short = Duration::from_millis(5);
    let elapsed = timeout(short, sleep, pending::<()>())
        .await
        .expect_err("it never resolves");
    assert_eq!(elapsed.duration(), short);
    assert_eq!(
        timeout(Duration::from_secs(60), sleep, promised(1)).await,
        Ok(Ok(1.into()))
    );
    assert_eq!(timeout(short, sleep, pending()).or("late").await, "late");
}

#[wasm_bindgen_test]
async fn each_task_has_its_own_timeout() {
    let waits = [1, 60_000, 2, 60_000]
        .map(|wait| timeout(Duration::from_millis(50), sleep, sleep_ms(wait)));
    let began = now();
    let result = parallel(waits).await;
    let succeeded: Vec<_> = result.iter().map(Outcome::is_succeeded).collect();
    assert_eq!(succeeded, [true, false, true, false]);
    assert!(now() - began < 10_000.0);
}

#[wasm_bindgen_test]
async fn timers_run_within_the_limit() {
    let gauge = Gauge::default();
    let tasks = (0..40).map(|index| {
        let gauge = gauge.clone();
        async move {
            let _held = gauge.hold();
            sleep_ms(index % 5).await;
            Ok::<_, ()>(index)
        }
    });
    let result = parallel(tasks).concurrency(6).await;
    assert!(result.all_succeeded());
    assert_eq!((gauge.most(), gauge.now()), (6, 0));
}

#[wasm_bindgen_test]
async fn results_come_in_input_order() {
    let ended = RefCell::new(Vec::new());
    let result = parallel([90, 10, 50].map(|wait| async move {
        sleep_ms(wait).await;
        Ok::<_, ()>(wait)
    }))
    .on_complete(|wait, _| ended.borrow_mut().push(*wait))
    .await;
    assert_eq!(result.into_successful_results(), [90, 10, 50]);
    assert_eq!(*ended.borrow(), [10, 50, 90]);
}

#[wasm_bindgen_test]
async fn slow_racers_start_the_next() {
    let started = Rc::new(Cell::new(0));
    let tasks = [60_000, 1, 1].map(|wait| {
        let started = started.clone();
        async move {
            started.set(started.get() + 1);
            sleep_ms(wait).await;
            Ok::<_, ()>(wait)
        }
    });
    let winner = race(tasks)
        .stagger(Duration::from_millis(100), sleep)
        .await
        .expect("all succeed");
    assert_eq!((winner.winner_index, started.get()), (1, 2));
}

#[wasm_bindgen_test]
async fn batches_pause_in_between() {
    let began = now();
    let pause = Duration::from_millis(30);
    let run = batched(0..6, |item| async move { Ok::<_, ()>(item) })
        .batch_size(2)
        .pause(pause, sleep);
    assert_eq!(run.await, Ok(vec![0, 1, 2, 3, 4, 5]));
    // Two pauses, less what a browser may round off.
    assert!(now() - began >= 58.0);
}

#[wasm_bindgen_test]
async fn dropping_a_run_drops_its_timers() {
    let gauge = Gauge::default();
    let fired = Rc::new(Cell::new(0));
    let tasks = (0..20).map(|_| {
        let (gauge, fired) = (gauge.clone(), fired.clone());
        async move {
            let _held = gauge.hold();
            sleep_ms(30).await;
            fired.set(fired.get() + 1);
            Ok::<_, ()>(())
        }
    });
    let run = Box::pin(parallel(tasks).concurrency(8));
    match select(run, sleep_ms(1)).await {
        Either::Left(_) => panic!("it takes longer than that"),
        Either::Right(((), run)) => {
            assert_eq!(gauge.now(), 8);
            drop(run);
        }
    }
    assert_eq!(gauge.now(), 0);
    sleep_ms(60).await;
    assert_eq!((gauge.most(), fired.get()), (8, 0));
}

// --- Its clock

#[wasm_bindgen_test]
async fn durations_follow_the_browsers_clock() {
    let began = now();
    let result = parallel([20, 40].map(|wait| async move {
        sleep_ms(wait).await;
        Ok::<_, ()>(())
    }))
    .await;
    let passed = now() - began;
    let measured = result.duration().as_secs_f64() * 1000.0;
    assert!(
        (39.0..=passed + 1.0).contains(&measured),
        "{measured} of {passed} ms"
    );
}

// --- The local pool

/// Returns a task of a pool, which may last as long as the page does.
async fn waits(gauge: Gauge, millis: u64) -> Result<JsValue, JsValue> {
    let _held = gauge.hold();
    sleep_ms(millis).await;
    promised(millis as u32).await
}

#[wasm_bindgen_test]
async fn a_local_pool_runs_promises() {
    let gauge = Gauge::default();
    let (pool, mut driver) = local_pool(3);
    let submit = |millis| {
        pool.execute(waits(gauge.clone(), millis))
            .expect("it is open")
    };
    let handles: Vec<_> = (9..17).map(submit).collect();
    assert_eq!((pool.queue_length(), pool.active_workers()), (8, 0));

    let values = driver.run_until(join_all(handles)).await;
    assert_eq!(values[1], Ok(JsValue::from(10)));
    assert_eq!(values[4], Err(JobError::Failed(13.into())));
    assert_eq!((gauge.most(), gauge.now()), (3, 0));
    let stats = pool.stats();
    assert_eq!(
        (
            stats.total_succeeded,
            stats.total_failed,
            stats.queue_length
        ),
        (7, 1, 0)
    );
    assert!(
        stats.total_duration >= Duration::from_millis(80),
        "{stats:?}"
    );
}

#[wasm_bindgen_test]
async fn local_drivers_are_spawned() {
    let gauge = Gauge::default();
    let (pool, driver) = local_pool(2);
    let (sender, ended) = oneshot::channel();
    spawn_local(async move {
        driver.await;
        let _ = sender.send("the driver has resolved");
    });
    let handles: Vec<_> = (1..6)
        .map(|millis| {
            pool.execute(waits(gauge.clone(), millis))
                .expect("it is open")
        })
        .collect();
    pool.drain().await;
    assert_eq!((gauge.most(), gauge.now()), (2, 0));
    assert!(join_all(handles).await.iter().all(Result::is_ok));

    let last = pool
        .execute(waits(gauge.clone(), 1))
        .expect("it accepts again");
    pool.shutdown().await;
    assert_eq!(last.await, Ok(JsValue::from(1)));
    assert!(pool.execute(waits(gauge, 1)).is_err());
    assert_eq!(ended.await, Ok("the driver has resolved"));
}

#[wasm_bindgen_test]
async fn operations_end_with_their_timers() {
    let gauge = Gauge::default();
    let (pool, mut driver) = local_pool(2);
    let submit = || {
        pool.execute(waits(gauge.clone(), 60_000))
            .expect("it is open")
    };
    let (first, second, third) = (submit(), submit(), submit());
    driver.run_until(sleep_ms(5)).await;
    assert_eq!(
        (pool.active_workers(), pool.queue_length(), gauge.now()),
        (2, 1, 2)
    );

    first.cancel();
    assert_eq!(driver.run_until(first).await, Err(JobError::Cancelled));
    driver.run_until(sleep_ms(1)).await;
    assert_eq!(
        (pool.active_workers(), pool.queue_length(), gauge.now()),
        (2, 0, 2)
    );

    drop(driver);
    assert_eq!(gauge.now(), 0);
    assert_eq!(second.await, Err(JobError::Abandoned));
    assert_eq!(third.await, Err(JobError::Abandoned));
}

// --- Operations

/// Returns a stream of tokens, each of which comes some milliseconds after the one before.
fn tokens(
    tokens: &'static [(u64, &'static str)],
) -> impl Stream<Item = Result<&'static str, Refusal>> {
    stream::iter(tokens).then(|&(after, token)| async move {
        sleep_ms(after).await;
        if token == "refused" {
            Err(Refusal)
        } else {
            Ok(token)
        }
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("refused")]
struct Refusal;

impl Classify for Refusal {
    fn category(&self) -> Category {
        Category::Network
    }
}

/// Opens a stream: the first two fail or hang, and the third goes well.
fn third_time_lucky(
    opened: &Cell<usize>,
) -> impl Stream<Item = Result<&'static str, Refusal>> + use<> {
    opened.set(opened.get() + 1);
    tokens(match opened.get() {
        1 => &[(1, "a"), (1, "refused")],
        2 => &[(1, "a"), (60_000, "b")],
        _ => &[(1, "a"), (1, "b"), (1, "c")],
    })
}

#[wasm_bindgen_test]
async fn operations_wait_by_browser_timers() {
    let opened = Cell::new(0);
    let retry = Retry::recommended()
        .base_delay(Duration::from_millis(30))
        .strategy(Strategy::Fixed);
    let began = now();
    let seen = RefCell::new(Vec::new());
    let state = Operation::new(|| third_time_lucky(&opened))
        .timer(sleep)
        .retry(retry)
        .timeout(Timeout::inter_token(Duration::from_millis(100)))
        .on_token(|token| seen.borrow_mut().push(token.to_owned()))
        .run()
        .await
        .expect("the third attempt succeeds");
    assert_eq!((state.content.as_str(), opened.get()), ("abc", 3));
    assert_eq!(*seen.borrow(), ["a", "a", "a", "b", "c"]);
    // Two delays and a timeout, less what a browser may round off.
    let passed = now() - began;
    assert!((155.0..10_000.0).contains(&passed), "{passed} ms");
    let measured = state.duration.as_secs_f64() * 1000.0;
    assert!(measured <= passed + 1.0, "{measured} of {passed} ms");
}

#[wasm_bindgen_test]
async fn fallbacks_report_every_attempt() {
    let failure = Operation::new(|| tokens(&[(1, "refused")]))
        .timer(sleep)
        .fallback(|| tokens(&[(60_000, "late")]))
        .timeout(Timeout::initial_token(Duration::from_millis(20)))
        .run()
        .await
        .expect_err("neither succeeds");
    assert_eq!(failure.earlier.len(), 1);
    assert_eq!(failure.earlier[0].error, AttemptError::Stream(Refusal));
    assert!(
        matches!(failure.error, AttemptError::TimedOut(_)),
        "{failure:?}"
    );
}

#[wasm_bindgen_test]
async fn operations_run_in_verbs_and_pools() {
    let ask = |after: &'static [(u64, &'static str)]| Operation::new(move || tokens(after));
    let first = race([ask(&[(60_000, "slow")]), ask(&[(1, "quick")])]).await;
    assert_eq!(first.expect("one succeeds").value.content, "quick");

    let (pool, mut driver) = local_pool(2);
    let handle = pool
        .execute(ask(&[(1, "in "), (1, "a pool")]))
        .expect("it is open");
    let state = driver.run_until(handle).await.expect("it succeeds");
    assert_eq!(state.content, "in a pool");
}

// --- Its promises

#[wasm_bindgen_test]
async fn wakes_of_microtasks_all_arrive() {
    let result = parallel((0..2_000).map(|index| async move {
        microtasks(index % 7).await;
        Ok::<_, ()>(index)
    }))
    .concurrency(300)
    .await;
    let values = result.into_result().expect("none fails");
    assert!(values.into_iter().eq(0..2_000));
}

#[wasm_bindgen_test]
async fn one_event_wakes_a_thousand_tasks() {
    let (fire, fired) = oneshot::channel::<()>();
    let event = Promise::new(&mut |resolve: Function, _| {
        window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, 5)
            .expect("a timer can be set");
    });
    let tasks = (0..1_000).map(|index| {
        let event = JsFuture::from(event.clone());
        async move { event.await.map(|_| index) }
    });
    let run = parallel(tasks).concurrency(usize::MAX).on_progress({
        let mut fire = Some(fire);
        move |progress| {
            if progress.total == Some(progress.completed) {
                let _ = fire.take().map(|fire| fire.send(()));
            }
        }
    });
    assert_eq!(run.await.success_count(), 1_000);
    assert_eq!(fired.await, Ok(()));
}

#[wasm_bindgen_test]
async fn pages_are_fetched_from_a_server() {
    let location = window().location().href().expect("the page has an address");
    let get = |_| async {
        let response: Response = JsFuture::from(window().fetch_with_str(&location))
            .await?
            .dyn_into()?;
        let body = JsFuture::from(response.text()?).await?;
        Ok::<_, JsValue>((response.ok(), body.as_string().map_or(0, |body| body.len())))
    };
    let result = parallel((0..12).map(get)).concurrency(4).await;
    let pages = result.into_result().expect("the server is there");
    assert!(pages.iter().all(|&(ok, len)| ok && len > 0), "{pages:?}");
}

#[wasm_bindgen_test]
async fn a_run_becomes_a_promise() {
    let promise = wasm_bindgen_futures::future_to_promise(async {
        let result = parallel((0..4).map(promised)).await;
        let values = numbers(result.into_successful_results());
        Ok(Array::from_iter(values.into_iter().map(JsValue::from)).into())
    });
    let values = Uint32Array::new(&JsFuture::from(promise).await.expect("it is kept"));
    assert_eq!(values.to_vec(), [0, 1, 2, 3]);
}
