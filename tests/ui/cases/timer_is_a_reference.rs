//! A timer that is passed on by reference, where its type is not known.

use std::time::Duration;

use abreast::{Timer, timeout};

async fn within_a_second<M: Timer>(timer: &M) {
    let _ = timeout(Duration::from_secs(1), timer, async { 1 }).await;
}

fn main() {
    let _ = within_a_second(&|_| async {});
}
