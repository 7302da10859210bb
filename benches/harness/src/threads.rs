//! Tasks that are woken from other threads.
//!
//! Each thread has a queue of tasks that wait for it. It takes all that are there, wakes them one after another, and
//! looks again. What is measured is the traffic between cores: that of these queues is the same for all libraries, that
//! of the wakers is not.

use std::future::{Future, poll_fn};
use std::hint::spin_loop;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// How many threads there can be.
const THREADS: usize = 16;

/// A task that waits.
struct Waiting {
    /// Shared with the task: set before it is woken.
    woken: Arc<AtomicBool>,
    waker: Waker,
}

/// The tasks that wait for each thread.
static WAITING: [Mutex<Vec<Waiting>>; THREADS] = [const { Mutex::new(Vec::new()) }; THREADS];

/// Waits until the given thread wakes it.
pub(crate) async fn wait_for_thread(thread: usize) {
    let mut woken: Option<Arc<AtomicBool>> = None;
    poll_fn(|cx| match &woken {
        Some(woken) if woken.load(Ordering::Acquire) => Poll::Ready(()),
        // Polled in vain. The waker of the first poll still stands for this task, in every library that is measured.
        Some(_) => Poll::Pending,
        None => {
            let entry = Waiting {
                woken: Arc::new(AtomicBool::new(false)),
                waker: cx.waker().clone(),
            };
            woken = Some(entry.woken.clone());
            let mut waiting = WAITING[thread]
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            waiting.push(entry);
            Poll::Pending
        }
    })
    .await;
}

/// Wakes what waits for `thread` until the work is done.
fn wake_all(thread: usize, done: &AtomicBool) {
    let mut batch = Vec::new();
    while !done.load(Ordering::Acquire) {
        {
            let mut waiting = WAITING[thread]
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut *waiting, &mut batch);
        }
        if batch.is_empty() {
            // With fewer cores than threads, the one that polls needs this one.
            thread::yield_now();
        }
        for Waiting { woken, waker } in batch.drain(..) {
            woken.store(true, Ordering::Release);
            waker.wake();
        }
    }
}

struct Parked {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.thread.unpark();
        }
    }
}

/// How often the polling thread looks for a wake before it parks.
const SPINS: usize = 200;

/// Polls `future` on this thread until it resolves, while `threads` others wake its tasks.
pub(crate) fn block_on_threads<F: Future>(future: F, threads: usize) -> F::Output {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in 0..threads {
            let done = &done;
            scope.spawn(move || wake_all(thread, done));
        }
        let output = block_on_parked(future);
        done.store(true, Ordering::Release);
        output
    })
}

fn block_on_parked<F: Future>(future: F) -> F::Output {
    let parked = Arc::new(Parked {
        thread: thread::current(),
        woken: AtomicBool::new(true),
    });
    let waker = Waker::from(parked.clone());
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        // A short wait costs less than a call of the kernel, for every library alike.
        let mut spins = 0;
        while !parked.woken.swap(false, Ordering::AcqRel) {
            if spins < SPINS {
                spins += 1;
                spin_loop();
            } else {
                thread::park();
            }
        }
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}
