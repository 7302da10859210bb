//! One verb of abreast, with all its settings.
//!
//! | file | what is in it |
//! |---|---|
//! | `plan.rs` | what to run: a verb and its settings |
//! | `run.rs` | runs it, by any timer: all that there is of abreast |
//! | `board.rs` | what became of each task so far |
//! | `chart.rs` | shows that |

mod board;
mod chart;
mod plan;
mod run;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use abreast::Limit;
use futures::FutureExt;
use futures::channel::oneshot;
use web_sys::{Element, HtmlElement, HtmlInputElement};

use crate::axis::Seconds;
use crate::dom::{by_id, now};
use crate::link::{chosen, number};
use crate::page::Run;
use crate::timer::sleep;
use crate::workload::Workload;
use board::Board;
use chart::Chart;
use plan::{Plan, Verb};

/// The settings that the page begins with.
pub(crate) const PRESET: &[(&str, u32)] = &[
    ("tasks", 24),
    ("concurrency", 5),
    ("duration", 600),
    ("failures", 15),
    ("delay", 150),
    ("deadline", 1500),
    ("seed", 7),
];

/// Shows what the form says, and what is going to become of it.
pub(crate) fn preview() {
    let plan = plan();
    show_plan(&plan);
    Chart::new(Rc::new(Board::new(plan.workload.tasks, || 0.0)), &plan);
}

thread_local! {
    /// The limit of the run that was started last.
    static LIMIT: RefCell<Option<Limit>> = const { RefCell::new(None) };
    /// Stops that run.
    static STOP: RefCell<Option<oneshot::Sender<()>>> = const { RefCell::new(None) };
}

pub(crate) fn start() -> Run {
    let plan = plan();
    show_plan(&plan);
    let began = now();
    let board = Rc::new(Board::new(plan.workload.tasks, move || now() - began));
    let view = Box::new(Chart::new(board.clone(), &plan));
    let limit = Limit::new(plan.limit);
    LIMIT.set(Some(limit.clone()));
    let (stop, stopped) = oneshot::channel();
    STOP.set(Some(stop));
    let future = async move {
        let sentence = run::run(plan, limit, stopped, sleep, board.clone()).await;
        let elapsed = Duration::from_secs_f64(board.now() / 1000.0);
        format!("{sentence}, in {}.", Seconds(elapsed))
    };
    Run {
        future: future.boxed_local(),
        view,
    }
}

/// Sets the limit of the run that is under way to what the form says now.
pub(crate) fn change() {
    let permits = number(&by_id("concurrency")) as usize;
    LIMIT.with_borrow(|limit| {
        if let Some(limit) = limit {
            limit.set(permits);
        }
    });
}

/// Stops the run that is under way, if it can be stopped.
pub(crate) fn stop() {
    if let Some(stop) = STOP.take() {
        // If the run does not listen, or has just ended, there is nothing to stop.
        let _ = stop.send(());
    }
}

/// Returns what the form says.
fn plan() -> Plan {
    let verb = Verb::from_name(&chosen(&by_id("plan"), "verb")).expect("one of them is chosen");
    let setting = |id| number(&by_id(id));
    let tasks = setting("tasks") as usize;
    let of_call = if verb.has_pairs() { 2 } else { 1 };
    Plan {
        verb,
        workload: Workload {
            tasks: tasks.next_multiple_of(of_call),
            duration: Duration::from_millis(setting("duration")),
            spread: 60,
            head: 1,
            failures: setting("failures") as u32,
            seed: setting("seed") as u32,
        },
        limit: setting("concurrency") as usize,
        delay: Duration::from_millis(setting("delay")),
        deadline: Duration::from_millis(setting("deadline")),
        fail_fast: by_id::<HtmlInputElement>("fail-fast").checked(),
    }
}

/// Shows the call, and which settings it has.
fn show_plan(plan: &Plan) {
    by_id::<Element>("code").set_text_content(Some(&plan.code()));
    let verb = plan.verb;
    for (id, label, of_verb, otherwise) in [
        (
            "concurrency",
            "concurrency-label",
            verb.limit(),
            "Concurrency",
        ),
        ("delay", "delay-label", verb.delay(), "Delay"),
    ] {
        by_id::<HtmlInputElement>(id).set_disabled(of_verb.is_none());
        by_id::<Element>(label).set_text_content(Some(of_verb.unwrap_or(otherwise)));
    }
    by_id::<HtmlInputElement>("deadline").set_disabled(verb != Verb::Deadline);
    by_id::<HtmlElement>("stop").set_hidden(verb != Verb::StopOn);
    by_id::<HtmlInputElement>("fail-fast").set_disabled(!verb.may_fail_fast());
    let is_pool = verb == Verb::Pool;
    by_id::<Element>("active-label").set_text_content(Some(if is_pool {
        "Active workers"
    } else {
        "Active"
    }));
    by_id::<Element>("waiting-label").set_text_content(Some(if is_pool {
        "In the queue"
    } else {
        "Waiting"
    }));
}
