//! Twenty tasks, one after the other and without abreast: what of the size is not its own.

use std::hint::black_box;

use abreast_size::{block_on, task};

fn main() {
    let results = block_on(async {
        let mut results = Vec::new();
        for number in 0..20 {
            results.push(task(number).await);
        }
        results
    });
    black_box(results.iter().filter(|result| result.is_ok()).count());
}
