//! What runs its own tasks: dropped, none of them is left.

use std::cell::Cell;
use std::future::{Future, Pending, pending, ready};
use std::rc::Rc;
use std::sync::Mutex;
use std::time::Duration;

use abreast::limit::Feedback;
use abreast::operation::{Operation, first_token};
use abreast::{
    Limit, Rate, Retry, batched, batched_chunks, fall_through, gather, join_all, paginate,
    parallel, parallel_map, parallel_stream, race, retry, sequential, task_group, timeout,
    try_gather,
};
use futures::future::FutureExt;
use futures::stream::{self, BoxStream, StreamExt};

use crate::support::{self, Counted, Driver, Tally};
use crate::{Row, TASKS, Tasks, WINDOW, end_first};

/// Returns a timer for what does not wait.
fn never(_: Duration) -> Pending<()> {
    pending()
}

type Task = support::Task<Counted, Counted>;

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
fn stream(
    name: &'static str,
    end: impl Fn(&Tasks, &Tally),
    make: impl Fn(&Tasks) -> BoxStream<'static, ()>,
) -> Row {
    let mut row = Row::new(name);
    for polls in 0.. {
        let (tasks, tally) = (Tasks::of(TASKS), Tally::default());
        let mut run = make(&tasks);
        let mut taken = 0;
        for poll in 0..polls {
            if poll > 0 {
                end(&tasks, &tally);
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

/// Ends the task of those that run that has started last.
fn end_last(tasks: &Tasks, tally: &Tally) {
    let runs = |index: &usize| !tasks.is_dropped(*index) && tasks.polls(*index) > 0;
    if let Some(index) = (0..tasks.created()).rev().find(runs) {
        tasks.end(index, Ok(tally.make()));
    }
}

/// Drops a run with a consumer, which has done with a result when it is polled for the second time.
fn consumer<F: Future>(name: &'static str, make: impl Fn(&Tasks, Rc<Cell<usize>>) -> F) -> Row {
    let mut row = Row::new(name);
    for polls in 0.. {
        let (tasks, tally) = (Tasks::of(TASKS), Tally::default());
        let taken = Rc::new(Cell::new(0));
        let mut run = Driver::new(make(&tasks, taken.clone()));
        for poll in 0..polls {
            if poll > 0 {
                end_first(&tasks, &tally, false);
            }
            if run.run().is_ready() {
                assert_eq!((tasks.alive(), taken.get()), (0, TASKS), "{name}");
                return row;
            }
        }
        let started = (0..TASKS).filter(|&index| tasks.polls(index) > 0).count();
        drop(run);
        row.add(started, tasks.alive(), tally.made() - taken.get());
        assert_eq!(tasks.created(), tasks.dropped(), "{name}: drops");
        assert_eq!(tally.made(), tally.dropped(), "{name}: results");
    }
    unreachable!("it resolves")
}

/// Consumes a result.
async fn take(taken: Rc<Cell<usize>>) {
    support::yield_now().await;
    taken.set(taken.get() + 1);
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

fn tuple(tasks: &Tasks) -> (Task, Task, Task, Task, Task, Task) {
    let task = |index| tasks.task(index);
    (task(0), task(1), task(2), task(3), task(4), task(5))
}

pub(crate) fn rows() -> Vec<Row> {
    let in_order = |tasks: &Tasks, tally: &Tally| end_first(tasks, tally, false);
    vec![
        future("`parallel`", false, |tasks| {
            parallel(tasks.tasks()).concurrency(WINDOW)
        }),
        future("`parallel_stream`", false, |tasks| {
            parallel_stream(stream::iter(tasks.tasks())).concurrency(WINDOW)
        }),
        stream("`into_stream`", in_order, |tasks| {
            let run = parallel(tasks.tasks()).concurrency(WINDOW);
            run.into_stream().map(drop).boxed()
        }),
        stream("`into_ordered_stream`", in_order, |tasks| {
            let run = parallel(tasks.tasks()).concurrency(WINDOW);
            run.into_ordered_stream().map(drop).boxed()
        }),
        stream(
            "`into_ordered_stream`, the last task ends first",
            end_last,
            |tasks| {
                let run = parallel(tasks.tasks()).concurrency(WINDOW);
                run.into_ordered_stream().map(drop).boxed()
            },
        ),
        stream("`values`", in_order, |tasks| {
            let run = parallel(tasks.tasks()).concurrency(WINDOW);
            run.into_ordered_stream().values().map(drop).boxed()
        }),
        consumer("`for_each`", |tasks, taken| {
            let run = parallel(tasks.tasks()).concurrency(WINDOW);
            run.for_each(move |_, _| take(taken.clone()))
        }),
        consumer("`for_each`, in input order", |tasks, taken| {
            let run = parallel(tasks.tasks()).concurrency(WINDOW);
            run.for_each(move |_, _| take(taken.clone())).ordered()
        }),
        consumer("`try_for_each`", |tasks, taken| {
            let run = parallel(tasks.tasks()).concurrency(WINDOW);
            run.try_for_each(move |_, _| take(taken.clone()).map(Ok::<_, ()>))
        }),
        future("`parallel(..).limit(..)`", false, |tasks| {
            parallel(tasks.tasks()).limit(&Limit::new(WINDOW))
        }),
        future("`parallel(..).stop_on(..)`", false, |tasks| {
            let run = parallel(tasks.tasks()).concurrency(WINDOW);
            run.stop_on(pending::<()>())
        }),
        future("`parallel(..).deadline(..)`", false, |tasks| {
            let run = parallel(tasks.tasks()).concurrency(WINDOW);
            run.deadline(Duration::from_secs(1), never)
        }),
        future("`parallel(..).adaptive(..)`", false, |tasks| {
            let limit = Limit::vegas().initial(WINDOW);
            parallel(tasks.tasks()).adaptive(&limit, never, Feedback::fine_if_ok)
        }),
        future("`parallel(..).rate(..)`", false, |tasks| {
            let rate = Rate::per_second(1).burst(TASKS as u32);
            let run = parallel(tasks.tasks()).concurrency(WINDOW);
            run.rate(&rate, never)
        }),
        future("`parallel_map`", false, |tasks| {
            let tasks = tasks.clone();
            parallel_map(0..TASKS, move |index| tasks.task(index)).concurrency(WINDOW)
        }),
        future("`parallel_map(..).weigh(..)`", false, |tasks| {
            let tasks = tasks.clone();
            let run = parallel_map(0..TASKS, move |index| tasks.task(index));
            run.weigh(&Limit::new(2 * WINDOW), |_| 2)
        }),
        future("`parallel_map(..).per_key(..)`", false, |tasks| {
            let tasks = tasks.clone();
            let run = parallel_map(0..TASKS, move |index| tasks.task(index));
            run.concurrency(WINDOW).per_key(1, |index| index / 2)
        }),
        stream(
            "`parallel_map(..).per_key(..)` in an ordered stream",
            in_order,
            |tasks| {
                let tasks = tasks.clone();
                let run = parallel_map(0..TASKS, move |index| tasks.task(index));
                let run = run.concurrency(WINDOW).per_key(1, |index| index / 2);
                run.into_ordered_stream().map(drop).boxed()
            },
        ),
        stream("`paginate`", in_order, |tasks| {
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
        future("`batched_chunks`", false, |tasks| {
            let tasks = tasks.clone();
            let run = batched_chunks(0..TASKS, 1, move |chunk| tasks.task(chunk[0]));
            run.batch_size(WINDOW)
        }),
        future("`race`", true, |tasks| race(tasks.tasks())),
        future("`race(..).quorum(..)`", true, |tasks| {
            race(tasks.tasks()).quorum(2)
        }),
        future("`race` of a tuple", true, |tasks| race(tuple(tasks))),
        future("`race(..).stagger(..)`", true, |tasks| {
            race(tasks.tasks()).stagger(Duration::ZERO, |_| ready(()))
        }),
        future("`fall_through`", true, |tasks| fall_through(tasks.tasks())),
        future("`retry`", true, |tasks| {
            let mut tasks = tasks.tasks();
            let policy = Retry::exponential()
                .attempts(TASKS as u32)
                .max_retries(TASKS as u32)
                .base_delay(Duration::ZERO);
            retry(
                policy,
                |_| ready(()),
                move || tasks.next().expect("one of six succeeds"),
            )
        }),
        future("`join_all`", false, |tasks| {
            join_all(tasks.tasks()).concurrency(WINDOW)
        }),
        future("`gather`", false, |tasks| {
            gather([0, 1, 2, 3, 4, 5].map(|index| tasks.task(index)))
        }),
        future("`try_gather`", false, |tasks| {
            try_gather([0, 1, 2, 3, 4, 5].map(|index| tasks.task(index)))
        }),
        future("`gather` of a tuple", false, |tasks| gather(tuple(tasks))),
        future("`try_gather` of a tuple", false, |tasks| {
            try_gather(tuple(tasks))
        }),
        future("all `AcquirePermit`s", false, |tasks| {
            let limit = Limit::new(WINDOW);
            join_all(tasks.tasks().map(move |task| {
                let limit = limit.clone();
                async move {
                    let _permit = limit.acquire().await;
                    task.await
                }
            }))
        }),
        future("all `AcquireMeasured`s", false, |tasks| {
            let limit = Limit::vegas().initial(WINDOW);
            join_all(tasks.tasks().map(move |task| {
                let limit = limit.clone();
                async move {
                    let measured = limit.acquire(never).await;
                    let result = task.await;
                    measured.report(Feedback::Fine);
                    result
                }
            }))
        }),
        future("all `AcquireUnits`", false, |tasks| {
            let rate = Rate::per_second(1).burst(TASKS as u32);
            join_all(tasks.tasks().map(move |task| {
                let rate = rate.clone();
                async move {
                    rate.acquire(1, never).await;
                    task.await
                }
            }))
            .concurrency(WINDOW)
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
        future("`Operation` on `first_token`", false, |tasks| {
            let tokens = |index| {
                let tasks = tasks.clone();
                move || {
                    let tasks = tasks.clone();
                    // The first stream has no token, and the second all of them.
                    let tokens =
                        stream::iter(0..index * TASKS).then(move |index| tasks.task(index));
                    let idle = stream::pending().take(1 - index);
                    let tokens =
                        tokens.map(|result| result.map(|_| "token").map_err(|_| "refused"));
                    tokens.chain(idle)
                }
            };
            Operation::new(first_token([0, 1].map(tokens)))
        }),
        future("`timeout` of `sequential`", false, |tasks| {
            timeout(Duration::ZERO, never, sequential(tasks.tasks()))
        }),
        future("`timeout(..).or(..)` of `sequential`", false, |tasks| {
            let run = timeout(Duration::ZERO, never, sequential(tasks.tasks()));
            run.or(Ok(Vec::new()))
        }),
    ]
}
