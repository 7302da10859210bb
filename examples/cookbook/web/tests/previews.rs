//! Shows previews on a virtual clock, without a browser.
#![cfg(not(target_family = "wasm"))]

use std::time::Duration;

use abreast::time::VirtualClock;
use futures::stream;
use previews::show_previews;

#[test]
fn shows_in_order_what_came() {
    let clock = VirtualClock::new();
    let addresses = stream::iter(["3", "1", "60", "2"].map(str::to_owned));
    let load = async |seconds: String| {
        clock
            .sleep(Duration::from_secs(seconds.parse().unwrap()))
            .await;
        Some(format!("after {seconds} s"))
    };
    let mut shown = Vec::new();
    clock.run(show_previews(
        addresses,
        clock.timer(),
        load,
        |index, text| {
            shown.push((index, text, clock.now().as_secs()));
        },
    ));

    let after = |seconds: u32| Some(format!("after {seconds} s"));
    let expected = [
        (0, after(3), 3),
        (1, after(1), 3),
        (2, None, 5),
        (3, after(2), 5),
    ];
    assert_eq!(shown, expected);
}
