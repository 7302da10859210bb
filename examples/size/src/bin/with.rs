//! Twenty tasks, four at a time.

use std::hint::black_box;

use abreast::parallel;
use abreast_size::{block_on, task};

fn main() {
    let result = block_on(parallel((0..20).map(task)).concurrency(4));
    black_box((result.success_count(), result.failure_count()));
}
