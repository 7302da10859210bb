//! What waits for a pool, and what runs one.

use std::future::Future;
use std::time::Duration;

use abreast::{Driver as PoolDriver, JobHandle, Pool, channel_pool, join_all, pool};
use futures::future::{BoxFuture, FusedFuture, FutureExt};
use futures::stream;

use crate::support::{Counted, Driver, Tally};
use crate::{Row, TASKS, Tasks, WINDOW, end_first};

type Handle = JobHandle<Counted, Counted>;

/// A pool of three workers with six jobs, and its driver.
struct Program {
    tasks: Tasks,
    tally: Tally,
    pool: Pool,
    driver: PoolDriver,
    handles: Vec<Handle>,
}

impl Program {
    /// Creates a pool with all jobs, or one that has none and whose queue is short.
    fn new(has_jobs: bool) -> Self {
        let capacity = if has_jobs { usize::MAX } else { 1 };
        let builder = Pool::builder().worker_count(WINDOW);
        let (pool, driver) = builder.queue_capacity(capacity).build();
        let tasks = Tasks::of(TASKS);
        let jobs = if has_jobs { TASKS } else { 0 };
        let handles = (0..jobs).map(|index| pool.execute(tasks.task(index)));
        Self {
            handles: handles.collect::<Result<_, _>>().expect("it is open"),
            tally: Tally::default(),
            pool,
            driver,
            tasks,
        }
    }

    fn started(&self) -> usize {
        (0..TASKS)
            .filter(|&index| self.tasks.polls(index) > 0)
            .count()
    }

    /// Returns the number of jobs that have been started and not been dropped.
    fn running(&self) -> usize {
        let runs = |index: &usize| self.tasks.polls(*index) > 0 && !self.tasks.is_dropped(*index);
        (0..TASKS).filter(runs).count()
    }

    /// Polls the driver, after a job has ended unless it is the first time.
    fn step(&mut self, poll: usize) {
        if poll > 0 {
            end_first(&self.tasks, &self.tally, false);
        }
        self.drive();
    }

    /// Polls the driver, which has resolved when a shutdown is over.
    fn drive(&mut self) {
        if !self.driver.is_terminated() {
            // Dropped while it is pending, as by a timeout.
            let never = self.driver.run_until(std::future::pending::<()>());
            assert!(never.now_or_never().is_none());
            _ = Driver::new(&mut self.driver).run();
        }
    }

    /// Makes sure that what was left goes on to its end.
    fn finish(mut self, name: &str) {
        for _ in 0..=TASKS {
            end_first(&self.tasks, &self.tally, false);
            self.drive();
        }
        assert_eq!(self.tasks.dropped(), self.tasks.created(), "{name}");
        drop((self.pool, self.driver, self.handles));
        assert_eq!(self.tally.made(), self.tally.dropped(), "{name}: results");
    }
}

/// Drops what waits for a pool, after each number of polls.
fn waiting<F: Future>(
    name: &'static str,
    has_jobs: bool,
    keeps_results: bool,
    make: impl Fn(&mut Program) -> F,
) -> Row {
    let mut row = Row::new(name);
    for polls in 0.. {
        let mut program = Program::new(has_jobs);
        let mut waiting = Driver::new(make(&mut program));
        let mut is_ready = false;
        for poll in 0..polls {
            program.step(poll);
            is_ready = waiting.run().is_ready();
        }
        let (started, made) = (program.started(), program.tally.made());
        drop(waiting);
        if is_ready {
            program.finish(name);
            return row;
        }
        // What was cancelled goes when its worker is polled.
        if polls > 0 {
            program.drive();
        }
        row.add(
            started,
            program.running(),
            if keeps_results { 0 } else { made },
        );
        program.finish(name);
    }
    unreachable!("it resolves")
}

/// Drops what runs jobs, after each number of polls.
fn running(
    name: &'static str,
    make: impl Fn(&Tasks) -> (BoxFuture<'static, ()>, Vec<Handle>),
) -> Row {
    let mut row = Row::new(name);
    for polls in 0..=TASKS {
        let (tasks, tally) = (Tasks::of(TASKS), Tally::default());
        let (future, handles) = make(&tasks);
        let mut driver = Driver::new(future);
        for poll in 0..polls {
            if poll > 0 {
                end_first(&tasks, &tally, false);
            }
            assert!(driver.run().is_pending(), "{name}");
        }
        let started = (0..TASKS).filter(|&index| tasks.polls(index) > 0).count();
        drop(driver);
        // Each handle resolves: to the result of a job that had ended, which is not lost.
        let results = handles.into_iter().map(|handle| {
            let result = handle.now_or_never();
            result
                .unwrap_or_else(|| panic!("{name}: a handle hangs"))
                .ok()
        });
        let kept = results.flatten().count();
        row.add(started, tasks.alive(), tally.made() - kept);
        assert_eq!(tally.made(), tally.dropped(), "{name}: results");
    }
    row
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        waiting("all `JobHandle`s", true, false, |program| {
            join_all(std::mem::take(&mut program.handles))
        }),
        waiting("all `CancelOnDrop`s", true, false, |program| {
            let handles = std::mem::take(&mut program.handles);
            join_all(handles.into_iter().map(JobHandle::cancel_on_drop))
        }),
        waiting("all `ExecuteWhenRoom`s", false, false, |program| {
            let (pool, tasks) = (program.pool.clone(), program.tasks.clone());
            let jobs = (0..TASKS).map(move |index| pool.execute_when_room(tasks.task(index)));
            let accepted = join_all(jobs.collect::<Vec<_>>());
            async {
                let handles = accepted.await.into_iter().collect::<Result<Vec<_>, _>>();
                join_all(handles.expect("it is open")).await
            }
        }),
        waiting("`Feed`", false, true, |program| {
            program.pool.feed(stream::iter(program.tasks.tasks()))
        }),
        waiting("`Drain`", true, true, |program| program.pool.drain()),
        waiting("`Drain::within`", true, true, |program| {
            let never = |_| std::future::pending::<()>();
            program.pool.drain().within(Duration::ZERO, never)
        }),
        waiting("`Shutdown`", true, true, |program| program.pool.shutdown()),
        waiting("`Shutdown::within`", true, true, |program| {
            let never = |_| std::future::pending::<()>();
            program.pool.shutdown().within(Duration::ZERO, never)
        }),
        running("`Driver`", |tasks| {
            let (pool, driver) = pool(WINDOW);
            let handles = (0..TASKS).map(|index| pool.execute(tasks.task(index)));
            let handles = handles.collect::<Result<_, _>>().expect("it is open");
            let driver = driver.map(move |()| drop(pool));
            (driver.boxed(), handles)
        }),
        running("all `Worker`s", |tasks| {
            let (pool, driver) = pool(WINDOW);
            let handles = (0..TASKS).map(|index| pool.execute(tasks.task(index)));
            let handles = handles.collect::<Result<_, _>>().expect("it is open");
            let workers = join_all(driver.into_workers());
            (workers.map(move |_| drop(pool)).boxed(), handles)
        }),
        running("the driver of a `channel_pool`", |tasks| {
            let tasks = tasks.clone();
            let (jobs, driver) = channel_pool(WINDOW, TASKS, move |index: usize| {
                tasks.task(index).map(drop)
            });
            for index in 0..TASKS {
                jobs.try_send(index).expect("there is room");
            }
            (driver.map(move |()| drop(jobs)).boxed(), Vec::new())
        }),
    ]
}
