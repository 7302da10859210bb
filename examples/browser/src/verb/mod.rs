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

use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use web_sys::{Element, HtmlInputElement};

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
    ("seed", 7),
];

/// Shows what the form says, and what is going to become of it.
pub(crate) fn preview() {
    let plan = plan();
    show_plan(&plan);
    Chart::new(Rc::new(Board::new(plan.workload.tasks, || 0.0)), &plan);
}

pub(crate) fn start() -> Run {
    let plan = plan();
    show_plan(&plan);
    let began = now();
    let board = Rc::new(Board::new(plan.workload.tasks, move || now() - began));
    let view = Box::new(Chart::new(board.clone(), &plan));
    let future = async move {
        let sentence = run::run(plan, sleep, board.clone()).await;
        let elapsed = Duration::from_secs_f64(board.now() / 1000.0);
        format!("{sentence}, in {}.", Seconds(elapsed))
    };
    Run {
        future: future.boxed_local(),
        view,
    }
}

/// What the form says.
fn plan() -> Plan {
    let verb = Verb::from_name(&chosen(&by_id("plan"), "verb")).expect("one of them is chosen");
    let setting = |id| number(&by_id(id));
    Plan {
        verb,
        workload: Workload {
            tasks: setting("tasks") as usize,
            duration: Duration::from_millis(setting("duration")),
            spread: 60,
            head: 1,
            failures: setting("failures") as u32,
            seed: setting("seed") as u32,
        },
        limit: setting("concurrency") as usize,
        delay: Duration::from_millis(setting("delay")),
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
