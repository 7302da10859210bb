//! `try_gather` looks for errors; without any, it is `gather`.

use std::future::ready;

use abreast::try_gather;

fn main() {
    let _ = try_gather((ready(1), ready("two")));
}
