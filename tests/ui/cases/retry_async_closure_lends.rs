//! An attempt cannot borrow from its closure, which is called again while nobody knows whether it is still there: not as an
//! `async` closure would have it.

use abreast::{Retry, retry};

/// As in a runtime.
async fn sleep(_: std::time::Duration) {}

fn main() {
    let mut attempts = 0;
    let _ = retry(Retry::recommended(), sleep, async || {
        attempts += 1;
        Err::<(), _>("no")
    });
}
