//! A timer is the function that makes sleeps, not what it returns.

use std::time::Duration;

use abreast::timeout;

/// As in a runtime.
async fn sleep(_: Duration) {}

fn main() {
    let limit = Duration::from_secs(1);
    let _ = timeout(limit, sleep(limit), async { 1 });
}
