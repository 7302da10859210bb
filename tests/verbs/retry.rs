//! Tasks that are tried again: how often, when, and what becomes of the errors. Needs the feature `test-util`.
#![cfg(feature = "test-util")]

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
#[cfg(not(target_family = "wasm"))]
use std::future::Future;
use std::future::{pending, ready};
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::support::{Board, Driver};
use abreast::retry::{Category, Classification, Classify, GiveUp, Strategy};
use abreast::time::VirtualClock;
use abreast::{BoxErrors, Budget, Rate, Retry, RetryError, parallel, retry};
use futures::future::FusedFuture;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Refused,
    Limited(u64),
    Broken,
    Denied,
}

use Fault::*;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Error for Fault {}

impl Classify for Fault {
    fn category(&self) -> Category {
        match self {
            Refused => Category::Network,
            Limited(_) => Category::Transient,
            Broken => Category::Model,
            Denied => Category::Fatal,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Limited(millis) => Some(ms(*millis)),
            _ => None,
        }
    }
}

/// A task that takes 100 ms and fails as its script says, the last step for ever; and when its attempts started.
struct Service {
    clock: VirtualClock,
    script: Vec<Result<u32, Fault>>,
    starts: RefCell<Vec<u128>>,
    running: Cell<usize>,
}

impl Service {
    fn new(script: &[Result<u32, Fault>]) -> Self {
        Self {
            clock: VirtualClock::new(),
            script: script.to_vec(),
            starts: RefCell::default(),
            running: Cell::new(0),
        }
    }

    async fn call(&self) -> Result<u32, Fault> {
        struct Running<'a>(&'a Cell<usize>);
        impl Drop for Running<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }
        let step = self.starts.borrow().len().min(self.script.len() - 1);
        let now = self.clock.now().as_millis();
        self.starts.borrow_mut().push(now);
        self.running.set(self.running.get() + 1);
        let _running = Running(&self.running);
        self.clock.sleep(ms(100)).await;
        self.script[step]
    }

    fn starts(&self) -> Vec<u128> {
        self.starts.borrow().clone()
    }

    /// Returns when attempts start under this policy, by the categories of their errors.
    fn starts_by(self, policy: Retry) -> Vec<u128> {
        let run = retry(policy, self.clock.timer(), || self.call()).classify(Classification::of);
        let _ = self.clock.run(run);
        self.starts()
    }
}

fn plain(strategy: Strategy) -> Retry {
    Retry::recommended().strategy(strategy)
}

#[test]
fn success_needs_one_poll() {
    let clock = VirtualClock::new();
    let mut run = Driver::new(retry(Retry::recommended(), clock.timer(), || {
        ready(Ok::<_, ()>(7))
    }));
    assert_eq!(run.finish(), Ok(7));
    assert!(run.future.is_terminated());
    assert_eq!((run.polls, clock.timers_set()), (1, 0));
}

#[test]
fn delays_follow_the_strategy() {
    let broken = || Service::new(&[Err(Broken)]);
    let starts = |strategy| broken().starts_by(plain(strategy));
    assert_eq!(starts(Strategy::Exponential), [0, 1100, 3200, 7300]);
    assert_eq!(starts(Strategy::Linear), [0, 1100, 3200, 6300]);
    assert_eq!(starts(Strategy::Fixed), [0, 1100, 2200, 3300]);
}

#[test]
fn a_seed_repeats_the_jitter() {
    let starts = |seed| Service::new(&[Err(Broken)]).starts_by(Retry::strict().seed(seed));
    assert_eq!(starts(7), starts(7));
    assert_ne!(starts(7), starts(8));
}

#[cfg(feature = "operation")]
#[test]
fn operations_wait_just_as_long() {
    use abreast::operation::Operation;
    use futures::stream;

    for policy in [Retry::strict(), Retry::minimal(), Retry::exponential()] {
        let policy = policy.seed(7);
        let clock = VirtualClock::new();
        let starts = RefCell::new(Vec::new());
        let open = || {
            starts.borrow_mut().push(clock.now());
            stream::iter([Err::<&str, _>(Refused)])
        };
        let operation = Operation::new(open)
            .timer(clock.timer())
            .retry(policy.clone());
        clock.run(operation).unwrap_err();
        let of_operation = starts.take();

        let clock = VirtualClock::new();
        let open = || {
            starts.borrow_mut().push(clock.now());
            ready(Err::<(), _>(Refused))
        };
        let run = retry(policy, clock.timer(), open).classify(Classification::of);
        clock.run(run).unwrap_err();
        assert_eq!(starts.take(), of_operation);
    }
}

