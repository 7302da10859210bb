//! What there is to see: settings that show it, and what to look for.

use super::lanes::Ends;

pub(super) struct Scenario {
    pub(super) id: &'static str,
    pub(super) look: &'static str,
    pub(super) ends: Ends,
    /// The lanes that it begins with.
    pub(super) lanes: &'static [&'static str],
    /// The settings that it begins with, where they are not those of [`SETTINGS`].
    pub(super) settings: &'static [(&'static str, u32)],
}

pub(super) const SETTINGS: &[(&str, u32)] = &[
    ("tasks", 16),
    ("concurrency", 4),
    ("duration", 400),
    ("spread", 45),
    ("head", 1),
    ("steps", 1),
    ("save", 0),
    ("failures", 0),
    ("delay", 250),
    ("seed", 7),
];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "slow-head",
        look: "Task 0 takes six times as long as the others. buffered and the ordered stream hold finished results in their slots \
               behind it, and chunks wait as a whole; the others refill their slots.",
        ends: Ends::AtLast,
        lanes: &["buffered", "buffer-unordered", "chunks", "parallel", "pool"],
        settings: &[("head", 6)],
    },
    Scenario {
        id: "busy-consumer",
        look: "The program takes its time over each result, and does not poll the stream meanwhile: tasks that could go on stand \
               still, and slots stay empty. A pool is driven all along, and parallel saves in its tasks.",
        ends: Ends::AtLast,
        lanes: &["buffered", "buffer-unordered", "stream", "parallel", "pool"],
        settings: &[("duration", 500), ("steps", 3), ("save", 110)],
    },
    Scenario {
        id: "mixed",
        look: "Some tasks take many times as long as others. A chunk holds all of its slots until its slowest task has ended; a window \
               refills each slot at once.",
        ends: Ends::AtLast,
        lanes: &[
            "buffered",
            "buffer-unordered",
            "chunks",
            "stream",
            "parallel",
        ],
        settings: &[("tasks", 20), ("duration", 500), ("spread", 90)],
    },
    Scenario {
        id: "failure",
        look: "The first failure ends the run, and all that is done after it is in vain. In order, it is seen when all before it have \
               been; in chunks, when its chunk has ended.",
        ends: Ends::AtLast,
        lanes: &[
            "buffered",
            "buffer-unordered",
            "chunks",
            "stream",
            "parallel",
        ],
        settings: &[("spread", 60), ("head", 5), ("failures", 20), ("seed", 30)],
    },
    Scenario {
        id: "race",
        look: "The first success wins. All at once is the fastest and costs the most; a stagger starts another only when those before \
               are slow or have failed. See the polls: select_ok polls every racer at every wake.",
        ends: Ends::AtFirst,
        lanes: &[
            "select-ok",
            "first-of-window",
            "race",
            "stagger",
            "fall-through",
        ],
        settings: &[
            ("tasks", 8),
            ("duration", 800),
            ("spread", 60),
            ("head", 3),
            ("steps", 4),
            ("failures", 40),
            ("seed", 19),
        ],
    },
];
