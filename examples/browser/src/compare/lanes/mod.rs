//! The programs: one function a lane. What the page shows of each is its body, as it is compiled.
//!
//! Another lane is another function in `ours.rs` or `peers.rs` and another row of [`LANES`].

mod ours;
mod peers;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use futures::future::LocalBoxFuture;

/// A future that waits, as the browser or a virtual clock has it.
pub(super) type Sleep = dyn Fn(Duration) -> LocalBoxFuture<'static, ()>;

type Task = LocalBoxFuture<'static, Result<usize, Failure>>;

/// What a program is made of: every lane gets the same.
pub(super) struct Program {
    pub(super) tasks: Box<dyn Iterator<Item = Task>>,
    /// The limit.
    pub(super) n: usize,
    /// What the loop does with each value.
    pub(super) save: Box<dyn Fn(usize) -> LocalBoxFuture<'static, Result<(), Failure>>>,
    pub(super) delay: Duration,
    pub(super) sleep: Box<Sleep>,
}

/// Why a task, or all of them, had no result.
#[derive(Debug)]
pub(super) struct Failure(pub(super) String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Failure {}

pub(super) type Outcome = Result<(), Box<dyn Error>>;

/// When a program ends, if nothing fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// With the last success.
    AtLast,
    /// With the first success.
    AtFirst,
}

pub(super) struct Lane {
    /// Its name in a link, and in the table of a scenario.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// What it is, in a few words.
    pub(super) about: &'static str,
    pub(super) library: &'static str,
    /// The name of the function, and the file that it is in.
    source: (&'static str, &'static str),
    pub(super) run: fn(Program) -> LocalBoxFuture<'static, Outcome>,
    pub(super) ends: Ends,
    /// Whether at most `n` tasks run at once.
    pub(super) is_bounded: bool,
    pub(super) saves_in_tasks: bool,
}

impl Lane {
    /// Returns the body of the function.
    pub(super) fn code(&self) -> String {
        let (name, file) = self.source;
        let (_, function) = file
            .split_once(&format!("async fn {name}("))
            .expect("the file has such a function");
        let (_, body) = function
            .split_once("-> Outcome {\n")
            .expect("it has a body");
        let (body, _) = body.split_once("\n}\n").expect("which ends");
        let lines = body
            .lines()
            .map(|line| line.strip_prefix("    ").unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// A row of the table, with what most of them have in common.
macro_rules! lane {
    ($library:ident :: $function:ident, $id:literal, $title:literal, $about:literal $(, $field:ident: $value:expr)*) => {
        Lane {
            $($field: $value,)*
            ..Lane {
                id: $id,
                title: $title,
                about: $about,
                library: $library::NAME,
                source: (stringify!($function), $library::SOURCE),
                run: |program| Box::pin($library::$function(program)),
                ends: Ends::AtLast,
                is_bounded: true,
                saves_in_tasks: false,
            }
        }
    };
}

/// All lanes, in the order in which they are shown.
pub(super) const LANES: &[Lane] = &[
    lane!(peers::buffered, "buffered", "buffered", "in order"),
    lane!(
        peers::buffer_unordered,
        "buffer-unordered",
        "buffer_unordered",
        "as they finish"
    ),
    lane!(
        peers::chunks,
        "chunks",
        "join_all in chunks",
        "a chunk at a time"
    ),
    lane!(ours::parallel_run, "parallel", "parallel", "saves in its tasks", saves_in_tasks: true),
    lane!(ours::into_stream, "stream", "into_stream", "as they finish"),
    lane!(
        ours::into_ordered_stream,
        "ordered-stream",
        "into_ordered_stream",
        "in order"
    ),
    lane!(ours::pool, "pool", "local_pool", "in order, driven aside"),
    lane!(peers::select_all_ok, "select-ok", "select_ok", "all at once", ends: Ends::AtFirst, is_bounded: false),
    lane!(peers::first_of_window, "first-of-window", "buffer_unordered", "until one succeeds", ends: Ends::AtFirst),
    lane!(ours::race_all, "race", "race", "all at once", ends: Ends::AtFirst, is_bounded: false),
    lane!(ours::staggered_race, "stagger", "race, staggered", "one after each delay", ends: Ends::AtFirst, is_bounded: false),
    lane!(ours::fall_through_all, "fall-through", "fall_through", "next when one fails", ends: Ends::AtFirst, is_bounded: false),
];