#[test]
fn categories_decide_how_often() {
    let attempts = |script| Service::new(script).starts_by(plain(Strategy::Fixed)).len();
    assert_eq!(attempts(&[Err(Broken)]), 1 + 3);
    assert_eq!(attempts(&[Err(Refused)]), 1 + 6);
    assert_eq!(attempts(&[Err(Denied)]), 1);
    assert_eq!(attempts(&[Err(Broken), Err(Refused), Ok(1)]), 3);
    let mixed = [
        Err(Refused),
        Err(Refused),
        Err(Broken),
        Err(Refused),
        Err(Denied),
    ];
    assert_eq!(attempts(&mixed), 5);
}

#[test]
fn unclassified_errors_are_retried() {
    let service = Service::new(&[Err(Denied), Ok(5)]);
    let run = retry(plain(Strategy::Fixed), service.clock.timer(), || {
        service.call()
    });
    assert_eq!(service.clock.run(run), Ok(5));
}

#[test]
fn retry_after_hints_are_honoured() {
    let script = [
        Err(Limited(50)),
        Err(Limited(60_000)),
        Err(Limited(0)),
        Ok(1),
    ];
    let starts = Service::new(&script).starts_by(plain(Strategy::Fixed).max_delay(secs(2)));
    assert_eq!(starts, [0, 150, 2250, 2350]);
}

#[test]
fn closures_veto_and_delay() {
    let service = Service::new(&[Err(Broken)]);
    let run = retry(plain(Strategy::Fixed), service.clock.timer(), || {
        service.call()
    })
    .delay(|failed| (failed.attempt == 1).then_some(secs(60)))
    .delay(|_| Some(secs(5)))
    .should_retry(|failed| failed.error == Broken)
    .should_retry(|failed| failed.attempt < 3);
    let error = service.clock.run(run).unwrap_err();
    assert_eq!((error.reason, error.attempts), (GiveUp::Refused, 3));
    assert_eq!(service.starts(), [0, 60_100, 65_200]);
}

#[test]
fn attempts_are_dropped_before_hooks() {
    let service = Service::new(&[Err(Refused), Err(Limited(50)), Ok(1)]);
    let mut log = Vec::new();
    let run = retry(plain(Strategy::Fixed), service.clock.timer(), || {
        service.call()
    })
    .classify(|error| {
        assert_eq!(service.running.get(), 0);
        Classification::of(error)
    })
    .on_retry(|failed| {
        let at = service.clock.now().as_millis();
        log.push((at, failed.attempt, failed.category, failed.delay));
    });
    assert_eq!(service.clock.run(run), Ok(1));
    assert_eq!(
        log,
        [
            (100, 1, Category::Network, Some(secs(1))),
            (1200, 2, Category::Transient, Some(ms(50))),
        ]
    );
}

#[test]
fn no_error_is_lost() {
    let service = Service::new(&[Err(Refused), Err(Broken), Err(Denied)]);
    let run = retry(plain(Strategy::Fixed), service.clock.timer(), || {
        service.call()
    });
    let error = service
        .clock
        .run(run.classify(Classification::of))
        .unwrap_err();
    assert_eq!(error.reason, GiveUp::Fatal);
    assert_eq!(
        error.errors().collect::<Vec<_>>(),
        [&Refused, &Broken, &Denied]
    );
    let delays: Vec<_> = error.failed.iter().map(|failed| failed.delay).collect();
    assert_eq!(delays, [Some(secs(1)), Some(secs(1)), None]);
    assert_eq!(error.last(), Some(&Denied));
    assert_eq!(error.source().unwrap().to_string(), "Denied");
    assert_eq!(
        format!("{error}"),
        "gave up after 3 attempts: its error is fatal"
    );
    assert_eq!(
        format!("{error:#}"),
        "gave up after 3 attempts: its error is fatal: Denied"
    );
    let boxed = error.clone().boxed();
    assert!(boxed.source().unwrap().is::<Fault>());
    assert_eq!(boxed.failed.len(), 3);
    assert_eq!(error.into_last(), Some(Denied));
}

#[test]
fn total_time_cuts_an_attempt_off() {
    let clock = VirtualClock::new();
    let board = Board::new(3);
    let mut tasks = board.tasks();
    let policy = plain(Strategy::Fixed);
    let run = retry(policy, clock.timer(), || tasks.next().unwrap()).total_time(secs(3));
    let mut run = Driver::new(run);
    assert!(run.run().is_pending());
    clock.advance(secs(1));
    board.end(0, Err("no"));
    assert!(run.run().is_pending());
    assert_eq!((board.alive(), clock.timers_running()), (0, 2));
    clock.advance(secs(1));
    assert!(run.run().is_pending());
    assert_eq!((board.created(), board.alive()), (2, 1));
    clock.advance(ms(999));
    assert!(run.run().is_pending());
    clock.advance(ms(1));
    let error = run.finish().unwrap_err();
    assert_eq!((error.reason, error.attempts), (GiveUp::OutOfTime, 2));
    assert_eq!((error.failed.len(), error.last()), (1, Some(&"no")));
    assert_eq!((board.alive(), clock.timers_running()), (0, 0));
}

