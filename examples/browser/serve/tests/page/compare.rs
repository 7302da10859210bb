//! One program under several schedulers, side by side.

use std::collections::BTreeMap;

use fantoccini::key::Key;
use serde_json::Value;

use crate::harness::{Page, Result};

pub(crate) const SCENARIOS: [&str; 5] = ["slow-head", "busy-consumer", "mixed", "failure", "race"];

/// Tasks that take a few frames each.
const QUICK: &str = "#mode=compare&scenario=slow-head&tasks=8&duration=80&seed=3\
                     &lane=buffered&lane=buffer-unordered&lane=parallel&lane=pool";

/// When there is something to be seen, in the first scenario.
pub(crate) const HALF_WAY: &str = "
    const done = '[data-lane=parallel] .bar[data-part=work][data-state=succeeded]';
    return document.querySelectorAll(done).length >= 12";

/// As somebody has it who asked for less motion.
const CALM: [&str; 1] = ["--force-prefers-reduced-motion"];

/// What the page says of a lane.
#[derive(Debug)]
struct Lane {
    /// In seconds.
    total: f64,
    /// In percent; not a number if there is no limit.
    idle: f64,
    in_flight: usize,
    polls: usize,
    summary: String,
    /// How many of its bars are of a kind, and in a state.
    bars: BTreeMap<(String, String), usize>,
}

impl Lane {
    fn has(&self, part: &str) -> bool {
        self.bars.keys().any(|(other, _)| other == part)
    }

    /// Returns how many tasks have a bar in this state with the number of the task.
    fn tasks(&self, state: &str) -> usize {
        let key = ("work".to_owned(), state.to_owned());
        self.bars.get(&key).copied().unwrap_or(0)
    }
}

/// The name of a lane, its figures, its summary, and the kind and state of each of its bars.
type Row = (String, Vec<String>, String, Vec<(String, String)>);

/// Returns the lanes by their names: what is outlined, or what has run.
async fn lanes(page: &Page, class: &str) -> Result<BTreeMap<String, Lane>> {
    let script = "
        return [...document.querySelectorAll('.lane')].map(lane => [
            lane.dataset.lane,
            [...lane.querySelectorAll('dd')].map(figure => figure.textContent),
            lane.querySelector('.summary').textContent,
            [...lane.querySelectorAll(`.bars .${arguments[0]}`)]
                .filter(bar => bar.dataset.part !== 'work' || bar.textContent !== '')
                .filter(bar => bar.dataset.part === 'saving' || parseFloat(bar.style.width) > 0)
                .map(bar => [bar.dataset.part, bar.dataset.state]),
        ])";
    let answer = page.client.execute(script, vec![class.into()]).await?;
    let rows: Vec<Row> = serde_json::from_value(answer)?;
    let lanes = rows.into_iter().map(|(name, figures, summary, kinds)| {
        let number = |index: usize| {
            let text: &str = figures[index].trim_end_matches([' ', 's', '%']);
            text.parse().unwrap_or(f64::NAN)
        };
        let mut bars = BTreeMap::new();
        for kind in kinds {
            *bars.entry(kind).or_default() += 1;
        }
        let lane = Lane {
            total: number(0),
            idle: number(1),
            in_flight: number(2) as usize,
            polls: number(3) as usize,
            summary,
            bars,
        };
        (name, lane)
    });
    Ok(lanes.collect())
}

async fn choose(page: &Page, scenario: &str) -> Result {
    page.click(&format!("label:has([value={scenario}])")).await
}

/// Returns where everything is that is outlined, to the last digit.
async fn outlines(page: &Page) -> Result<Value> {
    page.ask(
        "return [...document.querySelectorAll('.lane')].map(lane => [
            lane.dataset.lane,
            [...lane.querySelectorAll('.outline')].map(bar => [bar.dataset.part, bar.dataset.state, bar.style.cssText]),
        ])",
    )
    .await
}

