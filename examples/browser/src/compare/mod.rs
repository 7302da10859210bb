//! One program under several schedulers, side by side.
//!
//! | file | what is in it |
//! |---|---|
//! | `scenario.rs` | what there is to see, and the settings that show it |
//! | `lanes/` | the programs: what is run, and shown, of `futures` and of abreast |
//! | `plan.rs` | what the form says |
//! | `run.rs` | runs the program of a lane, by any timer |
//! | `record.rs` | what has happened in a lane so far |
//! | `figures.rs` | what that comes to |
//! | `chart.rs` | shows both |

mod chart;
mod figures;
mod lanes;
mod plan;
mod record;
mod run;
mod scenario;

use std::rc::Rc;

use abreast::join_all;
use futures::FutureExt;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement};

use crate::dom::{append, by_id, now, set_attribute};
use crate::link::inputs;
use crate::page::Run;
use crate::timer::sleep;
use chart::Chart;
use figures::seconds;
use lanes::LANES;
use plan::Plan;
use record::Record;
use scenario::{SETTINGS, Scenario};

/// Lists all lanes in the form.
pub(crate) fn list_lanes() {
    let list: Element = by_id("lane-choice");
    for lane in LANES {
        let label = append(&list, "label", "");
        set_attribute(&label, "data-library", lane.library);
        let input: HtmlInputElement = append(&label, "input", "").unchecked_into();
        input.set_type("checkbox");
        input.set_name("lane");
        input.set_value(lane.id);
        append(&label, "span", "").set_text_content(Some(lane.title));
    }
}

/// Chooses the lanes that the scenario begins with.
pub(crate) fn choose_lanes() {
    let scenario = Scenario::chosen();
    for input in inputs(&by_id("plan")).filter(|input| input.name() == "lane") {
        let id = input.value();
        input.set_checked(scenario.lanes.contains(&&*id));
        let lane = LANES.iter().find(|lane| lane.id == id);
        if let (Some(lane), Some(label)) = (lane, input.parent_element()) {
            // Others do something else.
            let label: HtmlElement = label.unchecked_into();
            label.set_hidden(lane.ends != scenario.ends);
        }
    }
}

/// Returns the settings that the scenario begins with.
pub(crate) fn preset() -> Vec<(&'static str, u32)> {
    let mut settings = SETTINGS.to_vec();
    for &(name, value) in Scenario::chosen().settings {
        if let Some(setting) = settings.iter_mut().find(|setting| setting.0 == name) {
            setting.1 = value;
        }
    }
    settings
}

/// Shows what the form says, and what is going to become of it.
pub(crate) fn preview() {
    let plan = plan();
    let mut chart = Chart::new(&plan, |lane| {
        Rc::new(Record::new(
            plan.workload.tasks,
            lane.saves_in_tasks,
            || 0.0,
        ))
    });
    chart.show_forecast();
}

pub(crate) fn start() -> Run {
    let plan = plan();
    let began = now();
    let mut chart = Chart::new(&plan, |lane| {
        let now = move || now() - began;
        Rc::new(Record::new(plan.workload.tasks, lane.saves_in_tasks, now))
    });
    chart.show_forecast();
    // Each lane is polled for its own wakes only.
    let runs = chart.records().map(|(lane, record)| {
        let sleep = Rc::new(|duration| sleep(duration).boxed_local());
        run::run(plan.clone(), lane, record, sleep)
    });
    let runs = join_all(runs.collect::<Vec<_>>());
    let records: Vec<_> = chart.records().collect();
    let future = async move {
        runs.await;
        sentence(&records)
    };
    Run {
        future: future.boxed_local(),
        view: Box::new(chart),
    }
}

/// Says how it ended, for who hears it.
fn sentence(records: &[(&'static lanes::Lane, Rc<Record>)]) -> String {
    let ends = records
        .iter()
        .map(|(lane, record)| (lane, record.end().unwrap_or_default()));
    let first = ends
        .clone()
        .min_by(|(_, one), (_, other)| one.total_cmp(other));
    let last = ends.max_by(|(_, one), (_, other)| one.total_cmp(other));
    match (first, last) {
        (Some((first, soonest)), Some((last, latest))) if records.len() > 1 => format!(
            "{} was done after {}, {} after {}.",
            first.title,
            seconds(soonest),
            last.title,
            seconds(latest),
        ),
        (Some((lane, end)), _) => format!("{} was done after {}.", lane.title, seconds(end)),
        _ => "No lane is chosen.".to_owned(),
    }
}

/// Returns what the form says, and what to look for in it.
fn plan() -> Plan {
    let plan = Plan::of_form();
    by_id::<Element>("look").set_text_content(Some(plan.scenario.look));
    for (id, label) in [("concurrency", "Slots"), ("delay", "Stagger")] {
        by_id::<HtmlInputElement>(id).set_disabled(false);
        by_id::<Element>(&format!("{id}-label")).set_text_content(Some(label));
    }
    plan
}
