//! A job is a future, not a value, a closure or a function that makes one.

use abreast::{local_pool, pool};

async fn fetch() -> Result<u32, String> {
    Ok(1)
}

fn main() {
    let (pool, _driver) = pool(3);
    let _ = pool.execute(1);
    let _ = pool.execute(Ok::<_, String>(1));
    let _ = pool.execute(|| async { Ok::<_, String>(1) });
    let _ = pool.execute(fetch);
    let _ = pool.execute_when_room(fetch);
    let (pool, _driver) = local_pool(3);
    let _ = pool.execute(fetch);
}