#[test]
fn hopeless_delays_are_not_waited_for() {
    let service = Service::new(&[Err(Broken)]);
    let policy = plain(Strategy::Fixed);
    let run = retry(policy, service.clock.timer(), || service.call()).total_time(ms(2200));
    let error = service.clock.run(run).unwrap_err();
    assert_eq!((error.reason, error.attempts), (GiveUp::OutOfTime, 2));
    assert_eq!(service.clock.now(), ms(1200));
}

#[test]
fn a_result_in_time_counts() {
    let service = Service::new(&[Ok(1)]);
    let policy = plain(Strategy::Fixed);
    let run = retry(policy, service.clock.timer(), || service.call()).total_time(ms(100));
    assert_eq!(service.clock.run(run), Ok(1));
    assert_eq!(service.clock.timers_running(), 0);
}

#[test]
fn time_may_end_before_any_error() {
    let clock = VirtualClock::new();
    let run = retry(
        Retry::recommended(),
        clock.timer(),
        pending::<Result<(), Fault>>,
    );
    let error = clock.run(run.total_time(secs(1))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "gave up after 1 attempt: the time was up"
    );
    assert!(error.source().is_none());
    assert_eq!(error.into_last(), None);
}

#[test]
fn a_budget_limits_an_outage() {
    let clock = VirtualClock::new();
    let budget = Budget::percent(5).burst(10);
    let policy = plain(Strategy::Fixed).budget(budget.clone());
    let calls = Cell::new(0);
    let call = || {
        calls.set(calls.get() + 1);
        ready(Err::<(), _>(Broken))
    };
    let runs = (0..1000).map(|_| retry(policy.clone(), clock.timer(), call));
    let result = clock.run(parallel(runs).concurrency(100));
    // The first of a thousand finds it full, so what it puts in is lost.
    assert_eq!(calls.get(), 1000 + 10 + 49);
    assert_eq!(budget.available(), 0);
    let out = |error: &RetryError<_>| error.reason == GiveUp::OutOfBudget;
    assert!(result.failures().any(|(_, error)| out(error)));

    // When all is well again, it fills.
    let fine = || retry(policy.clone(), clock.timer(), || ready(Ok::<_, Fault>(())));
    clock.run(parallel((0..1000).map(|_| fine())));
    assert_eq!(budget.available(), 10);
}

#[test]
fn refused_retries_cost_no_token() {
    let budget = Budget::percent(0).burst(5);
    let clock = VirtualClock::new();
    let policy = plain(Strategy::Fixed).budget(budget.clone());
    let call = || ready(Err::<(), _>(Denied));
    let run = retry(policy.clone(), clock.timer(), call).classify(Classification::of);
    clock.run(run).unwrap_err();
    let run = retry(policy.clone(), clock.timer(), call).should_retry(|_| false);
    clock.run(run).unwrap_err();
    let run = retry(policy.clone(), clock.timer(), call).total_time(ms(10));
    clock.run(run).unwrap_err();
    assert_eq!(budget.available(), 5);
    clock.run(retry(policy, clock.timer(), call)).unwrap_err();
    assert_eq!(budget.available(), 2);
}

#[cfg(feature = "operation")]
#[test]
fn operations_share_the_budget() {
    use abreast::operation::Operation;
    use futures::stream;

    let clock = VirtualClock::new();
    let policy = plain(Strategy::Fixed).budget(Budget::percent(100).burst(1));
    let run = retry(policy.clone(), clock.timer(), || {
        ready(Err::<(), _>(Broken))
    });
    assert_eq!(clock.run(run).unwrap_err().attempts, 2);
    let open = || stream::iter([Err::<&str, _>(Broken)]);
    let operation = Operation::new(open)
        .fallback(open)
        .timer(clock.timer())
        .retry(policy);
    let failure = clock.run(operation).unwrap_err();
    assert_eq!(
        failure.state.model_retry_count, 1,
        "its own first try paid for it"
    );
    assert_eq!(failure.errors().count(), 3);
}

#[test]
fn dropping_drops_attempt_and_timer() {
    let clock = VirtualClock::new();
    let board = Board::new(2);
    let mut tasks = board.tasks();
    let mut run = Driver::new(retry(plain(Strategy::Fixed), clock.timer(), || {
        tasks.next().unwrap()
    }));
    assert!(run.run().is_pending());
    assert_eq!((board.alive(), clock.timers_set()), (1, 0));
    board.end(0, Err("no"));
    assert!(run.run().is_pending());
    assert_eq!((board.alive(), clock.timers_running()), (0, 1));
    assert_eq!((board.polls(0), run.polls), (2, 2));
    drop(run);
    assert_eq!(clock.timers_running(), 0);
}

