//! Runs the program of a lane, and has its tasks say what happens to them.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Context;
use std::time::Duration;

use abreast::time::{Timer, VirtualClock};
use futures::FutureExt;

use super::lanes::{Failure, Lane, Outcome, Program, Sleep};
use super::plan::Plan;
use super::record::Record;

/// A task that runs, and whose end is either told of or a drop.
struct Running {
    record: Rc<Record>,
    task: usize,
    has_ended: bool,
}

impl Running {
    fn start(record: Rc<Record>, task: usize) -> Self {
        record.started(task);
        Self {
            record,
            task,
            has_ended: false,
        }
    }

    fn end(mut self, succeeds: bool) -> Result<usize, Failure> {
        self.has_ended = true;
        self.record.ended(self.task, succeeds);
        if succeeds {
            Ok(self.task)
        } else {
            Err(Failure(format!("task {} failed", self.task)))
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended {
            self.record.dropped(self.task);
        }
    }
}

/// Runs `plan` in `lane`, and takes down what happens.
pub(super) async fn run(plan: Plan, lane: &Lane, record: Rc<Record>, sleep: Rc<Sleep>) -> Outcome {
    let (count_of_tasks, limit, steps) = (plan.workload.tasks, plan.limit, plan.steps);
    let (save_takes, delay) = (plan.save, plan.delay);
    let tasks = {
        let (record, sleep) = (record.clone(), sleep.clone());
        move |index| {
            let (record, sleep) = (record.clone(), sleep.clone());
            let fate = plan.workload.fate(index);
            let count = record.clone();
            let task = async move {
                let running = Running::start(record.clone(), index);
                for step in 0..steps {
                    let step = step_of(fate.duration, steps, step);
                    record.step_started(index);
                    sleep(step).await;
                    record.step_ended(index);
                }
                running.end(fate.succeeds)
            };
            // Polls are counted, whatever comes of them.
            let mut task = task.boxed_local();
            let counted = poll_fn(move |cx| {
                let waker = count.polled(index, cx.waker());
                task.poll_unpin(&mut Context::from_waker(&waker))
            });
            counted.boxed_local()
        }
    };
    let save = {
        let (record, sleep) = (record.clone(), sleep.clone());
        move |task| {
            let (record, sleep) = (record.clone(), sleep.clone());
            let save = async move {
                record.saving(task);
                if !save_takes.is_zero() {
                    sleep(save_takes).await;
                }
                record.saved(task);
                Ok(())
            };
            save.boxed_local()
        }
    };
    let program = Program {
        tasks: Box::new((0..count_of_tasks).map(tasks)),
        n: limit,
        save: Box::new(save),
        delay,
        sleep: Box::new(move |duration| sleep(duration)),
    };
    let outcome = (lane.run)(program).await;
    record.finish();
    outcome
}

/// Returns a step of a task, in whole milliseconds, as timers have them: the last one makes up for what is left.
fn step_of(duration: Duration, steps: u32, step: u32) -> Duration {
    let upto = |step: u32| duration.as_millis() as u64 * u64::from(step) / u64::from(steps);
    Duration::from_millis(upto(step + 1) - upto(step))
}

/// Returns what is going to happen: the lane is run under a clock that need not wait.
pub(super) fn forecast(plan: &Plan, lane: &Lane) -> Rc<Record> {
    let clock = VirtualClock::new();
    let (time, timer) = (clock.clone(), clock.timer());
    let now = move || time.now().as_secs_f64() * 1000.0;
    let record = Rc::new(Record::new(plan.workload.tasks, lane.saves_in_tasks, now));
    let sleep = move |duration| timer.sleep(duration).boxed_local();
    // How it ends is to be seen in the record.
    let _ = clock.run(run(plan.clone(), lane, record.clone(), Rc::new(sleep)));
    record
}
