//! Retries go by the category of an error.

use std::fmt;

use abreast::operation::Operation;
use futures::stream;

struct MyError;

impl fmt::Display for MyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mine")
    }
}

fn main() {
    let tokens = || stream::iter([Ok("Hello"), Err(MyError)]);
    let _ = Operation::new(tokens).run();
}
