//! Tuples end at twelve, as those of the standard library do.

use std::future::ready;

use abreast::gather;

fn main() {
    let one = || ready(1);
    let _ = gather((
        one(), one(), one(), one(), one(), one(), one(), one(), one(), one(), one(), one(), one(),
    ));
}
