//! Runs a plan. This is all that the page has to do with how tasks are scheduled: the rest looks on.

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use abreast::limit::Feedback;
use abreast::retry::Strategy;
use abreast::time::VirtualClock;
use abreast::{
    Hedge, Limit, LocalPool, ParallelResult, Progress, RaceError, RaceResult, Rate, Retry,
    TaskError, Timer, batched, fall_through, local_pool, parallel, parallel_map, race, retry,
    sequential,
};
use futures::future::pending;

use super::board::Board;
use super::plan::{MANY, PER_HOST, Plan, QUORUM, Verb, host};
use crate::axis::Seconds;

/// Watches what happens.
pub(crate) trait Watch {
    fn started(&self, index: usize);
    fn ended(&self, index: usize, succeeded: bool);
    /// Its future was dropped while it ran.
    fn dropped(&self, index: usize);
    fn won(&self, index: usize);
    fn progress(&self, progress: Progress);
    /// Says that the tasks are in the queue of this pool.
    fn queued(&self, pool: &LocalPool);
}

/// A task that runs, and whose end is either told of or a drop.
struct Running {
    watch: Rc<dyn Watch>,
    index: usize,
    ended: bool,
}

impl Running {
    fn start(watch: Rc<dyn Watch>, index: usize) -> Self {
        watch.started(index);
        Self {
            watch,
            index,
            ended: false,
        }
    }

    fn end(mut self, succeeds: bool) -> Result<usize, Failure> {
        self.ended = true;
        self.watch.ended(self.index, succeeds);
        if succeeds {
            Ok(self.index)
        } else {
            Err(Failure::Failed)
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            self.watch.dropped(self.index);
        }
    }
}

#[derive(Debug)]
enum Failure {
    Failed,
    /// The service has no room for it.
    Refused,
}

/// Runs `plan`, and says how it ended. Meanwhile a limit may be set, and `stop` may become ready.
pub(crate) async fn run<M>(
    plan: Plan,
    limit: Limit,
    stop: impl Future,
    timer: M,
    watch: Rc<dyn Watch>,
) -> String
where
    M: Timer + Clone + 'static,
{
    let task = |index| {
        let (watch, timer, fate) = (watch.clone(), timer.clone(), plan.fate(index));
        async move {
            let running = Running::start(watch, index);
            timer.sleep(fate.duration).await;
            running.end(fate.succeeds)
        }
    };
    let tasks = (0..plan.workload.tasks).map(task);
    // The two tasks of each call, where calls have two.
    let pairs = (0..plan.workload.tasks / 2).map(|call| 2 * call..2 * call + 2);
    let progress = |progress| watch.progress(progress);

    match plan.verb {
        Verb::Parallel => {
            let run = parallel(tasks)
                .concurrency(plan.limit)
                .fail_fast(plan.fail_fast);
            of_many(&run.on_progress(progress).await)
        }
        Verb::Limited => {
            let run = parallel(tasks).concurrency(MANY).limit(&limit);
            of_many(&run.on_progress(progress).await)
        }
        Verb::Adaptive => {
            let adaptive = Limit::aimd().initial(1);
            // The service refuses tasks above its capacity, and those fail at once.
            let tasks = (0..plan.workload.tasks).map(async |index| {
                if adaptive.limit().in_use() > plan.limit {
                    Running::start(watch.clone(), index)
                        .end(false)
                        .map_err(|_| Failure::Refused)
                } else {
                    task(index).await
                }
            });
            let run = parallel(tasks).concurrency(MANY).on_progress(progress);
            let run = run.adaptive(&adaptive, timer.clone(), |result| match result {
                Ok(_) => Feedback::Fine,
                Err(Failure::Refused) => Feedback::Overload,
                Err(Failure::Failed) => Feedback::Ignored,
            });
            let sentence = of_many(&run.await);
            format!(
                "{sentence}, and the limit is {} now",
                adaptive.limit().get()
            )
        }
        Verb::Rated => {
            let rate = Rate::per(1, plan.interval()).burst(plan.limit as u32);
            let run = parallel(tasks).concurrency(MANY).rate(&rate, timer.clone());
            of_many(&run.on_progress(progress).await)
        }
        Verb::ForEach => {
            let saved = Cell::new(0);
            let save = async |_, _| {
                timer.sleep(plan.delay).await;
                saved.set(saved.get() + 1);
            };
            let run = parallel(tasks).concurrency(plan.limit);
            run.on_progress(progress).for_each(save).await;
            format!("{} consumed, one after another", saved.get())
        }
        Verb::StopOn => {
            let run = parallel(tasks).concurrency(plan.limit);
            of_many(&run.on_progress(progress).stop_on(stop).await)
        }
        Verb::Deadline => {
            let run = parallel(tasks).concurrency(plan.limit);
            let run = run.on_progress(progress);
            of_many(&run.deadline(plan.deadline, timer.clone()).await)
        }
        Verb::PerKey => {
            let run = parallel_map(0..plan.workload.tasks, task)
                .concurrency(plan.limit)
                .per_key(PER_HOST, |&index| host(index));
            of_many(&run.on_progress(progress).await)
        }
        Verb::Race => of_race(race(tasks).await, &*watch),
        Verb::Staggered => of_race(
            race(tasks).stagger(plan.delay, timer.clone()).await,
            &*watch,
        ),
        Verb::Hedged => {
            let hedge = Hedge::quantile(0.75).initial(plan.delay);
            let calls = pairs.map(async |pair: Range<usize>| {
                let replicas = pair.clone().map(task);
                let won = race(replicas).stagger(&hedge, timer.clone()).await?;
                watch.won(pair.start + won.winner_index);
                Ok::<_, RaceError<Failure>>(won.value)
            });
            let sentence = of_many(&parallel(calls).concurrency(plan.limit).await);
            let delay = hedge.delay().unwrap_or_default().as_millis();
            format!("{sentence}, and the delay is {delay} ms now")
        }
        Verb::Quorum => match race(tasks).quorum(QUORUM).await {
            Ok(winners) => {
                for winner in &winners {
                    watch.won(winner.winner_index);
                }
                let winners = winners.iter().map(|winner| winner.winner_index.to_string());
                format!("Tasks {} won", winners.collect::<Vec<_>>().join(" and "))
            }
            Err(error) => format!("No quorum: {} failed", error.failures.len()),
        },
        Verb::FallThrough => of_race(fall_through(tasks).await, &*watch),
        Verb::Retried => {
            let budget = Plan::budget();
            let policy = Retry::recommended().attempts(1).strategy(Strategy::Fixed);
            let policy = policy.base_delay(plan.delay).budget(budget.clone());
            let calls = pairs.map(|mut attempts| {
                retry(policy.clone(), timer.clone(), move || {
                    task(attempts.next().expect("there is one retry"))
                })
            });
            let sentence = of_many(&parallel(calls).concurrency(plan.limit).await);
            let retries = budget.available();
            format!("{sentence}, and the budget has {retries} retries left")
        }
        Verb::Sequential => of_all(sequential(tasks).await),
        Verb::Batched => {
            let run = batched(0..plan.workload.tasks, task).batch_size(plan.limit);
            let run = run.pause(plan.delay, timer.clone()).on_progress(progress);
            if plan.fail_fast {
                of_all(run.await)
            } else {
                of_many(&run.settle().await)
            }
        }
        Verb::Pool => {
            let (pool, mut driver) = local_pool(plan.limit);
            watch.queued(&pool);
            for task in tasks {
                // The handle of an operation may be dropped: it runs on.
                if let Err(error) = pool.execute(task) {
                    return format!("Not accepted: {error}.");
                }
            }
            driver.run_until(pool.drain()).await;
            let stats = pool.stats();
            let (succeeded, failed) = (stats.total_succeeded, stats.total_failed);
            let work = Seconds(stats.total_duration);
            format!(
                "{succeeded} succeeded, {failed} failed: {work} of work, and the pool is drained"
            )
        }
    }
}

