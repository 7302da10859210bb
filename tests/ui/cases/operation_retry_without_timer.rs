//! Retries have delays, so the timer comes first.

use abreast::operation::{Operation, Retry};
use futures::stream;

fn main() {
    let tokens = || stream::iter([Ok::<_, String>("Hello")]);
    let _ = Operation::new(tokens).retry(Retry::recommended());
}
