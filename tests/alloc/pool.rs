//! Allocations, counted.

use crate::counting::allocations;
use crate::support::{Driver as Loop, yield_now};
use abreast::{Pool, local_pool, pool};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn two_allocations_for_each_operation() {
    const COUNT: usize = 1000;

    // Whether the pool is idle before each operation,
    let (ping, driver) = pool(8);
    let mut driver = Loop::new(driver);
    let mut one = |pool: &abreast::Pool| {
        let mut handle = std::pin::pin!(
            pool.execute(async {
                yield_now().await;
                Ok::<_, ()>([0_u8; 100])
            })
            .unwrap()
        );
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(handle.as_mut().poll(&mut cx).is_pending());
        assert!(driver.run().is_pending());
        assert!(handle.as_mut().poll(&mut cx).is_ready());
    };
    one(&ping);
    let count = allocations(|| (0..COUNT).for_each(|_| one(&ping)));
    assert_eq!(count, 2 * COUNT);

    // ... or has a queue,
    let (crowd, driver) = pool(8);
    let mut driver = Loop::new(driver);
    let mut handles = Vec::with_capacity(COUNT);
    let mut round = || {
        let task = || async {
            yield_now().await;
            Ok::<_, ()>(5)
        };
        handles.extend((0..COUNT).map(|_| crowd.execute(task()).unwrap()));
        assert!(driver.run().is_pending());
        handles.clear();
    };
    round();
    assert_eq!(allocations(&mut round), 2 * COUNT);

    // ... or is of tasks that stay,
    let (local, driver) = local_pool(8);
    let mut driver = Loop::new(driver);
    let mut one = || {
        drop(local.execute(async { Ok::<_, ()>(5) }));
        assert!(driver.run().is_pending());
    };
    one();
    assert_eq!(allocations(|| (0..COUNT).for_each(|_| one())), 2 * COUNT);

    // ... or has a capacity, as long as there is room.
    let (bounded, driver) = Pool::builder().queue_capacity(4).build();
    let mut driver = Loop::new(driver);
    let mut one = || {
        drop(bounded.execute(async { Ok::<_, ()>(5) }));
        assert!(driver.run().is_pending());
    };
    one();
    assert_eq!(allocations(|| (0..COUNT).for_each(|_| one())), 2 * COUNT);

    // Figures and cancellations cost none, nor do clones.
    let handle = ping
        .execute(std::future::pending::<Result<(), ()>>())
        .unwrap();
    let count = allocations(|| {
        drop(ping.clone());
        assert_eq!(ping.stats().queue_length, 1);
        handle.cancel();
    });
    assert_eq!(count, 0);
}
