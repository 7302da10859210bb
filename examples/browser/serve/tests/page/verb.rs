//! One verb, with all its settings.

use std::collections::BTreeMap;

use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::Value;

use crate::harness::{Page, Result};

/// The part of the page that this is about.
const VERB: &str = "#mode=verb";

fn counts<const N: usize>(counts: [(&str, usize); N]) -> BTreeMap<String, usize> {
    counts
        .map(|(state, count)| (state.to_owned(), count))
        .into()
}

const QUICK: [(&str, u32); 5] = [
    ("tasks", 12),
    ("concurrency", 4),
    ("duration", 60),
    ("failures", 0),
    ("delay", 20),
];

#[tokio::test]
#[ignore = "needs Chromium"]
async fn every_verb_runs_to_its_end() -> Result {
    let page = Page::open(VERB).await?;
    for (verb, most) in [
        ("parallel", 4),
        ("limited", 4),
        ("rated", 12),
        ("for-each", 4),
        ("stop-on", 4),
        ("deadline", 4),
        ("per-key", 4),
        ("sequential", 1),
        ("batched", 4),
        ("pool", 4),
    ] {
        page.choose(verb, &QUICK).await?;
        page.watch("running").await?;
        page.run(verb, &[]).await?;
        assert_eq!(page.count().await?, counts([("succeeded", 12)]), "{verb}");
        assert_eq!(page.figure("succeeded").await?, 12, "{verb}");
        assert!((1..=most).contains(&page.most().await?), "{verb}");
    }

    page.run("race", &QUICK).await?;
    assert_eq!(
        page.count().await?,
        counts([("dropped", 11), ("winner", 1)])
    );

    page.run("fall-through", &QUICK).await?;
    assert_eq!(
        page.count().await?,
        counts([("unstarted", 11), ("winner", 1)])
    );
    assert_eq!(page.bars().await?[0], "winner");

    // The first takes three seconds at least, and others are started meanwhile.
    page.choose("staggered", &QUICK).await?;
    page.run("staggered", &[("duration", 1000), ("delay", 300)])
        .await?;
    let count = page.count().await?;
    assert_eq!(count["winner"], 1);
    assert!(count["dropped"] > 0 && count["unstarted"] > 0, "{count:?}");
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn each_verb_shows_failures_its_way() -> Result {
    let page = Page::open(VERB).await?;
    page.run("parallel", &QUICK).await?;
    for verb in ["parallel", "batched", "pool"] {
        page.run(verb, &[("failures", 100)]).await?;
        assert_eq!(page.count().await?, counts([("failed", 12)]), "{verb}");
    }
    for verb in ["race", "staggered", "fall-through"] {
        page.run(verb, &[]).await?;
        assert_eq!(page.count().await?, counts([("failed", 12)]), "{verb}");
        assert!(
            page.text("status")
                .await?
                .starts_with("Nobody won: all 12 failed")
        );
    }
    page.run("sequential", &[]).await?;
    assert_eq!(
        page.count().await?,
        counts([("failed", 1), ("unstarted", 11)])
    );

    page.choose("parallel", &[]).await?;
    page.click("label:has(#fail-fast)").await?;
    for verb in ["parallel", "batched"] {
        page.run(verb, &[]).await?;
        let count = page.count().await?;
        // Those that end at the same moment may all have failed.
        assert!((1..4).contains(&count["failed"]), "{verb}: {count:?}");
        assert_eq!(count["failed"] + count["dropped"], 4, "{verb}: {count:?}");
        assert_eq!(count["unstarted"], 8, "{verb}: {count:?}");
    }
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_limit_is_set_while_running() -> Result {
    let page = Page::open(VERB).await?;
    page.choose("limited", &QUICK).await?;
    page.choose("limited", &[("duration", 10_000), ("concurrency", 2)])
        .await?;
    page.click("#run").await?;
    page.wait_for("#rows li:nth-child(2)[data-state=running]")
        .await?;
    assert_eq!(page.figure("active").await?, 2);
    page.set("concurrency", 7).await?;
    page.wait_for("#rows li:nth-child(7)[data-state=running]")
        .await?;
    assert_eq!(page.figure("active").await?, 7);
    page.click("#cancel").await?;
    page.wait_for("body[data-phase=cancelled]").await?;
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_rate_starts_a_burst_first() -> Result {
    let page = Page::open(VERB).await?;
    page.choose("rated", &QUICK).await?;
    let long = [("duration", 10_000), ("concurrency", 3), ("delay", 1000)];
    page.choose("rated", &long).await?;
    page.click("#run").await?;
    page.wait_for("#rows li:nth-child(3)[data-state=running]")
        .await?;
    assert_eq!(page.figure("active").await?, 3);
    page.wait_for("#rows li:nth-child(4)[data-state=running]")
        .await?;
    page.click("#cancel").await?;
    page.wait_for("body[data-phase=cancelled]").await?;
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_stopped_run_keeps_its_results() -> Result {
    let page = Page::open(VERB).await?;
    page.choose("stop-on", &QUICK).await?;
    page.choose("stop-on", &[("duration", 1000), ("concurrency", 2)])
        .await?;
    page.click("#run").await?;
    page.wait_for("#rows li[data-state=succeeded]").await?;
    page.click("#stop").await?;
    page.wait_for("body[data-phase=done]").await?;
    let stopped = page.count().await?;
    assert!(page.text("status").await?.contains("stopped by its signal"));

    page.choose("deadline", &[("duration", 400)]).await?;
    page.set("deadline", 700).await?;
    page.click("#run").await?;
    page.wait_for("body[data-phase=done]").await?;
    let late = page.count().await?;
    let status = page.text("status").await?;
    assert!(status.contains("stopped by its deadline"), "{status}");

    for count in [stopped, late] {
        assert!(count["succeeded"] > 0, "{count:?}");
        // What had been woken by then may have ended, and nothing was started for it.
        assert!((1..=2).contains(&count["dropped"]), "{count:?}");
        assert!(count["unstarted"] > 0, "{count:?}");
    }
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_slow_host_holds_nobody_up() -> Result {
    let page = Page::open(VERB).await?;
    page.run("per-key", &QUICK).await?;
    page.choose("per-key", &[("duration", 400)]).await?;
    page.click("#run").await?;
    // All tasks of the two others have ended, and not all of the slow one have begun.
    let others = "
        return [...document.querySelectorAll('#rows li')]
            .filter((_, index) => index % 3).every(bar => bar.dataset.state == 'succeeded')";
    page.wait_until(others).await?;
    let count = page.count().await?;
    assert!(
        count["running"] <= 2 && count["succeeded"] < 12,
        "{count:?}"
    );
    page.click("#cancel").await?;
    page.wait_for("body[data-phase=cancelled]").await?;
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_race_learns_its_delay() -> Result {
    let page = Page::open(VERB).await?;
    page.choose("hedged", &QUICK).await?;
    // Of this seed, the first seven calls take 316 ms at most, and the last three 564 ms at least: a slow machine does
    // not blur that.
    let calls = [
        ("seed", 9019),
        ("tasks", 20),
        ("concurrency", 1),
        ("duration", 400),
        ("delay", 5000),
    ];
    page.run("hedged", &calls).await?;
    // Until the delay is learned, it is too long for a second task.
    let bars = page.bars().await?;
    assert_eq!(bars[..4], ["winner", "unstarted", "winner", "unstarted"]);
    let count = page.count().await?;
    assert_eq!(count["winner"], 10, "{count:?}");
    assert!(bars[14..].iter().any(|bar| bar == "dropped"), "{bars:?}");

    page.run("quorum", &QUICK).await?;
    let count = page.count().await?;
    assert_eq!(count, counts([("dropped", 10), ("winner", 2)]));
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_limit_finds_the_capacity() -> Result {
    let page = Page::open(VERB).await?;
    page.choose("adaptive", &QUICK).await?;
    page.watch("running").await?;
    page.run("adaptive", &[("tasks", 60), ("concurrency", 3)])
        .await?;
    let count = page.count().await?;
    // It was found by a few tasks that were refused.
    assert_eq!(count["succeeded"] + count["failed"], 60, "{count:?}");
    assert!(count["succeeded"] > 3 * count["failed"], "{count:?}");
    assert_eq!(page.most().await?, 3);
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_budget_ends_retries() -> Result {
    let page = Page::open(VERB).await?;
    page.run("retried", &QUICK).await?;
    assert_eq!(
        page.count().await?,
        counts([("succeeded", 6), ("unstarted", 6)])
    );
    page.run("retried", &[("failures", 100)]).await?;
    assert_eq!(
        page.count().await?,
        counts([("failed", 8), ("unstarted", 4)])
    );
    let status = page.text("status").await?;
    assert!(status.contains("the budget has 0 retries left"), "{status}");
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn every_verb_fails_the_same_tasks() -> Result {
    let page = Page::open(VERB).await?;
    let mut bars = Vec::new();
    for verb in ["parallel", "batched", "pool"] {
        page.choose(verb, &QUICK).await?;
        page.run(verb, &[("failures", 40)]).await?;
        bars.push(page.bars().await?);
    }
    assert!(bars[0].iter().any(|state| state == "failed"));
    assert!(bars.iter().all(|other| *other == bars[0]), "{bars:?}");
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn cancelling_drops_and_starts_no_more() -> Result {
    let page = Page::open(VERB).await?;
    page.choose("parallel", &QUICK).await?;
    let long = [("duration", 10_000), ("delay", 50)];
    for (verb, running) in [
        ("parallel", 4),
        ("race", 12),
        ("staggered", 3),
        ("fall-through", 1),
        ("sequential", 1),
        ("batched", 4),
        ("pool", 4),
    ] {
        page.choose(verb, &long).await?;
        page.click("#run").await?;
        page.wait_for(&format!(
            "#rows li:nth-child({running})[data-state=running]"
        ))
        .await?;
        if verb == "pool" {
            assert_eq!(
                (page.figure("active").await?, page.figure("waiting").await?),
                (4, 8)
            );
        }
        page.click("#cancel").await?;
        page.wait_for("body[data-phase=cancelled]").await?;
        page.picture(&format!("cancelled-{verb}.png")).await?;
        let count = page.count().await?;
        let dropped = count["dropped"];
        // A staggered race has started some more meanwhile.
        assert!(
            dropped == running || verb == "staggered" && dropped > running,
            "{verb}: {count:?}"
        );
        assert_eq!(
            dropped + count.get("unstarted").unwrap_or(&0),
            12,
            "{verb}: {count:?}"
        );
        assert_eq!(page.figure("active").await?, 0, "{verb}");
        assert_eq!(page.figure("dropped").await?, dropped, "{verb}");
    }
    // And nothing is left that would be in the way of another.
    page.run("parallel", &QUICK).await?;
    assert_eq!(page.count().await?, counts([("succeeded", 12)]));
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_keyboard_is_enough() -> Result {
    let page = Page::open(VERB).await?;
    page.choose("parallel", &QUICK).await?;
    let chosen = page
        .client
        .find(Locator::Css("input[name=verb]:checked"))
        .await?;
    chosen.send_keys(&Key::Down.to_string()).await?;
    assert_eq!(page.text("code").await?, "race(tasks).await");

    let duration = page.client.find(Locator::Id("duration")).await?;
    duration.clear().await?;
    duration
        .send_keys(&format!("10000{}", char::from(Key::Enter)))
        .await?;
    page.wait_for("#rows li:nth-child(12)[data-state=running]")
        .await?;
    duration.send_keys(&Key::Escape.to_string()).await?;
    page.wait_for("body[data-phase=cancelled]").await?;
    assert_eq!(page.count().await?, counts([("dropped", 12)]));
    page.close().await
}

/// The call in Rust, and what the settings of the verb are called.
#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_page_shows_the_call() -> Result {
    let page = Page::open(VERB).await?;
    page.choose("batched", &QUICK).await?;
    let call = "batched(items, handler).batch_size(4).pause(Duration::from_millis(20), sleep).settle().await";
    assert_eq!(page.text("code").await?, call);
    assert_eq!(page.text("concurrency-label").await?, "Batch size");
    page.choose("race", &[]).await?;
    assert!(
        !page
            .client
            .find(Locator::Id("concurrency"))
            .await?
            .is_enabled()
            .await?
    );
    // The forecast is there before anything has run: what the virtual clock says.
    assert!(
        page.text("forecast")
            .await?
            .starts_with("virtual clock: 0.0")
    );
    page.close().await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn it_runs_without_errors_when_dark() -> Result {
    for (name, arguments) in [
        ("browser-verb.png", &[][..]),
        ("browser-verb-dark.png", &["--force-dark-mode"]),
    ] {
        let page = Page::open_with(VERB, arguments, None).await?;
        page.note_errors().await?;
        let dark = "return matchMedia('(prefers-color-scheme: dark)').matches";
        let is_dark = page.ask(dark).await?;
        assert_eq!(is_dark, Value::from(name == "browser-verb-dark.png"));
        page.choose("parallel", &[("duration", 1200)]).await?;
        page.click("#run").await?;
        page.wait_for("#rows li:nth-child(17)[data-state=running]")
            .await?;
        page.picture(name).await?;
        page.wait_for("body[data-phase=done]").await?;
        page.assert_no_errors().await?;
        page.close().await?;
    }
    Ok(())
}
