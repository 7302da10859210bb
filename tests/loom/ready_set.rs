//! A model of the ready set: every interleaving of wakers on other threads with the owner's passes.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use crate::engine::ready_set::ReadySet;
use loom::future::block_on;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// Slots in two leaves of the branch, and in two leaves of a group.
const BITS: usize = usize::BITS as usize;
const BRANCH: usize = (BITS - 5) / 2;
const NEXT_IN_BRANCH: usize = BRANCH + BITS;
const GROUP: usize = BRANCH + (BITS - 5).div_ceil(2) * BITS;
const NEXT_IN_GROUP: usize = GROUP + BITS;

/// Explores every execution with at most three involuntary switches between threads, which is where bugs are found.
fn model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.max_branches = 20_000;
    builder.check(f);
}

/// A ready set with slots `0..count`, and their wakers.
fn ready_set(count: usize) -> (ReadySet, Vec<Waker>) {
    let mut ready = ReadySet::new();
    let wakers = (0..count).map(|slot| ready.slot_waker(slot)).collect();
    (ready, wakers)
}

/// Visits what is ready in one pass, and goes to sleep if that was nothing.
fn pass(ready: &mut ReadySet, parent: &Waker, mut visit: impl FnMut(usize)) -> bool {
    let source = ready.begin_pass();
    while let Some(slot) = ready.next_ready() {
        visit(slot);
    }
    if !ready.arm(parent) {
        parent.wake_by_ref();
    }
    source
}

/// Polls `f` until it returns true, with the same waker each time.
fn poll_until(mut f: impl FnMut(&Waker) -> bool) {
    let mut parent = None;
    block_on(poll_fn(|cx| {
        // Clones of the waker of `block_on` know each other as the same; the waker itself and a clone may not.
        let parent = parent.get_or_insert_with(|| cx.waker().clone());
        match f(parent) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }));
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
        poll_until(|parent| {
            pass(&mut ready, parent, |slot| {
                let thread = slots.iter().position(|&s| s == slot);
                let thread = thread.expect("no slot is visited that was not woken");
                assert_eq!(written[thread].load(Ordering::Relaxed), 1);
                visits[thread] += 1;
            });
            visits.iter().all(|&visits| visits > 0)
        });
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
fn two_wakers_in_one_leaf_of_the_branch() {
    wakes_are_seen(BRANCH + 2, &[BRANCH, BRANCH + 1]);
}

#[test]
fn two_wakers_in_two_leaves_of_the_branch() {
    wakes_are_seen(NEXT_IN_BRANCH + 1, &[BRANCH, NEXT_IN_BRANCH]);
}

#[test]
fn two_wakers_in_one_leaf_of_a_group() {
    wakes_are_seen(GROUP + 2, &[GROUP, GROUP + 1]);
}

#[test]
fn two_wakers_in_two_leaves_of_a_group() {
    wakes_are_seen(NEXT_IN_GROUP + 1, &[GROUP, NEXT_IN_GROUP]);
}

#[test]
fn a_near_waker_and_one_in_a_group() {
    wakes_are_seen(GROUP + 1, &[0, GROUP]);
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
        poll_until(|parent| {
            let mut seen = 0;
            pass(&mut ready, parent, |_| {
                seen = written.load(Ordering::Relaxed)
            });
            seen == 2
        });
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_wake_while_the_slot_is_visited_leads_to_another_visit() {
    for slot in [0, BRANCH, GROUP] {
        model(move || {
            let (mut ready, wakers) = ready_set(slot + 1);
            let other = {
                let waker = wakers[slot].clone();
                thread::spawn(move || waker.wake())
            };
            let mut visits = 0;
            wakers[slot].wake_by_ref();
            poll_until(|parent| {
                pass(&mut ready, parent, |visited| {
                    assert_eq!(visited, slot);
                    visits += 1;
                    if visits == 1 {
                        wakers[slot].wake_by_ref();
                    }
                });
                visits > 1
            });
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
        poll_until(|parent| {
            source_woken |= pass(&mut ready, parent, |_| slot_visited = true);
            source_woken && slot_visited
        });
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn forgetting_a_stale_wake_of_one_slot_keeps_the_wake_of_its_neighbour() {
    for first in [0, BRANCH, GROUP] {
        model(move || {
            let (mut ready, wakers) = ready_set(first + 2);
            let (stale, live) = (wakers[first].clone(), wakers[first + 1].clone());
            let threads = [
                thread::spawn(move || stale.wake()),
                thread::spawn(move || live.wake()),
            ];
            let mut seen = false;
            ready.forget(first);
            poll_until(|parent| {
                pass(&mut ready, parent, |slot| seen |= slot == first + 1);
                seen
            });
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
    for slot in [0, BRANCH, GROUP] {
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
            ready.close();
            drop(ready);
            other.join().unwrap();
            assert_eq!(Arc::strong_count(&parent), 1, "the parent is let go of");
            drop(wakers);
        });
    }
}

#[test]
fn another_parent_takes_over_while_the_former_one_is_being_woken() {
    struct Parent(AtomicUsize);
    impl Wake for Parent {
        fn wake(self: Arc<Self>) {
            self.wake_by_ref();
        }
        fn wake_by_ref(self: &Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    model(|| {
        let (mut ready, wakers) = ready_set(2);
        let parents = [(); 2].map(|()| Arc::new(Parent(AtomicUsize::new(0))));
        let as_wakers = parents.each_ref().map(|parent| Waker::from(parent.clone()));
        assert!(ready.arm(&as_wakers[0]));
        let thread = {
            let waker = wakers[0].clone();
            thread::spawn(move || waker.wake())
        };

        // A spurious poll by another parent, at any time around the wake.
        ready.begin_pass();
        let visited = ready.next_ready();
        assert_eq!(visited.and_then(|_| ready.next_ready()), None);
        let armed = ready.arm(&as_wakers[1]);
        thread.join().unwrap();

        let woken = parents
            .each_ref()
            .map(|parent| parent.0.load(Ordering::SeqCst));
        match visited {
            // The first parent may have been let go of before the straggler got to it.
            Some(slot) => assert!((slot, armed) == (0, true) && woken[0] <= 1 && woken[1] == 0),
            None if armed => assert_eq!(woken, [0, 1]),
            None => assert_eq!(
                woken,
                [0, 0],
                "the wake came first, and is the owner's to act on"
            ),
        }
        // Either way, the next wake reaches the second parent.
        if visited.is_none() {
            ready.begin_pass();
            assert_eq!(ready.next_ready(), Some(0));
            assert_eq!(ready.next_ready(), None);
            assert!(ready.arm(&as_wakers[1]));
        }
        let before = parents[1].0.load(Ordering::SeqCst);
        wakers[1].wake_by_ref();
        assert_eq!(parents[1].0.load(Ordering::SeqCst), before + 1);
    });
}
