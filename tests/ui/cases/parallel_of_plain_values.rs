//! Tasks that cannot fail go into `join_all`.

use abreast::{batched, parallel, race, sequential};

async fn double(n: u32) -> u32 {
    n * 2
}

fn main() {
    let _ = parallel((0..3).map(double));
    let _ = race([1, 2].map(double));
    let _ = sequential([1, 2].map(double));
    let _ = batched([1, 2], double);
}

async fn awaited() {
    let _ = parallel((0..3).map(|n: u32| async move { n })).await;
}