/// Returns what is going to become of `plan`, and how long it takes: it is run under a clock that need not wait.
pub(crate) fn forecast(plan: &Plan) -> (Rc<Board>, Duration) {
    let clock = VirtualClock::new();
    let time = clock.clone();
    let board = Board::new(plan.workload.tasks, move || {
        time.now().as_secs_f64() * 1000.0
    });
    let board = Rc::new(board);
    let limit = Limit::new(plan.limit);
    let never = pending::<()>();
    clock.run(run(
        plan.clone(),
        limit,
        never,
        clock.timer(),
        board.clone(),
    ));
    (board, clock.now())
}

fn of_many<E>(result: &ParallelResult<usize, E>) -> String {
    let (succeeded, failed) = (result.success_count(), result.failure_count());
    match (result.cancelled_count(), result.end_reason()) {
        (0, _) => format!("{succeeded} succeeded, {failed} failed"),
        (rest, reason) => {
            format!("{succeeded} succeeded, {failed} failed, {rest} cancelled: {reason}")
        }
    }
}

fn of_all(result: Result<Vec<usize>, TaskError<Failure>>) -> String {
    match result {
        Ok(values) => format!("All {} succeeded", values.len()),
        Err(TaskError::Failed { index, .. }) => {
            format!("Task {index} failed, and that ended the run")
        }
        Err(_) => "Cancelled".into(),
    }
}

fn of_race(result: Result<RaceResult<usize>, RaceError<Failure>>, watch: &dyn Watch) -> String {
    match result {
        Ok(winner) => {
            watch.won(winner.winner_index);
            format!("Task {} won", winner.winner_index)
        }
        Err(RaceError::AllFailed(failures)) => format!("Nobody won: all {} failed", failures.len()),
        Err(_) => "Nobody won".into(),
    }
}
