//! The form and the buttons.

use std::cell::RefCell;
use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{Either, select};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlButtonElement, HtmlFormElement, HtmlInputElement, KeyboardEvent};

use crate::board::Board;
use crate::chart::Chart;
use crate::dom::{by_id, document, now, on, set_attribute};
use crate::plan::{Plan, Verb};
use crate::run::{Seconds, run};
use crate::timer::{next_frame, sleep};

/// What cancels the run that is under way.
type Cancel = Rc<RefCell<Option<oneshot::Sender<()>>>>;

pub(crate) fn open() {
    let cancel = Cancel::default();
    let form: HtmlFormElement = by_id("plan");

    on(&form, "input", {
        let cancel = cancel.clone();
        move |_| {
            if cancel.borrow().is_none() {
                preview();
            }
        }
    });
    on(&form, "submit", {
        let cancel = cancel.clone();
        move |event| {
            event.prevent_default();
            if cancel.borrow().is_none() {
                start(&cancel);
            }
        }
    });
    on(&by_id::<Element>("cancel"), "click", {
        let cancel = cancel.clone();
        move |_| tell(&cancel)
    });
    on(&document(), "keydown", move |event| {
        let event: KeyboardEvent = event.unchecked_into();
        if event.key() == "Escape" {
            tell(&cancel);
        }
    });

    preview();
    by_id::<HtmlButtonElement>("run").set_disabled(false);
}

/// Shows what the form says, and what is going to become of it.
fn preview() {
    let plan = plan();
    show_plan(&plan);
    Chart::new(Rc::new(Board::new(plan.tasks, || 0.0)), &plan);
    set_phase(
        "ready",
        "Ready. The outlines are what the virtual clock says.",
    );
}

/// The run ends itself when it hears of it.
fn tell(cancel: &Cancel) {
    if let Some(cancel) = cancel.take() {
        // If nobody hears it, the run has just ended.
        let _ = cancel.send(());
    }
}

fn start(cancel: &Cancel) {
    let plan = plan();
    show_plan(&plan);
    let began = now();
    let board = Rc::new(Board::new(plan.tasks, move || now() - began));
    let chart = RefCell::new(Chart::new(board.clone(), &plan));
    let (sender, cancelled) = oneshot::channel();
    *cancel.borrow_mut() = Some(sender);

    by_id::<HtmlButtonElement>("run").set_disabled(true);
    by_id::<HtmlButtonElement>("cancel").set_disabled(false);
    set_phase("running", "Running…");

    let run = Box::pin(run(plan, sleep, board.clone()));
    let cancel = cancel.clone();
    spawn_local(async move {
        let ended = select(run, cancelled);
        let outcome = match select(ended, pin!(animate(&chart))).await {
            Either::Left((Either::Left((sentence, _)), _)) => Ok(sentence),
            Either::Left((Either::Right((_, run)), _)) => {
                drop(run);
                Err("Cancelled: the future was dropped, and its tasks with it")
            }
            Either::Right((never, _)) => match never {},
        };
        let elapsed = Duration::from_secs_f64(board.now() / 1000.0);
        cancel.take();
        board.close();
        chart.borrow_mut().finish();
        // A button that is disabled loses the focus, so it goes to where it was.
        let buttons = ["run", "cancel"].map(by_id::<HtmlButtonElement>);
        buttons[0].set_disabled(false);
        if document()
            .active_element()
            .is_some_and(|focused| focused == **buttons[1])
        {
            // There is nothing to be done if it cannot have it.
            let _ = buttons[0].focus();
        }
        buttons[1].set_disabled(true);
        match outcome {
            Ok(sentence) => set_phase("done", &format!("{sentence}, in {}.", Seconds(elapsed))),
            Err(sentence) => set_phase(
                "cancelled",
                &format!("{sentence}, after {}.", Seconds(elapsed)),
            ),
        }
    });
}

/// Shows the chart anew for each frame of the screen.
async fn animate(chart: &RefCell<Chart>) -> Infallible {
    loop {
        next_frame().await;
        chart.borrow_mut().update();
    }
}

/// What the form says.
fn plan() -> Plan {
    let verb = document()
        .query_selector("input[name=verb]:checked")
        .expect("it is a selector")
        .and_then(|input| Verb::from_name(&input.unchecked_into::<HtmlInputElement>().value()))
        .expect("one of them is chosen");
    let fail_fast: HtmlInputElement = by_id("fail-fast");
    Plan {
        verb,
        tasks: number("tasks") as usize,
        limit: number("concurrency") as usize,
        duration: Duration::from_millis(number("duration")),
        failures: number("failures") as u32,
        delay: Duration::from_millis(number("delay")),
        fail_fast: fail_fast.checked(),
        seed: number("seed") as u32,
    }
}

/// The number in an input, within its bounds even while it is being typed.
fn number(id: &str) -> u64 {
    let input: HtmlInputElement = by_id(id);
    let bound = |text: String| text.parse::<f64>().unwrap_or(0.0);
    let number = input.value_as_number();
    let number = if number.is_nan() { 0.0 } else { number };
    number.clamp(bound(input.min()), bound(input.max())) as u64
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

/// Tells readers of the screen, and tests.
fn set_phase(phase: &str, status: &str) {
    by_id::<Element>("status").set_text_content(Some(status));
    if let Some(body) = document().body() {
        set_attribute(&body, "data-phase", phase);
    }
}
