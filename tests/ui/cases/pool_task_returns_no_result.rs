//! A task is a future of a `Result`.

use abreast::pool;

fn main() {
    let (pool, _driver) = pool(3);
    let _ = pool.execute(async { 1 });
}
