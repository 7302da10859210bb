//! What runs its own tasks: dropped, none of them is left.

use std::future::{Future, ready};
use std::sync::Mutex;
use std::time::Duration;

use abreast::operation::Operation;
use abreast::{
    batched, fall_through, gather, join_all, paginate, parallel, parallel_stream, race, sequential,
    task_group, timeout, try_gather,
};
use futures::future::FutureExt;
use futures::stream::{self, BoxStream, StreamExt};

use crate::support::{Driver, Tally};
use crate::{Row, TASKS, Tasks, WINDOW, end_first};

/// Drops a future after each number of polls.
fn future<F: Future>(name: &'static str, fails: bool, make: impl Fn(&Tasks) -> F) -> Row {
    let mut row = Row::new(name);
    for polls in 0.. {
        let (tasks, tally) = (Tasks::of(TASKS), Tally::default());
        let mut run = Driver::new(make(&tasks));
        for poll in 0..polls {
            if poll > 0 {
                end_first(&tasks, &tally, fails);
            }
            if run.run().is_ready() {
                drop(run);
                assert_eq!(tally.made(), tally.dropped(), "{name}");
                return row;
            }
        }
        let started = (0..TASKS).filter(|&index| tasks.polls(index) > 0).count();
        drop(run);
        row.add(started, tasks.alive(), tally.made());
        assert_eq!(tasks.created(), tasks.dropped(), "{name}: drops");
        assert_eq!(tally.made(), tally.dropped(), "{name}: results");
    }
    unreachable!("it resolves")
}

/// Drops a stream after each number of items; before that, the `next()` of each poll is dropped if it is pending.
fn stream(name: &'static str, make: impl Fn(&Tasks) -> BoxStream<'static, ()>) -> Row {
    let mut row = Row::new(name);
    for polls in 0.. {
        let (tasks, tally) = (Tasks::of(TASKS), Tally::default());
        let mut run = make(&tasks);
        let mut taken = 0;
        for poll in 0..polls {
            if poll > 0 {
                end_first(&tasks, &tally, false);
            }
            // What is there is taken by one call each, and the last one is dropped.
            while let Some(next) = run.next().now_or_never() {
                if next.is_none() {
                    assert_eq!(
                        taken, TASKS,
                        "{name}: a dropped `next()` has lost something"
                    );
                    return row;
                }
                taken += 1;
            }
        }
        let started = (0..TASKS).filter(|&index| tasks.polls(index) > 0).count();
        drop(run);
        row.add(started, tasks.alive(), tally.made() - taken);
        assert_eq!(tally.made(), tally.dropped(), "{name}: results");
    }
    unreachable!("it ends")
}

/// Drops the handles of a group, after each number of polls of the group.
fn handles(name: &'static str) -> Row {
    let mut row = Row::new(name);
    for polls in 0.. {
        let (tasks, tally) = (Tasks::of(TASKS), Tally::default());
        let taken_out = Mutex::new(Vec::new());
        let list: Vec<_> = tasks.tasks().collect();
        let group = task_group(|group| {
            let taken_out = &taken_out;
            async move {
                let handles = list.into_iter().map(|task| group.spawn(task));
                *taken_out.lock().unwrap() = handles.collect();
                Ok(())
            }
        });
        let mut group = Driver::new(group.concurrency(WINDOW));
        let mut is_over = false;
        for poll in 0..polls {
            if poll > 0 {
                end_first(&tasks, &tally, false);
            }
            is_over = group.run().is_ready();
        }
        let started = (0..TASKS).filter(|&index| tasks.polls(index) > 0).count();
        taken_out.lock().unwrap().clear();
        if is_over {
            return row;
        }
        let running =
            (0..TASKS).filter(|&index| tasks.polls(index) > 0 && !tasks.is_dropped(index));
        row.add(started, running.count(), tally.made());
        assert_eq!(tally.made(), tally.dropped(), "{name}: results");

        // The group goes on without them.
        while group.run().is_pending() {
            end_first(&tasks, &tally, false);
        }
        assert_eq!(tally.made(), TASKS, "{name}: a task was not run");
    }
    unreachable!("it resolves")
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        future("`parallel`", false, |tasks| {
            parallel(tasks.tasks()).concurrency(WINDOW)
        }),
        future("`parallel_stream`", false, |tasks| {
            parallel_stream(stream::iter(tasks.tasks())).concurrency(WINDOW)
        }),
        stream("`into_stream`", |tasks| {
            let run = parallel(tasks.tasks()).concurrency(WINDOW);
            run.into_stream().map(drop).boxed()
        }),
        stream("`into_ordered_stream`", |tasks| {
            let run = parallel(tasks.tasks()).concurrency(WINDOW);
            run.into_ordered_stream().map(drop).boxed()
        }),
        stream("`paginate`", |tasks| {
            let tasks = tasks.clone();
            // Pages of one item each, and then an empty one.
            let fetch = move |_, offset: usize| {
                let task = (offset < TASKS).then(|| tasks.task(offset));
                async move {
                    match task {
                        Some(task) => task.await.map(|item| vec![item]),
                        None => Ok(Vec::new()),
                    }
                }
            };
            Box::pin(paginate(fetch).limit(1).map(drop))
        }),
        future("`sequential`", false, |tasks| sequential(tasks.tasks())),
        future("`batched`", false, |tasks| {
            let tasks = tasks.clone();
            batched(0..TASKS, move |index| tasks.task(index)).batch_size(WINDOW)
        }),
        future("`batched(..).settle()`", false, |tasks| {
            let tasks = tasks.clone();
            let run = batched(0..TASKS, move |index| tasks.task(index));
            run.batch_size(WINDOW).settle()
        }),
        future("`race`", true, |tasks| race(tasks.tasks())),
        future("`race(..).stagger(..)`", true, |tasks| {
            race(tasks.tasks()).stagger(Duration::ZERO, |_| ready(()))
        }),
        future("`fall_through`", true, |tasks| fall_through(tasks.tasks())),
        future("`join_all`", false, |tasks| {
            join_all(tasks.tasks()).concurrency(WINDOW)
        }),
        future("`gather`", false, |tasks| {
            gather([0, 1, 2, 3, 4, 5].map(|index| tasks.task(index)))
        }),
        future("`try_gather`", false, |tasks| {
            try_gather([0, 1, 2, 3, 4, 5].map(|index| tasks.task(index)))
        }),
        future("`task_group`", false, |tasks| {
            let tasks: Vec<_> = tasks.tasks().collect();
            let group = task_group(|group| async move {
                let handles: Vec<_> = tasks.into_iter().map(|task| group.spawn(task)).collect();
                Ok(join_all(handles).await)
            });
            group.concurrency(WINDOW)
        }),
        handles("all `TaskHandle`s"),
        future("`Operation`", false, |tasks| {
            let tasks = tasks.clone();
            Operation::new(move || {
                let tasks = tasks.clone();
                let tokens = stream::iter(0..TASKS).then(move |index| tasks.task(index));
                tokens.map(|result| result.map(|_| "token").map_err(|_| "refused"))
            })
        }),
        future("`timeout` of `sequential`", false, |tasks| {
            let never = |_| std::future::pending::<()>();
            timeout(Duration::ZERO, never, sequential(tasks.tasks()))
        }),
    ]
}
