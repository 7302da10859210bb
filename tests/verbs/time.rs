//! Timeouts and the virtual clock. Needs the feature `test-util`.
#![cfg(feature = "test-util")]

use std::cell::{Cell, RefCell};
use std::future::{pending, ready};
use std::hash::{BuildHasher, RandomState};
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
#[cfg(panic = "unwind")]
use std::pin::{Pin, pin};
#[cfg(panic = "unwind")]
use std::sync::Arc;
use std::task::Poll;
#[cfg(panic = "unwind")]
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use crate::support::{Board, Driver, yield_times};
use abreast::time::VirtualClock;
use abreast::{
    Elapsed, Observer, Progress, TaskTimes, Timer, batched, fall_through, join_all, parallel, race,
    sequential, timeout,
};
use futures::future::FusedFuture;
use futures::{FutureExt, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn a_quick_future_wins() {
    let clock = VirtualClock::new();
    let quick = clock.sleep(secs(4)).map(|()| "done");
    assert_eq!(
        clock.run(timeout(secs(5), clock.timer(), quick)),
        Ok("done")
    );
    assert_eq!(clock.now(), secs(4));
    assert_eq!(clock.timers_running(), 0, "the timer is gone");
}

#[test]
fn a_slow_future_is_dropped_first() {
    let clock = VirtualClock::new();
    let board = Board::new(1);
    let mut run = Driver::new(timeout(secs(5), clock.timer(), board.task(0)));
    assert!(run.run().is_pending());
    clock.advance(secs(4));
    assert_eq!(run.wakes(), 0);
    clock.advance(secs(1));
    assert_eq!(run.wakes(), 1);
    let Poll::Ready(Err(elapsed)) = run.poll() else {
        panic!("the timer has fired")
    };
    assert_eq!(elapsed.duration(), secs(5));
    assert_eq!(elapsed.to_string(), "timed out after 5s");
    assert!(board.is_dropped(0));
    assert!(run.future.is_terminated());
    // At the start, and before the word of the timer is taken.
    assert_eq!(board.polls(0), 2);
}

#[test]
fn ties_go_to_the_future() {
    let clock = VirtualClock::new();
    let just_in_time = clock.sleep(secs(5)).map(|()| 1);
    assert_eq!(
        clock.run(timeout(secs(5), clock.timer(), just_in_time)),
        Ok(1)
    );
}

#[test]
fn time_counts_from_the_first_poll() {
    let clock = VirtualClock::new();
    let never = timeout(secs(5), clock.timer(), pending::<()>());
    clock.advance(secs(100));
    assert!(clock.run(never).is_err());
    assert_eq!(clock.now(), secs(105));
}

#[test]
fn ready_futures_set_no_timer() {
    let clock = VirtualClock::new();
    assert_eq!(clock.run(timeout(secs(5), clock.timer(), ready(1))), Ok(1));
    assert_eq!(clock.timers_set(), 0);
}

#[test]
fn each_poll_polls_future_and_timer() {
    let board = Board::new(2);
    let timer = |_| board.task(1);
    let mut run = Driver::new(timeout(secs(5), timer, board.task(0)));
    for polls in 1..=3 {
        assert!(run.poll().is_pending());
        assert_eq!((board.polls(0), board.polls(1)), (polls, polls));
    }
    // Once the future is ready, the timer is not asked.
    board.end(0, Ok(7));
    assert_eq!(run.poll(), Poll::Ready(Ok(Ok(7))));
    assert_eq!((board.polls(0), board.polls(1)), (4, 3));
}

#[test]
fn an_endless_timer_ends_nothing() {
    let board = Board::new(1);
    let mut run = Driver::new(timeout(Duration::ZERO, |_| pending::<()>(), board.task(0)));
    assert!(run.run().is_pending());
    board.end(0, Ok(7));
    assert_eq!(run.finish(), Ok(Ok(7)));
}

#[test]
fn an_early_timer_is_believed() {
    let mut run = Driver::new(timeout(secs(3600), |_| ready(()), pending::<()>()));
    assert!(run.finish().is_err());
}

#[test]
fn timers_may_resolve_to_anything() {
    let asked = Cell::new(None);
    let timer = |duration| {
        asked.set(Some(duration));
        ready("what it resolves to")
    };
    assert!(
        Driver::new(timeout(secs(3), timer, pending::<()>()))
            .finish()
            .is_err()
    );
    assert_eq!(asked.get(), Some(secs(3)));
}

#[test]
fn a_default_replaces_late_outputs() {
    let clock = VirtualClock::new();
    let late = || clock.sleep(secs(9)).map(|()| "late");
    assert_eq!(
        clock.run(timeout(secs(5), clock.timer(), late()).or("default")),
        "default"
    );
    assert_eq!(
        clock.run(timeout(secs(10), clock.timer(), late()).or("default")),
        "late"
    );
    let run = timeout(secs(5), clock.timer(), ready(1)).or(0);
    assert!(!run.is_terminated());
}

#[test]
fn each_task_has_its_own_timeout() {
    let clock = VirtualClock::new();
    let after = |seconds| {
        let clock = clock.clone();
        async move {
            timeout(secs(5), clock.timer(), clock.sleep(secs(seconds))).await?;
            Ok::<_, Elapsed>(seconds)
        }
    };
    let result = clock.run(parallel([1, 9, 2, 8].map(after)));
    assert_eq!(
        result.results().collect::<Vec<_>>(),
        [Some(&1), None, Some(&2), None]
    );
    assert_eq!(clock.now(), secs(5));
}

#[cfg(panic = "unwind")]
#[test]
fn polling_a_resolved_timeout_panics() {
    let mut run = pin!(timeout(secs(1), |_| pending::<()>(), ready(1)));
    assert!(run.as_mut().now_or_never().is_some());
    let again = catch_unwind(AssertUnwindSafe(|| run.now_or_never()));
    assert!(again.is_err());
}

/// Pending for ever, or ready at once. Its destructor panics.
#[cfg(panic = "unwind")]
struct PanicsOnDrop(Poll<u8>);

#[cfg(panic = "unwind")]
impl Future for PanicsOnDrop {
    type Output = u8;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u8> {
        self.0
    }
}

#[cfg(panic = "unwind")]
impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("the destructor panics");
    }
}