#[test]
fn instant_failures_yield_to_the_executor() {
    let clock = VirtualClock::new();
    let policy = plain(Strategy::Fixed)
        .attempts(99)
        .max_retries(99)
        .base_delay(Duration::ZERO);
    let mut run = Driver::new(retry(policy, clock.timer(), || ready(Err::<(), _>(Broken))));
    assert_eq!(run.finish().unwrap_err().attempts, 100);
    assert_eq!((run.polls, clock.timers_set()), (100, 0));
}

#[cfg(panic = "unwind")]
#[test]
fn a_panic_passes_through() {
    let clock = VirtualClock::new();
    let calls = Cell::new(0);
    let mut run = Driver::new(retry(Retry::recommended(), clock.timer(), || {
        calls.set(calls.get() + 1);
        async { panic!("it panics") as Result<(), Fault> }
    }));
    for _ in 0..2 {
        assert!(catch_unwind(AssertUnwindSafe(|| run.poll())).is_err());
    }
    assert_eq!(calls.get(), 1);
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn borrowing_tasks_can_be_spawned() {
    async fn get(url: &str) -> Result<usize, Box<dyn Error + Send + Sync>> {
        crate::support::yield_now().await;
        Ok(url.len())
    }
    fn spawned<F>(future: F) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_time()
            .build();
        let runtime = runtime.unwrap();
        runtime.block_on(async { tokio::spawn(future).await.unwrap() })
    }
    let sizes = spawned(async move {
        let urls = ["a", "bc"].map(String::from);
        let policy = Retry::recommended();
        let runs = urls.iter().map(|url| {
            retry(policy.clone(), tokio::time::sleep, move || get(url))
                .total_time(secs(60))
                .on_retry(|failed| eprintln!("{}", failed.error))
        });
        parallel(runs).await.into_successful_results()
    });
    assert_eq!(sizes, [1, 2]);
}

#[test]
fn attempts_start_at_the_rate() {
    let service = Service::new(&[Err(Refused), Ok(1)]);
    let rate = Rate::per_second(1);
    let policy = plain(Strategy::Fixed).base_delay(ms(200)).rate(&rate);
    let task = || {
        retry(policy.clone(), service.clock.timer(), || service.call()).classify(Classification::of)
    };
    let run = parallel([(); 3].map(|()| task()));
    assert!(service.clock.run(run).all_succeeded());
    // The first attempt of each is counted, too. What is tried again is at the end of the line.
    assert_eq!(service.starts(), [0, 1000, 2000, 3000]);
}

#[test]
fn retry_after_holds_all_back() {
    let service = Service::new(&[Err(Limited(5000))]);
    let rate = Rate::per_second(10).burst(10);
    let policy = plain(Strategy::Fixed).attempts(0).max_retries(0);
    let policy = policy.rate(&rate);
    // There is no retry, and others wait all the same.
    let run = retry(policy.clone(), service.clock.timer(), || service.call());
    let error = service.clock.run(run.classify(Classification::of));
    assert_eq!(error.unwrap_err().attempts, 1);
    let run = retry(policy.max_delay(secs(2)), service.clock.timer(), || {
        service.call()
    });
    let _ = service.clock.run(run.classify(Classification::of));
    assert_eq!(service.starts(), [0, 5100]);

    // As long as the other side asks for, up to the longest delay.
    service.clock.run(rate.acquire(1, service.clock.timer()));
    assert_eq!(service.clock.now(), ms(7200));
}

#[test]
fn total_time_ends_waits_for_rates() {
    let service = Service::new(&[Ok(1)]);
    let rate = Rate::per_second(1);
    assert!(rate.try_acquire(1, &service.clock.timer()));
    let policy = Retry::recommended().rate(&rate);
    let run = retry(policy, service.clock.timer(), || service.call()).total_time(ms(300));
    let mut run = Driver::new(run);
    let mut behind = Driver::new(rate.acquire(1, service.clock.timer()));
    assert!(run.run().is_pending() && behind.run().is_pending());
    service.clock.advance(ms(300));
    let error = run.finish().unwrap_err();
    assert_eq!((error.reason, error.attempts), (GiveUp::OutOfTime, 0));

    // Its place in the line is given up, though the future is still there.
    assert!(behind.wakes() > 0 && behind.run().is_pending());
    service.clock.advance(ms(700));
    assert!(behind.run().is_ready());
    assert_eq!(service.clock.timers_running(), 0);
}
