//! A model of the ready set: every interleaving of wakers on other threads with the owner's passes.
//!
//! Run with `RUSTFLAGS="--cfg abreast_loom" cargo test --release --test loom`.
#![cfg(abreast_loom)]

extern crate alloc;

/// The ready set as it is, on loom's atomics.
#[path = "../src/engine"]
mod engine {
    pub(crate) mod ready;

    pub(crate) mod sync {
        pub(crate) use loom::sync::atomic::{AtomicUsize, Ordering};

        #[derive(Debug)]
        pub(crate) struct AtomicWaker(loom::future::AtomicWaker);

        impl AtomicWaker {
            pub(crate) fn new() -> Self {
                Self(loom::future::AtomicWaker::new())
            }

            pub(crate) fn register(&self, waker: &std::task::Waker) {
                self.0.register_by_ref(waker);
            }

            pub(crate) fn wake(&self) {
                self.0.wake();
            }

            pub(crate) fn take(&self) -> Option<std::task::Waker> {
                self.0.take_waker()
            }
        }
    }
}

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use engine::ready::ReadySet;
use loom::future::block_on;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// The first slots whose bits are not in the root word, and one in another leaf than those.
const FAR: usize = usize::BITS as usize - 3;
const OTHER_LEAF: usize = FAR + usize::BITS as usize;

/// Explores every execution with at most three involuntary switches between threads, which is where bugs are found.
fn model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(f);
}

/// A ready set with slots `0..count`, and their wakers.
fn ready_set(count: usize) -> (ReadySet, Vec<Waker>) {
    let mut ready = ReadySet::new();
    let wakers = (0..count).map(|slot| ready.slot_waker(slot)).collect();
    (ready, wakers)
}

/// Visits what is ready in one pass, and goes to sleep if that was nothing.
fn pass(ready: &mut ReadySet, cx: &Context<'_>, mut visit: impl FnMut(usize)) -> bool {
    let source = ready.begin_pass();
    while let Some(slot) = ready.next_ready() {
        visit(slot);
    }
    if !ready.arm(cx.waker()) {
        cx.waker().wake_by_ref();
    }
    source
}

/// Wakes `slots` from a thread each; the owner must come to see what each thread wrote before its wake.
fn wakes_are_seen(count: usize, slots: &'static [usize]) {
    model(move || {
        let (mut ready, wakers) = ready_set(count);
        let written: Vec<_> = slots
            .iter()
            .map(|_| Arc::new(AtomicUsize::new(0)))
            .collect();
        let threads: Vec<_> = slots
            .iter()
            .zip(&written)
            .map(|(&slot, written)| {
                let (waker, written) = (wakers[slot].clone(), written.clone());
                thread::spawn(move || {
                    written.store(1, Ordering::Relaxed);
                    waker.wake();
                })
            })
            .collect();

        let mut visits = vec![0; slots.len()];
        block_on(poll_fn(|cx| {
            pass(&mut ready, cx, |slot| {
                let thread = slots.iter().position(|&s| s == slot);
                let thread = thread.expect("no slot is visited that was not woken");
                assert_eq!(written[thread].load(Ordering::Relaxed), 1);
                visits[thread] += 1;
            });
            match visits.iter().all(|&visits| visits > 0) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }));
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(visits.iter().all(|&visits| visits == 1), "one visit a wake");
    });
}

#[test]
fn two_near_wakers() {
    wakes_are_seen(2, &[0, 1]);
}

#[test]
fn two_far_wakers_in_one_leaf() {
    wakes_are_seen(FAR + 2, &[FAR, FAR + 1]);
}

#[test]
fn two_far_wakers_in_two_leaves() {
    wakes_are_seen(OTHER_LEAF + 1, &[FAR, OTHER_LEAF]);
}

#[test]
fn a_near_and_a_far_waker() {
    wakes_are_seen(FAR + 1, &[0, FAR]);
}

#[test]
fn two_threads_wake_one_slot() {
    model(|| {
        let (mut ready, wakers) = ready_set(1);
        let written = Arc::new(AtomicUsize::new(0));
        let threads = [(); 2].map(|()| {
            let (waker, written) = (wakers[0].clone(), written.clone());
            thread::spawn(move || {
                written.fetch_add(1, Ordering::Relaxed);
                waker.wake_by_ref();
            })
        });
        // Two wakes may be met by one visit, but it then sees what both threads wrote.
        block_on(poll_fn(|cx| {
            let mut seen = 0;
            pass(&mut ready, cx, |_| seen = written.load(Ordering::Relaxed));
            match seen {
                2 => Poll::Ready(()),
                _ => Poll::Pending,
            }
        }));
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_wake_while_the_slot_is_visited_leads_to_another_visit() {
    for slot in [0, FAR] {
        model(move || {
            let (mut ready, wakers) = ready_set(slot + 1);
            let other = {
                let waker = wakers[slot].clone();
                thread::spawn(move || waker.wake())
            };
            let mut visits = 0;
            wakers[slot].wake_by_ref();
            block_on(poll_fn(|cx| {
                pass(&mut ready, cx, |visited| {
                    assert_eq!(visited, slot);
                    visits += 1;
                    if visits == 1 {
                        wakers[slot].wake_by_ref();
                    }
                });
                match visits {
                    0 | 1 => Poll::Pending,
                    _ => Poll::Ready(()),
                }
            }));
            other.join().unwrap();
            assert!(visits <= 3);
        });
    }
}

#[test]
fn the_source_is_woken_beside_a_slot() {
    model(|| {
        let (mut ready, wakers) = ready_set(1);
        let source = ready.source_waker();
        let slot = wakers[0].clone();
        let threads = [
            thread::spawn(move || source.wake()),
            thread::spawn(move || slot.wake()),
        ];
        let (mut source_woken, mut slot_visited) = (false, false);
        block_on(poll_fn(|cx| {
            source_woken |= pass(&mut ready, cx, |_| slot_visited = true);
            match source_woken && slot_visited {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }));
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn forgetting_a_stale_wake_of_one_slot_keeps_the_wake_of_its_neighbour() {
    for first in [0, FAR] {
        model(move || {
            let (mut ready, wakers) = ready_set(first + 2);
            let (stale, live) = (wakers[first].clone(), wakers[first + 1].clone());
            let threads = [
                thread::spawn(move || stale.wake()),
                thread::spawn(move || live.wake()),
            ];
            let mut seen = false;
            ready.forget(first);
            block_on(poll_fn(|cx| {
                pass(&mut ready, cx, |slot| seen |= slot == first + 1);
                match seen {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            }));
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }
}

#[test]
fn a_wake_after_the_drop_reaches_nobody() {
    struct Parent;
    impl Wake for Parent {
        fn wake(self: Arc<Self>) {}
    }
    for slot in [0, FAR] {
        model(move || {
            let (mut ready, wakers) = ready_set(slot + 1);
            let parent = Arc::new(Parent);
            let waker = Waker::from(parent.clone());
            assert!(!ready.begin_pass());
            assert_eq!(ready.next_ready(), None);
            assert!(ready.arm(&waker));
            drop(waker);

            let other = {
                let waker = wakers[slot].clone();
                thread::spawn(move || waker.wake_by_ref())
            };
            ready.disarm();
            drop(ready);
            other.join().unwrap();
            assert_eq!(Arc::strong_count(&parent), 1, "the parent is let go of");
            drop(wakers);
        });
    }
}
