//! Runs a plan. This is all that the page has to do with how tasks are scheduled: the rest looks on.

use std::rc::Rc;
use std::time::Duration;

use abreast::time::VirtualClock;
use abreast::{
    LocalPool, Outcome, ParallelResult, Progress, RaceError, RaceResult, TaskError, Timer, batched,
    fall_through, local_pool, parallel, race, sequential,
};

use super::board::Board;
use super::plan::{Plan, Verb};
use crate::axis::Seconds;

/// Is told what happens.
pub(crate) trait Watch {
    fn started(&self, index: usize);
    fn ended(&self, index: usize, succeeded: bool);
    /// Its future was dropped while it ran.
    fn dropped(&self, index: usize);
    fn won(&self, index: usize);
    fn progress(&self, progress: Progress);
    /// The tasks are in the queue of this pool.
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
            Err(Failure)
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
struct Failure;

/// Runs `plan`, and says how it ended.
pub(crate) async fn run<M>(plan: Plan, timer: M, watch: Rc<dyn Watch>) -> String
where
    M: Timer + Clone + 'static,
{
    let task = |index| {
        let (watch, timer, fate) = (watch.clone(), timer.clone(), plan.workload.fate(index));
        async move {
            let running = Running::start(watch, index);
            timer.sleep(fate.duration).await;
            running.end(fate.succeeds)
        }
    };
    let tasks = (0..plan.workload.tasks).map(task);
    let progress = |progress| watch.progress(progress);

    match plan.verb {
        Verb::Parallel => {
            let run = parallel(tasks)
                .concurrency(plan.limit)
                .fail_fast(plan.fail_fast);
            of_many(&run.on_progress(progress).await)
        }
        Verb::Race => of_race(race(tasks).await, &*watch),
        Verb::Staggered => of_race(
            race(tasks).stagger(plan.delay, timer.clone()).await,
            &*watch,
        ),
        Verb::FallThrough => of_race(fall_through(tasks).await, &*watch),
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

/// What is going to become of `plan`, and how long it takes: it is run under a clock that need not wait.
pub(crate) fn forecast(plan: &Plan) -> (Rc<Board>, Duration) {
    let clock = VirtualClock::new();
    let time = clock.clone();
    let board = Board::new(plan.workload.tasks, move || {
        time.now().as_secs_f64() * 1000.0
    });
    let board = Rc::new(board);
    clock.run(run(plan.clone(), clock.timer(), board.clone()));
    (board, clock.now())
}

fn of_many(result: &ParallelResult<usize, Failure>) -> String {
    let (succeeded, failed) = (result.success_count(), result.failure_count());
    match result
        .iter()
        .filter(|outcome| matches!(outcome, Outcome::Cancelled))
        .count()
    {
        0 => format!("{succeeded} succeeded, {failed} failed"),
        rest => format!("{succeeded} succeeded, {failed} failed, {rest} cancelled by the failure"),
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
