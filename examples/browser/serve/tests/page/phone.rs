//! The page on the screen of a phone.

use serde_json::json;

use crate::compare::{HALF_WAY, SCENARIOS};
use crate::harness::{Page, Result};

/// What sticks out of the screen at its side, whatever may be scrolled within the page.
const TOO_WIDE: &str = "
    const page = document.documentElement;
    return [page.scrollWidth > page.clientWidth, [...document.querySelectorAll('button, input, label, h2, dd, .slot')]
        .filter(part => part.getClientRects().length && part.getBoundingClientRect().right > innerWidth + 0.5)
        .map(part => part.outerHTML)]";

/// What a thumb is to hit, and is less high than it should be.
const TOO_SMALL: &str = "
    return [...document.querySelectorAll('button, .modes label, .choices label, #more summary, #lane-choice label')]
        .filter(part => part.getClientRects().length && part.getBoundingClientRect().height < 32)
        .map(part => part.outerHTML)";

#[tokio::test]
#[ignore = "needs Chromium"]
async fn nothing_sticks_out_on_phones() -> Result {
    for (width, height) in [(390, 844), (320, 568), (844, 390)] {
        for mode in ["verb", "compare"] {
            let page = Page::open_on_phone(&format!("#mode={mode}"), width, height).await?;
            page.click("#more summary").await?;
            assert_eq!(
                page.ask(TOO_WIDE).await?,
                json!([false, []]),
                "{mode} at {width}"
            );
            assert_eq!(page.ask(TOO_SMALL).await?, json!([]), "{mode} at {width}");
            if mode == "compare" {
                for scenario in SCENARIOS {
                    page.click(&format!("label:has([value={scenario}])"))
                        .await?;
                    let wide = page.ask(TOO_WIDE).await?;
                    assert_eq!(wide, json!([false, []]), "{scenario} at {width}");
                }
            }
            page.close().await?;
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_phone_runs_the_comparison() -> Result {
    let page = Page::open_on_phone("", 390, 844).await?;
    page.note_errors().await?;
    page.click("#run").await?;
    // What runs is brought into view, and its bars are wide and high enough for their numbers.
    page.wait_for("[data-lane=buffered] .bar[data-state=succeeded]")
        .await?;
    let seen = "
        const slot = document.querySelector('[data-lane=buffered] .slot').getBoundingClientRect();
        return [slot.top > 0 && slot.bottom < innerHeight, slot.height >= 16, slot.width >= 280]";
    assert_eq!(page.ask(seen).await?, json!([true, true, true]));
    page.wait_until(HALF_WAY).await?;
    page.picture("browser-phone.png").await?;
    page.wait_for("body[data-phase=done]").await?;

    // The code is there for who asks for it, and scrolls by itself.
    let code = "[data-lane=buffered] pre";
    assert!(!page.wait_for(code).await?.is_displayed().await?);
    page.click("[data-lane=buffered] .lane-code summary")
        .await?;
    assert!(page.wait_for(code).await?.is_displayed().await?);
    assert_eq!(page.ask(TOO_WIDE).await?, json!([false, []]));
    page.assert_no_errors().await?;
    page.close().await
}
