//! A timeout waits, so the timer comes first: in an operation, and in a pool of them.

use std::time::Duration;

use abreast::operation::{Operation, Timeout, create_pool};
use futures::stream;

fn main() {
    let timeout = Timeout::initial_token(Duration::from_secs(10));
    let tokens = || stream::iter([Ok::<_, String>("Hello")]);
    let _ = Operation::new(tokens).timeout(timeout);
    let _ = create_pool(3).shared_timeout(timeout);
}
