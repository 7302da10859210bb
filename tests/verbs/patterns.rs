//! The rows of the tables of patterns, under virtual time: what each does about an error, and how long it takes. Needs
//! the feature `test-util`.
#![cfg(feature = "test-util")]

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use abreast::time::VirtualClock;
use abreast::{
    Origin, batched, fall_through, gather, join_all, paginate, parallel, parallel_stream, race,
    sequential, task_group, timeout, try_gather,
};
use futures::StreamExt;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A service whose operations take a time each. It counts what was asked for, what has ended, and what was dropped
/// first.
#[derive(Clone, Default)]
struct Service {
    clock: VirtualClock,
    asked: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
}

impl Service {
    /// Returns a task that takes as many milliseconds.
    async fn call<T>(
        &self,
        takes: u64,
        result: Result<T, &'static str>,
    ) -> Result<T, &'static str> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.clock.sleep(Duration::from_millis(takes)).await;
        self.ended.fetch_add(1, Ordering::Relaxed);
        result
    }

    /// Runs `future`, and returns what it returns, the milliseconds it took, and how many operations began and ended.
    fn run<F: Future>(&self, future: F) -> (F::Output, u128, (usize, usize)) {
        let before = self.clock.now();
        let output = self.clock.run(future);
        let took = (self.clock.now() - before).as_millis();
        assert_eq!(self.clock.timers_running(), 0, "nothing is left running");
        let counts = [&self.asked, &self.ended];
        let [asked, ended] = counts.map(|count| count.swap(0, Ordering::Relaxed));
        (output, took, (asked, ended))
    }
}

/// Five operations, of which one fails half-way.
const TAKES: [(u64, Result<u32, &str>); 5] = [
    (30, Ok(0)),
    (100, Ok(1)),
    (50, Err("503")),
    (80, Ok(3)),
    (20, Ok(4)),
];

#[test]
fn gather_waits_for_the_slowest() {
    let service = Service::default();
    let [a, b, c, d, e] = TAKES.map(|(takes, result)| service.call(takes, result));
    let (results, took, counts) = service.run(gather((a, b, c, d, e)));
    assert_eq!(results, (Ok(0), Ok(1), Err("503"), Ok(3), Ok(4)));
    assert_eq!((took, counts), (100, (5, 5)));

    let calls = TAKES.map(|(takes, result)| service.call(takes, result));
    let (results, took, counts) = service.run(join_all(calls));
    assert_eq!(results, TAKES.map(|(_, result)| result));
    assert_eq!((took, counts), (100, (5, 5)));
}

#[test]
fn try_gather_fails_fast() {
    let service = Service::default();
    let [a, b, c, d, e] = TAKES.map(|(takes, result)| service.call(takes, result));
    let (result, took, counts) = service.run(try_gather((a, b, c, d, e)));
    assert_eq!(result, Err("503"));
    assert_eq!((took, counts), (50, (5, 3)));
}

#[test]
fn task_groups_fail_with_every_error() {
    let service = Service::default();
    let (result, took, counts) = service.run(task_group(async |group| {
        for (takes, result) in TAKES {
            group.spawn(service.call(takes, result));
        }
        group.spawn(service.call(50, Err::<(), _>("504")));
        Ok(())
    }));
    let failures: Vec<_> = result.unwrap_err().into_iter().collect();
    assert_eq!(
        failures,
        [(Origin::Task(2), "503"), (Origin::Task(5), "504")]
    );
    assert_eq!((took, counts), (50, (6, 4)));
}

#[test]
fn a_limit_bounds_many_operations() {
    let service = Service::default();
    let most = Cell::new(0);
    let running = Cell::new(0);
    let calls = (0..100).map(|n| {
        let (service, most, running) = (&service, &most, &running);
        async move {
            running.set(running.get() + 1);
            most.set(most.get().max(running.get()));
            let result = service
                .call(10, if n == 50 { Err("no") } else { Ok(n) })
                .await;
            running.set(running.get() - 1);
            result
        }
    });
    let (result, took, counts) = service.run(parallel(calls).concurrency(20));
    assert_eq!((result.success_count(), result.failure_count()), (99, 1));
    assert_eq!((most.get(), took, counts), (20, 50, (100, 100)));
}

#[test]
fn a_failing_page_keeps_earlier_results() {
    let service = Service::default();
    let pages = paginate(|limit, offset| {
        let page = (offset..offset + limit).collect::<Vec<_>>();
        service.call(
            10,
            if offset == 20 {
                Err("page 3")
            } else {
                Ok(page)
            },
        )
    })
    .limit(10);
    let items = &service;
    let tasks = pages.map(|item| async move { items.call(10, Ok(item?)).await });
    let (result, took, counts) = service.run(parallel_stream(tasks).concurrency(11));
    assert_eq!(result.success_count(), 20);
    assert_eq!(result.failures().collect::<Vec<_>>(), [(20, &"page 3")]);
    // Page 2 loads beside the items of page 1, and page 3 beside those of page 2.
    assert_eq!((took, counts), (30, (23, 23)));
}

#[test]
fn chunks_pause_in_between() {
    let service = Service::default();
    let run = batched(0..25, |n| {
        service.call(10, if n == 3 { Err("404") } else { Ok(n) })
    });
    let pause = Duration::from_millis(100);
    let run = run.batch_size(10).pause(pause, service.clock.timer());
    let (result, took, counts) = service.run(run.settle());
    assert_eq!((result.success_count(), result.failure_count()), (24, 1));
    assert_eq!((took, counts), (10 + 100 + 10 + 100 + 10, (25, 25)));
}

#[test]
fn races_trade_cost_for_time() {
    let service = Service::default();
    // The first replica is down, the second slow, the third quick.
    let replicas = || {
        [(10, Err("down")), (500, Ok("slow")), (20, Ok("quick"))]
            .into_iter()
            .map(|(takes, result)| service.call(takes, result))
    };
    let (winner, took, counts) = service.run(fall_through(replicas()));
    assert_eq!((winner.unwrap().value, took, counts), ("slow", 510, (2, 2)));

    let delay = Duration::from_millis(50);
    let staggered = race(replicas()).stagger(delay, service.clock.timer());
    let (winner, took, counts) = service.run(staggered);
    assert_eq!(
        (winner.unwrap().value, took, counts),
        ("quick", 10 + 50 + 20, (3, 2))
    );

    let (winner, took, counts) = service.run(race(replicas()));
    assert_eq!((winner.unwrap().value, took, counts), ("quick", 20, (3, 2)));
}

#[test]
fn each_operation_has_its_own_timeout() {
    let service = Service::default();
    let timer = service.clock.timer();
    let limited = |takes, limit| {
        let call = service.call(takes, Ok(takes));
        timeout(Duration::from_millis(limit), timer.clone(), call).or(Ok(0))
    };
    let (results, took, counts) = service.run(gather((
        limited(10, 50),
        limited(9000, 100),
        limited(70, 100),
    )));
    assert_eq!(results, (Ok(10), Ok(0), Ok(70)));
    assert_eq!((took, counts), (100, (3, 2)));
}

#[test]
fn sequential_takes_the_sum() {
    let service = Service::default();
    let calls = TAKES
        .into_iter()
        .map(|(takes, result)| service.call(takes, result));
    let (result, took, counts) = service.run(sequential(calls));
    assert_eq!(result.unwrap_err().into_error(), Some("503"));
    assert_eq!((took, counts), (30 + 100 + 50, (3, 3)));
}
