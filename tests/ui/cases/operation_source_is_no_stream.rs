//! A source opens a stream of results.

use abreast::operation::Operation;
use futures::stream;

fn main() {
    let _ = Operation::new(|| stream::iter(["Hello"]));
}
