//! The workers of a pool may be on any thread.

use std::rc::Rc;

use abreast::pool;

fn main() {
    let (pool, _driver) = pool(3);
    let shared = Rc::new(1);
    let _ = pool.execute(async move {
        futures::future::ready(()).await;
        Ok::<_, ()>(*shared)
    });
}