/// The outlines are by a virtual clock, so each figure is exact.
#[tokio::test]
#[ignore = "needs Chromium"]
async fn scenarios_show_what_they_say() -> Result {
    let page = Page::open("").await?;
    choose(&page, "slow-head").await?;
    let slow = lanes(&page, "outline").await?;
    for lane in ["buffered", "chunks"] {
        assert!(slow[lane].has("held"), "{lane}: {slow:?}");
        assert!(slow[lane].total > slow["parallel"].total * 1.3, "{slow:?}");
        assert!(slow[lane].idle > 40.0, "{slow:?}");
    }
    for lane in ["buffer-unordered", "parallel", "pool"] {
        assert_eq!(slow[lane].idle, 0.0, "{lane}: {slow:?}");
    }

    choose(&page, "busy-consumer").await?;
    let busy = lanes(&page, "outline").await?;
    for lane in ["buffered", "buffer-unordered", "stream"] {
        assert!(busy[lane].has("stalled"), "{lane}: {busy:?}");
        assert!(busy[lane].total > busy["pool"].total, "{busy:?}");
    }
    for lane in ["parallel", "pool"] {
        assert!(!busy[lane].has("stalled"), "{lane}: {busy:?}");
        assert_eq!(busy[lane].idle, 0.0, "{lane}: {busy:?}");
    }

    choose(&page, "mixed").await?;
    let mixed = lanes(&page, "outline").await?;
    assert!(mixed["chunks"].idle > 20.0, "{mixed:?}");
    assert_eq!(mixed["parallel"].idle, 0.0, "{mixed:?}");

    choose(&page, "failure").await?;
    let failure = lanes(&page, "outline").await?;
    for lane in ["buffer-unordered", "parallel", "stream"] {
        let lane = &failure[lane];
        assert!(lane.summary.contains("seen at once"), "{lane:?}");
        assert!(lane.tasks("dropped") > 0, "{lane:?}");
        assert!(lane.total < failure["buffered"].total / 2.0, "{failure:?}");
    }

    choose(&page, "race").await?;
    let race = lanes(&page, "outline").await?;
    assert_eq!(race["race"].total, race["select-ok"].total);
    assert!(race["select-ok"].polls > race["race"].polls * 4, "{race:?}");
    assert_eq!(race["fall-through"].in_flight, 1);
    assert!(race["stagger"].total < race["fall-through"].total);
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn runs_are_what_was_outlined() -> Result {
    let page = Page::open("").await?;
    page.note_errors().await?;
    for scenario in SCENARIOS {
        choose(&page, scenario).await?;
        // Long enough for a slow machine to keep the order of the tasks.
        page.set("duration", 300).await?;
        let planned = lanes(&page, "outline").await?;
        page.click("#run").await?;
        page.wait_for("body[data-phase=done]").await?;
        let lanes = lanes(&page, "bar").await?;
        assert_eq!(lanes.len(), 5, "{scenario}");
        for (name, lane) in lanes {
            let planned = &planned[&name];
            let context = format!("{scenario}, {name}: {lane:?}, planned {planned:?}");
            assert!(lane.total >= planned.total - 0.02, "{context}");
            assert!(lane.in_flight <= planned.in_flight.max(4), "{context}");
            if !["failure", "race"].contains(&scenario) {
                assert_eq!(
                    lane.tasks("succeeded"),
                    planned.tasks("succeeded"),
                    "{context}"
                );
            }
            assert_eq!(lane.tasks("running"), 0, "{context}");
        }
    }
    page.assert_no_errors().await?;
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_link_reproduces_the_run() -> Result {
    let page = Page::open("").await?;
    choose(&page, "busy-consumer").await?;
    for (id, value) in [
        ("tasks", 9),
        ("concurrency", 3),
        ("duration", 90),
        ("save", 30),
        ("seed", 41),
    ] {
        page.set(id, value).await?;
    }
    page.click("label:has([name=lane][value=stream])").await?;
    page.click("label:has([name=lane][value=chunks])").await?;
    page.click("#share").await?;
    let address = page.client.current_url().await?;
    let fragment = format!("#{}", address.fragment().ok_or("it has no fragment")?);
    let expected = outlines(&page).await?;
    page.close().await?;

    // Nothing is kept from one browser to the next. Without motion, the run waits to be asked for.
    let page = Page::open_with(&fragment, &CALM, None).await?;
    page.wait_for("body[data-phase=ready]").await?;
    assert!(outlines(&page).await? == expected, "not the same outlines");
    page.click("#run").await?;
    page.wait_for("body[data-phase=done]").await?;
    let lanes = lanes(&page, "bar").await?;
    let names: Vec<_> = lanes.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["buffer-unordered", "buffered", "chunks", "parallel", "pool"]
    );
    for (name, lane) in lanes {
        assert_eq!(lane.tasks("succeeded"), 9, "{name}: {lane:?}");
        assert!(lane.in_flight <= 3, "{name}: {lane:?}");
    }
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn links_start_runs_of_verbs() -> Result {
    let link = "#mode=verb&verb=batched&tasks=6&concurrency=3&duration=40&failures=100&delay=10&seed=5&fail-fast=on";
    let page = Page::open(link).await?;
    page.wait_for("body[data-phase=done]").await?;
    let call =
        "batched(items, handler).batch_size(3).pause(Duration::from_millis(10), sleep).await";
    assert_eq!(page.text("code").await?, call);
    let bars = page.bars().await?;
    assert_eq!(
        bars.iter().filter(|state| *state == "unstarted").count(),
        3,
        "{bars:?}"
    );
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn nonsense_in_a_link_is_harmless() -> Result {
    let link = "#mode=compare&scenario=nobody&tasks=100000&concurrency=0&duration=x&&=&seed";
    let page = Page::open(link).await?;
    page.wait_for("body[data-phase=ready]").await?;
    let setting = |id: &str| format!("return document.getElementById('{id}').value");
    for (id, value) in [("tasks", "60"), ("concurrency", "1"), ("duration", "400")] {
        assert_eq!(page.ask(&setting(id)).await?, value, "{id}");
    }
    page.close().await
}

/// What is shown is what is compiled: the body of the function.
#[tokio::test]
#[ignore = "needs Chromium"]
async fn every_lane_shows_its_code() -> Result {
    let page = Page::open("").await?;
    for scenario in SCENARIOS {
        choose(&page, scenario).await?;
        let code = "return [...document.querySelectorAll('.lane')].map(lane => lane.querySelector('code').textContent)";
        let code: Vec<String> = serde_json::from_value(page.ask(code).await?)?;
        assert_eq!(code.len(), 5, "{scenario}");
        for code in code {
            assert!(code.starts_with("let ") && code.contains("save("), "{code}");
            // Each line is to be seen whole.
            assert!(code.lines().all(|line| line.len() <= 50), "{code}");
        }
    }
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn cancelling_drops_every_lane() -> Result {
    let page = Page::open(&format!("{QUICK}&head=1")).await?;
    page.wait_for("body[data-phase=done]").await?;
    page.set("duration", 5000).await?;
    page.click("#run").await?;
    page.wait_for(".lane:last-child .slot:nth-child(4) .bar[data-state=running]")
        .await?;
    page.press("#duration", &Key::Escape.to_string()).await?;
    page.wait_for("body[data-phase=cancelled]").await?;
    for (name, lane) in lanes(&page, "bar").await? {
        assert_eq!(lane.tasks("dropped"), 4, "{name}: {lane:?}");
        assert_eq!(lane.tasks("running"), 0, "{name}: {lane:?}");
        assert!(
            lane.summary.contains("4 dropped, 4 never started"),
            "{name}: {lane:?}"
        );
    }
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn another_scenario_replaces_the_run() -> Result {
    let page = Page::open("").await?;
    page.note_errors().await?;
    page.click("#run").await?;
    page.wait_for("body[data-phase=running]").await?;
    choose(&page, "mixed").await?;
    page.wait_for("body[data-phase=ready]").await?;
    page.wait_for("#run:not(:disabled)").await?;
    page.click("label:has([name=mode][value=verb])").await?;
    page.wait_for("#rows li:nth-child(24)").await?;
    page.assert_no_errors().await?;
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_keyboard_runs_the_comparison() -> Result {
    let page = Page::open("").await?;
    page.press("[name=scenario]:checked", &Key::Down.to_string())
        .await?;
    assert!(page.text("look").await?.contains("does not poll"));
    page.press("[name=lane][value=stream]", " ").await?;
    assert!(!lanes(&page, "outline").await?.contains_key("stream"));
    page.set("duration", 10).await?;
    page.press("#duration", &Key::Enter.to_string()).await?;
    page.wait_for("body[data-phase=done]").await?;
    assert!(page.text("status").await?.contains("was done after"));
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn who_cannot_see_bars_is_told() -> Result {
    let page = Page::open(QUICK).await?;
    page.wait_for("body[data-phase=ready], body[data-phase=done]")
        .await?;
    let described =
        "return [...document.querySelectorAll('.bars')].map(bars => [bars.role, bars.ariaLabel])";
    let described: Vec<(String, String)> = serde_json::from_value(page.ask(described).await?)?;
    assert_eq!(described.len(), 4);
    for (role, label) in described {
        assert_eq!(role, "img");
        assert!(
            label.contains(", in ") && label.contains("8 of 8 results used"),
            "{label}"
        );
    }
    let unlabelled = "return [...document.querySelectorAll('input')].filter(input => !input.labels.length).length";
    assert_eq!(page.ask(unlabelled).await?, 0);
    page.close().await
}

/// Whoever wants no motion has to ask for a run, and then sees no line move.
#[tokio::test]
#[ignore = "needs Chromium"]
async fn nothing_moves_that_must_not() -> Result {
    let page = Page::open_with(QUICK, &CALM, None).await?;
    page.wait_for("body[data-phase=ready]").await?;
    page.click("#run").await?;
    page.wait_for("body[data-phase=running]").await?;
    let line = "return getComputedStyle(document.querySelector('.now')).display";
    let line = page.ask(line).await?;
    page.wait_for("body[data-phase=done]").await?;
    assert_eq!(line, "none");
    assert_eq!(lanes(&page, "bar").await?["parallel"].tasks("succeeded"), 8);
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_comparison_looks_like_this() -> Result {
    for (name, arguments) in [
        ("browser.png", &[][..]),
        ("browser-dark.png", &["--force-dark-mode"]),
    ] {
        let page = Page::open_with(
            "",
            &[arguments, &["--window-size=1280,1250"]].concat(),
            None,
        )
        .await?;
        page.note_errors().await?;
        page.click("#run").await?;
        page.wait_until(HALF_WAY).await?;
        page.picture(name).await?;
        page.wait_for("body[data-phase=done]").await?;
        page.picture(&format!("done-{name}")).await?;
        for scenario in &SCENARIOS[1..] {
            choose(&page, scenario).await?;
            page.click("#run").await?;
            page.wait_for("body[data-phase=done]").await?;
            page.picture(&format!("{scenario}-{name}")).await?;
        }
        page.assert_no_errors().await?;
        page.close().await?;
    }
    Ok(())
}
