//! An attempt cannot borrow from its closure. The closure may change what it holds, before it returns the attempt.

use abreast::{Retry, retry};

/// As in a runtime.
async fn sleep(_: std::time::Duration) {}

fn main() {
    let mut attempts = 0;
    let _ = retry(Retry::recommended(), sleep, || {
        attempts += 1;
        async { Err::<(), _>("no") }
    });
    let mut attempts = 0;
    let _ = retry(Retry::recommended(), sleep, || async {
        attempts += 1;
        Err::<(), _>("no")
    });
}