#[cfg(panic = "unwind")]
#[test]
fn panicking_destructors_lose_no_result() {
    fn finish_twice<F: FusedFuture>(future: F) -> F::Output {
        let mut run = Driver::new(future);
        assert!(catch_unwind(AssertUnwindSafe(|| run.poll())).is_err());
        assert!(!run.future.is_terminated(), "a result is yet to come");
        let Poll::Ready(output) = run.poll() else {
            panic!("the result is there")
        };
        assert!(run.future.is_terminated());
        output
    }

    // The future ends, the timer fires, and both orders again with the default.
    let clock = VirtualClock::new();
    let ends = || PanicsOnDrop(Poll::Ready(7));
    let hangs = || PanicsOnDrop(Poll::Pending);
    let fires = |_| ready(());
    assert_eq!(finish_twice(timeout(secs(1), clock.timer(), ends())), Ok(7));
    assert!(finish_twice(timeout(secs(1), fires, hangs())).is_err());
    assert_eq!(finish_twice(timeout(secs(1), fires, ends()).or(3)), 7);
    assert_eq!(finish_twice(timeout(secs(1), fires, hangs()).or(3)), 3);

    // The destructor of the timer's future.
    let timer = |_| PanicsOnDrop(Poll::Ready(0));
    assert!(finish_twice(timeout(secs(1), timer, pending::<()>())).is_err());
}

/// A waker that panics, as one of a foreign executor may.
#[cfg(panic = "unwind")]
struct PanickingWaker;

#[cfg(panic = "unwind")]
impl Wake for PanickingWaker {
    fn wake(self: Arc<Self>) {
        panic!("the waker panics");
    }
}

#[cfg(panic = "unwind")]
#[test]
fn panicking_wakers_hold_no_timer_up() {
    let clock = VirtualClock::new();
    let panicking = Waker::from(Arc::new(PanickingWaker));
    let mut first = pin!(clock.sleep(secs(1)));
    let mut sleeps = [1, 1, 1, 2].map(|seconds| Driver::new(clock.sleep(secs(seconds))));
    for sleep in &mut sleeps {
        assert!(sleep.poll().is_pending());
    }
    let mut last = pin!(clock.sleep(secs(1)));
    for sleep in [first.as_mut(), last.as_mut()] {
        assert!(
            sleep
                .poll(&mut Context::from_waker(&panicking))
                .is_pending()
        );
    }

    assert!(catch_unwind(AssertUnwindSafe(|| clock.advance(secs(5)))).is_err());
    assert_eq!(clock.now(), secs(1), "the clock stands where the panic was");
    assert_eq!(sleeps.each_ref().map(Driver::wakes), [1, 1, 1, 0]);
    clock.advance(secs(1));
    assert_eq!(sleeps[3].wakes(), 1);
}

