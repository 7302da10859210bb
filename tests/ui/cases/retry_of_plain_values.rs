//! What cannot fail needs no retry.

use abreast::{Retry, retry};

/// As in a runtime.
async fn sleep(_: std::time::Duration) {}

async fn awaited() {
    let _ = retry(Retry::recommended(), sleep, || async { 1 }).await;
}

fn main() {
    let _ = retry(Retry::recommended(), sleep, || async { 1 });
    let _ = retry(Retry::recommended(), sleep, || 1);
}
