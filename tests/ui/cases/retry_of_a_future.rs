//! What is tried again is made anew each time: a closure makes it.

use abreast::{Retry, retry};

async fn fetch() -> Result<u32, String> {
    Ok(1)
}

/// As in a runtime.
async fn sleep(_: std::time::Duration) {}

fn main() {
    let _ = retry(Retry::recommended(), sleep, fetch());
    let _ = retry(Retry::recommended(), sleep, async { fetch().await });
}
