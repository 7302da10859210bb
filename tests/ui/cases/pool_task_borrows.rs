//! A pool outlives the function that submits to it.

use abreast::pool;

fn main() {
    let (pool, _driver) = pool(3);
    let text = String::from("borrowed");
    let _ = pool.execute(async { Ok::<_, ()>(text.len()) });
}
