//! What to run in each lane.

use std::time::Duration;

use crate::dom::by_id;
use crate::link::{chosen, number};
use crate::workload::Workload;

use super::lanes::{LANES, Lane};
use super::scenario::{SCENARIOS, Scenario};

#[derive(Clone)]
pub(super) struct Plan {
    pub(super) scenario: &'static Scenario,
    pub(super) workload: Workload,
    pub(super) limit: usize,
    /// How many timers a task waits for, one after another.
    pub(super) steps: u32,
    /// How long the loop is busy with each result.
    pub(super) save: Duration,
    /// Between the starts of a staggered race.
    pub(super) delay: Duration,
    pub(super) lanes: Vec<&'static Lane>,
}

impl Plan {
    /// Returns what the form says.
    pub(super) fn of_form() -> Self {
        let setting = |id| number(&by_id(id));
        let millis = |id| Duration::from_millis(setting(id));
        let scenario = Scenario::chosen();
        let is_on = |lane: &&Lane| {
            lane.ends == scenario.ends
                && crate::link::inputs(&by_id("plan")).any(|input| {
                    input.name() == "lane" && input.value() == lane.id && input.checked()
                })
        };
        Self {
            scenario,
            workload: Workload {
                tasks: setting("tasks") as usize,
                duration: millis("duration"),
                spread: setting("spread") as u32,
                head: setting("head") as u32,
                failures: setting("failures") as u32,
                seed: setting("seed") as u32,
            },
            limit: setting("concurrency") as usize,
            steps: setting("steps") as u32,
            save: millis("save"),
            delay: millis("delay"),
            lanes: LANES.iter().filter(is_on).collect(),
        }
    }
}

impl Scenario {
    pub(super) fn chosen() -> &'static Self {
        let id = chosen(&by_id("plan"), "scenario");
        let found = SCENARIOS.iter().find(|scenario| scenario.id == id);
        found.unwrap_or(&SCENARIOS[0])
    }
}
