//! Tokens are text; for anything else there is `Operation::chunks`.

use abreast::operation::Operation;
use futures::stream;

fn main() {
    let _ = Operation::new(|| stream::iter([Ok::<u32, String>(4)]));
}
