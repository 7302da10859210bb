//! Every future and every stream of the crate, dropped after each poll that it can be dropped after: what had been
//! started, what runs on, and how many results are lost. The table is in `docs/CANCEL.md`, which says how to write it
//! anew. It is written to a file, and so not in a browser.
#![cfg(all(
    feature = "async-channel",
    feature = "operation",
    feature = "std",
    not(target_family = "wasm")
))]

#[path = "../support/mod.rs"]
mod support;

mod pools;
mod verbs;

use std::fmt::Write;

use support::{Board, Counted, Tally};

/// What a program does to the tasks of a future: six of them, of which at most three run at once where there is a
/// window. Before each poll but the first, the longest running task ends.
pub(crate) const TASKS: usize = 6;
pub(crate) const WINDOW: usize = 3;

pub(crate) type Tasks = Board<Counted, Counted>;

/// A future that was dropped, after each number of polls.
#[derive(Default)]
pub(crate) struct Row {
    name: &'static str,
    /// The tasks that had been started.
    started: Vec<usize>,
    /// Those of them that run on.
    running: Vec<usize>,
    /// The results that existed and that nobody can get any more.
    lost: Vec<usize>,
}

impl Row {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    pub(crate) fn add(&mut self, started: usize, running: usize, lost: usize) {
        self.started.push(started);
        self.running.push(running);
        self.lost.push(lost);
    }
}

/// Ends the longest running task. Its result is a value, unless it has to fail for the others to go on.
pub(crate) fn end_first(tasks: &Tasks, tally: &Tally, fails: bool) {
    let running =
        (0..tasks.created()).find(|&index| !tasks.is_dropped(index) && tasks.polls(index) > 0);
    if let Some(index) = running {
        let last = index + 1 == TASKS;
        let result = tally.make();
        tasks.end(
            index,
            if fails && !last {
                Err(result)
            } else {
                Ok(result)
            },
        );
    }
}

#[test]
fn the_table_is_as_it_is() {
    let mut text = String::from(HEAD);
    for row in verbs::rows().into_iter().chain(pools::rows()) {
        let list = |numbers: &[usize]| {
            let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
            if numbers.iter().all(|number| number == &numbers[0]) {
                numbers[0].clone()
            } else {
                numbers.join(" ")
            }
        };
        let (started, running, lost) = (list(&row.started), list(&row.running), list(&row.lost));
        _ = writeln!(text, "| {} | {started} | {running} | {lost} |", row.name);
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/CANCEL.md");
    if std::env::var_os("ABREAST_UPDATE").is_some() {
        std::fs::write(file, &text).expect("it can be written");
    }
    let written = std::fs::read_to_string(file).expect("the page is there");
    assert_eq!(
        written, text,
        "ABREAST_UPDATE=1 cargo test --all-features --test cancel"
    );
}

/// The row of each public future and stream. `None` for what has nothing to run and nothing to lose: the sleep of a
/// clock, what is traced, which goes on and is lost as it is without a span, and `RunUntil`, which is dropped between
/// any two polls of pools.
const ROWS: [(&str, Option<&str>); 46] = [
    ("AcquireMeasured", Some("all `AcquireMeasured`s")),
    ("AcquirePermit", Some("all `AcquirePermit`s")),
    ("AcquireUnits", Some("all `AcquireUnits`")),
    ("Admitted", Some("`parallel(..).limit(..)`")),
    ("Batched", Some("`batched`")),
    ("BatchedSettle", Some("`batched(..).settle()`")),
    ("CancelOnDrop", Some("all `CancelOnDrop`s")),
    ("ChannelDriver", Some("the driver of a `channel_pool`")),
    ("Connection", Some("`Operation`")),
    ("Deadline", Some("`parallel(..).deadline(..)`")),
    ("Drain", Some("`Drain`")),
    ("DrainWithin", Some("`Drain::within`")),
    ("Driver", Some("`Driver`")),
    ("ExecuteWhenRoom", Some("all `ExecuteWhenRoom`s")),
    ("Feed", Some("`Feed`")),
    ("FirstTokenStream", Some("`Operation` on `first_token`")),
    ("ForEach", Some("`for_each`")),
    ("Gated", Some("`parallel(..).rate(..)`")),
    ("GatherList", Some("`gather`")),
    ("GatherTuple", Some("`gather` of a tuple")),
    ("JobHandle", Some("all `JobHandle`s")),
    ("JoinAll", Some("`join_all`")),
    ("MapSource", Some("`parallel_map`")),
    ("MappedSource", Some("`batched`")),
    ("Operation", Some("`Operation`")),
    ("Paginate", Some("`paginate`")),
    ("Parallel", Some("`parallel`")),
    ("ParallelStream", Some("`into_stream`")),
    ("Quorum", Some("`race(..).quorum(..)`")),
    ("Race", Some("`race`")),
    ("RetryFuture", Some("`retry`")),
    ("RunUntil", None),
    ("Sequential", Some("`sequential`")),
    ("Shutdown", Some("`Shutdown`")),
    ("ShutdownWithin", Some("`Shutdown::within`")),
    ("StopOn", Some("`parallel(..).stop_on(..)`")),
    ("TaskGroup", Some("`task_group`")),
    ("TaskHandle", Some("all `TaskHandle`s")),
    ("TimeoutFuture", Some("`timeout` of `sequential`")),
    ("TimeoutOr", Some("`timeout(..).or(..)` of `sequential`")),
    ("Traced", None),
    ("TracedTask", None),
    ("TryForEach", Some("`try_for_each`")),
    ("Values", Some("`values`")),
    ("VirtualSleep", None),
    ("Worker", Some("all `Worker`s")),
];

#[test]
fn nothing_public_is_left_out() {
    let page = include_str!("../../docs/CANCEL.md");
    for (name, row) in ROWS {
        let has_row = row.is_none_or(|row| page.contains(&format!("| {row} |")));
        assert!(has_row, "{name} has no row");
    }
    // `impl<..> core::future::future::Future for abreast::pool::Drain<K>`
    for line in include_str!("../../docs/api.txt").lines() {
        let Some((what, name)) = line.split_once(" for abreast::") else {
            continue;
        };
        if !what.ends_with("::Future") && !what.ends_with("::Stream") {
            continue;
        }
        let name = name.split(['<', ' ']).next().unwrap_or(name);
        let name = name.rsplit("::").next().unwrap_or(name);
        let is_known = ROWS.iter().any(|(known, _)| *known == name);
        assert!(is_known, "{name} has no row in `ROWS`, nor is it said why");
    }
}

const HEAD: &str = "\
# What is left of a future that is dropped

Futures and streams were dropped after no poll, after one, and so on until they resolved: as by a timeout that strikes, a race
that is lost, a task that is aborted. In each case six tasks are there to be run, three at a time where there is a window, and
one of them ends before each poll but the first. The three columns count, after each number of polls, the tasks that
had been started by then, those that run on after the drop, and the results that existed and that nobody can get any more.
One number stands for a row of equal ones.

What is dropped with a future is dropped at once, and each task exactly once. A stream that is kept loses nothing when a
pending `next()` is dropped; only dropping the stream itself does, if it has results that nobody has taken. In a pool, what
waits may be dropped freely: jobs end with their driver or by being cancelled, not with what waits for them. `RunUntil` is
dropped between any two polls of the pools here, and leaves no trace.

`tests/cancel` makes this table. `ABREAST_UPDATE=1 cargo test --all-features --test cancel` writes it anew.

| dropped | started | run on | results lost |
|---|---|---|---|
";
