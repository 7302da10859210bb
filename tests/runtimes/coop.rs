//! Windows within windows, whose tasks share the poll budget of a tokio task.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use abreast::parallel;
use tokio::sync::Semaphore;

type Task = Pin<Box<dyn Future<Output = Result<(), ()>> + Send>>;

/// Takes ten permits, of which there are enough.
fn leaf(permits: Arc<Semaphore>, polls: Arc<AtomicUsize>) -> Task {
    let mut task = Box::pin(async move {
        for _ in 0..10 {
            permits.acquire().await.unwrap().forget();
        }
        Ok(())
    });
    Box::pin(poll_fn(move |cx| {
        polls.fetch_add(1, Ordering::Relaxed);
        task.as_mut().poll(cx)
    }))
}

/// Windows of `width` tasks, `depth` of them inside each other.
fn nest(depth: u32, width: usize, permits: Arc<Semaphore>, polls: Arc<AtomicUsize>) -> Task {
    if depth == 0 {
        return leaf(permits, polls);
    }
    Box::pin(async move {
        let task = |_| nest(depth - 1, width, permits.clone(), polls.clone());
        let result = parallel((0..width).map(task)).concurrency(width).await;
        assert!(result.all_succeeded());
        Ok(())
    })
}

#[test]
fn nested_windows_share_a_coop_budget() {
    for (depth, width) in [(1, 10_000), (2, 100), (3, 21), (4, 10)] {
        let polls = Arc::new(AtomicUsize::new(0));
        let mut most = 0;
        let mut run = nest(
            depth,
            width,
            Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            polls.clone(),
        );
        let counted = poll_fn(|cx| {
            let before = polls.load(Ordering::Relaxed);
            let polled = run.as_mut().poll(cx);
            most = most.max(polls.load(Ordering::Relaxed) - before);
            polled
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(counted).unwrap();
        // `FuturesUnordered` takes 391 where there is one, and ideal are 2.
        let leaves = width.pow(depth);
        let each = polls.load(Ordering::Relaxed) as f64 / leaves as f64;
        assert!(each <= 12.0, "{each} polls for each of {width}^{depth}");
        // A window of which nothing is left polls one task nevertheless, and one at each depth.
        assert!(most <= 128 + depth as usize, "{most} of {width}^{depth}");
    }
}

#[test]
fn a_heartbeat_beats_beside_nested_windows() {
    // Budgets that multiply with the depth would poll a hundred thousand tasks between two beats.
    fn nest(depth: u32, polls: Arc<AtomicUsize>) -> Task {
        Box::pin(async move {
            if depth > 0 {
                let task = |_| nest(depth - 1, polls.clone());
                let result = parallel((0..30).map(task)).concurrency(30).await;
                assert!(result.all_succeeded());
                return Ok(());
            }
            for _ in 0..3 {
                polls.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
            Ok(())
        })
    }
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = polls.clone();
    let heartbeat = async move {
        let (mut last, mut most) = (0, 0);
        while last < 3 * 30 * 30 * 30 {
            // Not tokio's own, whose wakes come only now and then.
            crate::support::yield_now().await;
            let now = counted.load(Ordering::Relaxed);
            most = most.max(now - last);
            last = now;
        }
        most
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let most = runtime.block_on(async {
        let nested = tokio::spawn(nest(3, polls));
        let heartbeat = tokio::spawn(heartbeat);
        nested.await.unwrap().unwrap();
        heartbeat.await.unwrap()
    });
    // Tokio may poll the run twice between two beats.
    assert!(most <= 2 * (128 + 3), "{most} polls between two beats");
}