#[test]
fn timers_fire_by_deadline() {
    let clock = VirtualClock::new();
    let order = std::cell::RefCell::new(Vec::new());
    let sleeper = |seconds| {
        let (clock, order) = (&clock, &order);
        async move {
            clock.sleep(secs(seconds)).await;
            order.borrow_mut().push((seconds, clock.now()));
            Ok::<_, ()>(())
        }
    };
    clock.run(parallel([3, 1, 2, 1].map(sleeper)));
    let order: Vec<_> = order.into_inner();
    assert_eq!(order, [1, 1, 2, 3].map(|seconds| (seconds, secs(seconds))));
}

#[test]
fn time_stands_still_during_work() {
    let clock = VirtualClock::new();
    clock.run(async {
        let alarm = clock.sleep(secs(1));
        yield_times(1000).await;
        assert_eq!(clock.now(), Duration::ZERO);
        alarm.await;
        assert_eq!(clock.now(), secs(1));
    });
}

#[test]
#[should_panic(expected = "the future would wait for ever")]
fn a_deadlock_panics() {
    let clock = VirtualClock::new();
    clock.run(async {
        clock.sleep(secs(1)).await;
        pending::<()>().await;
    });
}

#[test]
fn time_ends_with_a_deadline() {
    let clock = VirtualClock::new();
    clock.run(clock.sleep(Duration::MAX));
    assert_eq!(clock.now(), Duration::MAX);
    clock.run(clock.sleep(secs(1)));
}

#[test]
fn borrowed_timers_are_timers() {
    /// Waits twice, by a timer of an unknown type.
    async fn twice<M: Timer>(timer: &M) -> Option<Duration> {
        let never = || timeout(secs(1), timer.by_ref(), pending::<()>());
        assert!(never().await.is_err() && never().await.is_err());
        timer.by_ref().now()
    }

    let clock = VirtualClock::new();
    let timer = clock.timer();
    assert_eq!(clock.run(twice(&timer)), Some(secs(2)));
    assert!(
        clock
            .run(timeout(secs(1), &timer, pending::<()>()))
            .is_err()
    );
    assert_eq!(clock.now(), secs(3));
    let sleep = |duration| clock.sleep(duration);
    assert_eq!(clock.run(twice(&sleep)), None);
    assert_eq!(clock.now(), secs(5));
    // `&VirtualTimer` has an implementation of its own.
    fn now(timer: impl Timer) -> Option<Duration> {
        timer.now()
    }
    assert_eq!((now(&timer), now(timer)), (Some(secs(5)), Some(secs(5))));
}

#[test]
fn clocks_are_send_and_sync() {
    fn check<T: Send + Sync>(value: T) -> T {
        value
    }
    let clock = check(VirtualClock::new());
    check(clock.timer());
    drop(check(clock.sleep(secs(1))));
    drop(check(timeout(secs(1), clock.timer(), ready(1))));
    drop(check(timeout(secs(1), clock.timer(), ready(1)).or(1)));
}

/// A timer that borrows and whose type is hidden: what waits by it can still be spawned.
#[test]
fn waits_by_borrowed_timers_are_send() {
    use abreast::{batched, gather, race, task_group};

    struct Client(VirtualClock);
    impl Client {
        fn timer(&self) -> impl Timer<Sleep: Send> + Copy + Send + Sync {
            |duration| self.0.sleep(duration)
        }

        async fn get(&self, id: u64) -> Result<u64, Elapsed> {
            let sleep = self.0.sleep(secs(id));
            timeout(secs(5), self.timer(), sleep).await.map(|()| id)
        }
    }

    fn spawn<F: Future + Send + 'static>(clock: &VirtualClock, future: F) -> F::Output {
        clock.run(future)
    }

    let clock = VirtualClock::new();
    let client = Client(clock.clone());
    let sum = spawn(&clock, async move {
        let ids = [1, 2];
        let timer = client.timer();
        let (a, b) = gather((
            timeout(secs(9), timer, client.get(1)).or(Ok(0)),
            client.get(1),
        ))
        .await;
        let batches = batched(&ids, |id| client.get(*id)).pause(secs(1), timer);
        let batches: u64 = batches.await.unwrap().iter().sum();
        let winner = race(ids.iter().map(|id| client.get(*id))).stagger(secs(1), timer);
        let winner = winner.await.unwrap().value;
        let group = task_group(async |group| {
            let handles = ids.map(|id| group.spawn(client.get(id)));
            Ok::<_, Elapsed>(gather(handles).await.iter().sum::<u64>())
        });
        a.unwrap() + b.unwrap() + batches + winner + group.await.unwrap()
    });
    assert_eq!(sum, 1 + 1 + 3 + 1 + 3);
}

