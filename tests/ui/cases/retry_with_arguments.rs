//! The closure is called without arguments: the number of the attempt is for hooks.

use abreast::{Retry, retry};

async fn fetch(page: u32) -> Result<u32, String> {
    Ok(page)
}

/// As in a runtime.
async fn sleep(_: std::time::Duration) {}

fn main() {
    let _ = retry(Retry::recommended(), sleep, |attempt| fetch(attempt));
    let _ = retry(Retry::recommended(), sleep, fetch);
}
