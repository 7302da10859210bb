//! The closure is called again, so it must not give away what it holds: each attempt has a clone, or borrows.

use abreast::{Retry, retry};

async fn send(text: String) -> Result<(), String> {
    Err(text)
}

/// As in a runtime.
async fn sleep(_: std::time::Duration) {}

fn main() {
    let text = String::from("hello");
    let _ = retry(Retry::recommended(), sleep, move || send(text));
    let text = String::from("hello");
    let _ = retry(Retry::recommended(), sleep, move || async move { send(text).await });
}