#[test]
fn progress_has_rate_and_eta() {
    let (clock, seen) = (&VirtualClock::new(), RefCell::new(Vec::new()));
    let tasks = [1, 3, 2].map(|seconds| async move {
        clock.sleep(secs(seconds)).await;
        Ok::<_, ()>(())
    });
    let run = parallel(tasks).concurrency(1).on_progress(|progress| {
        let progress = progress.after(clock.now());
        seen.borrow_mut().push((progress.rate(), progress.eta()));
    });
    clock.run(run);
    assert_eq!(
        seen.into_inner(),
        [
            (Some(1.0), Some(secs(2))),
            (Some(0.5), Some(secs(2))),
            (Some(0.5), Some(secs(0))),
        ]
    );
}

#[test]
fn unknown_progress_has_no_eta() {
    let second = secs(1);
    assert_eq!(Progress::new(1, None).after(second).eta(), None);
    assert_eq!(Progress::new(0, Some(4)).after(second).eta(), None);
    assert_eq!(Progress::new(0, Some(4)).after(second).rate(), Some(0.0));
    assert_eq!(Progress::new(1, Some(4)).after(Duration::ZERO).rate(), None);
    assert_eq!(Progress::new(1, Some(4)).rate(), None);
    assert_eq!(Progress::new(1, Some(4)).eta(), None);
    let late = Progress::new(1, Some(usize::MAX)).after(Duration::MAX);
    assert_eq!(late.eta(), Some(Duration::from_nanos(u64::MAX)));
}

#[test]
fn progress_is_equal_by_its_counts() {
    let progress = Progress::new(1, Some(2));
    let state = RandomState::new();
    assert_eq!(progress.after(secs(1)), progress);
    assert_eq!(
        state.hash_one(progress.after(secs(1))),
        state.hash_one(progress)
    );
    for (completed, total) in [(2, Some(2)), (1, Some(3)), (1, None)] {
        let other = Progress::new(completed, total);
        assert_ne!(other, progress);
        assert_ne!(state.hash_one(other), state.hash_one(progress));
    }
}

#[test]
fn every_run_knows_its_time() {
    let seen = Cell::new(0);
    let note = |progress: Progress| {
        assert!(progress.elapsed().is_some());
        seen.set(seen.get() + 1);
    };
    let tasks = || [ready(Ok::<_, ()>(1))];
    let clock = VirtualClock::new();
    clock.run(parallel(tasks()).on_progress(note));
    clock.run(parallel(tasks()).on_progress(note).into_stream().count());
    clock.run(
        parallel(tasks())
            .on_progress(note)
            .for_each(async |_, _| ()),
    );
    clock.run(sequential(tasks()).on_progress(note)).unwrap();
    clock
        .run(batched([1], |n| ready(Ok::<_, ()>(n))).on_progress(note))
        .unwrap();
    clock.run(join_all(tasks()).on_progress(note));
    assert_eq!(seen.get(), 6);
}

#[test]
fn waits_and_runs_use_the_timer() {
    let (clock, plan) = (
        &VirtualClock::new(),
        [(1, false), (4, true), (2, false), (9, false), (9, false)],
    );
    let tasks = plan.map(|(seconds, fails)| async move {
        clock.sleep(secs(seconds)).await;
        if fails { Err("no") } else { Ok(()) }
    });
    clock.advance(secs(10));
    let mut times = TaskTimes::new(clock.timer());
    let result = clock.run(
        parallel(tasks)
            .concurrency(2)
            .fail_fast(true)
            .observe(&mut times),
    );
    assert_eq!(result.cancelled_count(), 2);
    let seen = |index| {
        times
            .get(index)
            .map(|time| (time.queue_time, time.run_time))
    };
    assert_eq!(seen(0), Some((secs(0), Some(secs(1)))));
    assert_eq!(seen(1), Some((secs(0), Some(secs(4)))));
    assert_eq!(seen(2), Some((secs(1), Some(secs(2)))));
    assert_eq!(seen(3), Some((secs(3), None)));
    assert_eq!(seen(4), None);
}

