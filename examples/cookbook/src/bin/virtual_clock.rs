//! Tests on a virtual clock: what takes hours passes at once, and every instant is exact.

use std::time::Duration;

use abreast::time::VirtualClock;
use abreast::{Timer, timeout};

/// Asks until the answer is yes, less and less often, and returns how many times it asked.
async fn wait_until(timer: impl Timer, mut is_ready: impl FnMut() -> bool) -> u32 {
    let mut asked = 1;
    let mut delay = Duration::from_secs(1);
    while !is_ready() {
        timer.sleep(delay).await;
        asked += 1;
        delay = Duration::from_secs(3600).min(delay * 2);
    }
    asked
}

fn main() {
    // For a day, in no time.
    let clock = VirtualClock::new();
    let day = Duration::from_secs(24 * 3600);
    let asked = clock.run(wait_until(clock.timer(), || clock.now() >= day));
    println!("asked {asked} times, in {:?}", clock.now());

    // As a test would. Nothing really waits, so nothing depends on the machine.
    let clock = VirtualClock::new();
    let never = wait_until(clock.timer(), || false);
    assert!(clock.run(timeout(7 * day, clock.timer(), never)).is_err());
    assert_eq!(clock.now(), 7 * day);
}