#[test]
fn cancelled_tasks_have_no_run_time() {
    let (clock, mut times) = (VirtualClock::new(), TaskTimes::new(|_| ready(())));
    let run = parallel([pending::<Result<(), ()>>()]).observe(&mut times);
    assert!(clock.run(timeout(secs(1), clock.timer(), run)).is_err());
    assert_eq!(times.get(0).unwrap().run_time, None);
    // Another run is measured anew.
    clock.run(parallel([ready(Ok::<_, ()>(()))]).observe(&mut times));
    assert!(times.get(0).unwrap().run_time.is_some());
}

/// Returns the queue and run times of three tasks, in seconds.
fn seconds<M: Timer>(times: &TaskTimes<M>) -> [Option<(u64, Option<u64>)>; 3] {
    [0, 1, 2].map(|index| {
        let time = times.get(index)?;
        Some((
            time.queue_time.as_secs(),
            time.run_time.map(|time| time.as_secs()),
        ))
    })
}

#[test]
fn every_verb_measures_its_tasks() {
    let clock = &VirtualClock::new();
    let work = |plan: (u64, Result<u64, &'static str>)| async move {
        clock.sleep(secs(plan.0)).await;
        plan.1
    };
    let plans = [(4, Err("no")), (5, Ok(5)), (3, Ok(3))];
    let tasks = || plans.map(work);
    let mut times = TaskTimes::new(clock.timer());
    clock.advance(secs(10));

    // The losers are dropped, so they have no run time.
    clock.run(race(tasks()).observe(&mut times)).unwrap();
    assert_eq!(
        seconds(&times),
        [Some((0, None)), Some((0, None)), Some((0, Some(3)))]
    );
    clock
        .run(fall_through(tasks()).observe(&mut times))
        .unwrap();
    assert_eq!(
        seconds(&times),
        [Some((0, Some(4))), Some((4, Some(5))), None]
    );
    let staggered = race(tasks()).stagger(secs(2), clock.timer());
    clock.run(staggered.observe(&mut times)).unwrap();
    // The second starts after two seconds, and the third when the first has failed, and both end at
    // once: the one in front wins.
    assert_eq!(
        seconds(&times),
        [Some((0, Some(4))), Some((2, Some(5))), Some((4, None))]
    );
    clock
        .run(race(tasks()).observe(&mut times).quorum(2))
        .unwrap();
    assert_eq!(
        seconds(&times),
        [Some((0, Some(4))), Some((0, Some(5))), Some((0, Some(3)))]
    );

    clock
        .run(sequential(tasks()).observe(&mut times))
        .unwrap_err();
    assert_eq!(seconds(&times), [Some((0, Some(4))), None, None]);
    let settled = batched(plans, work).batch_size(2).settle();
    clock.run(settled.observe(&mut times));
    assert_eq!(
        seconds(&times),
        [Some((0, Some(4))), Some((0, Some(5))), Some((5, Some(3)))]
    );
    clock.run(join_all(tasks()).concurrency(2).observe(&mut times));
    assert_eq!(
        seconds(&times),
        [Some((0, Some(4))), Some((0, Some(5))), Some((4, Some(3)))]
    );
}

#[test]
fn races_begin_once_and_end_with_a_winner() {
    #[derive(Default)]
    struct Log(Vec<String>);

    impl Observer<u8, &str> for &mut Log {
        fn on_begin(&mut self) {
            self.0.push("begin".to_owned());
        }
        fn on_start(&mut self, index: usize) {
            self.0.push(format!("{index} starts"));
        }
        fn on_complete(&mut self, value: &u8, index: usize) {
            self.0.push(format!("{index}: {value}"));
        }
        fn on_error(&mut self, error: &&str, index: usize) {
            self.0.push(format!("{index}: {error}"));
        }
        fn on_progress(&mut self, _: Progress) {
            unreachable!("a race has no progress");
        }
    }

    let clock = VirtualClock::new();
    let mut log = Log::default();
    let tasks = || [Err("no"), Ok(1), Ok(2)].map(ready);
    clock.run(race(tasks()).observe(&mut log)).unwrap();
    assert_eq!(log.0, ["begin", "0 starts", "0: no", "1 starts", "1: 1"]);
    log.0.clear();
    clock
        .run(race(tasks()).observe(&mut log).quorum(2))
        .unwrap();
    assert_eq!(
        log.0,
        [
            "begin", "0 starts", "0: no", "1 starts", "1: 1", "2 starts", "2: 2"
        ]
    );
    log.0.clear();
    let none = tasks().into_iter().take(0);
    clock.run(fall_through(none).observe(&mut log)).unwrap_err();
    assert_eq!(log.0, ["begin"]);
}
