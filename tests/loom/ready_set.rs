//! Models of the ready set: every interleaving of wakers on other threads with the owner's passes.
//!
//! Each rule of its protocol is broken on purpose by `ci/mutations.sh`, which expects one of these to fail.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use crate::engine::ready_set::{MakeWaker, ReadySet, Words};
use loom::future::block_on;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

const WORD: usize = usize::BITS as usize;
const DIRECT: usize = WORD - 10;

/// Where few slots are expected, the first ones are in the root, the next ones in a leaf, and then there are leaves
/// under a node.
const FEW: Option<usize> = Some(4);
const LEAF: usize = DIRECT;
const LOW_LEAF: usize = LEAF + WORD;
const NEXT_LOW_LEAF: usize = LOW_LEAF + WORD;

/// Where many are expected, all are in leaves.
const MANY: Option<usize> = Some(100);

/// Explores every execution with at most three involuntary switches between threads, which is where bugs are found.
fn model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.max_branches = 20_000;
    builder.check(f);
}

/// A parent that counts its wakes.
struct Parent(AtomicUsize);

impl Parent {
    fn new() -> (Arc<Self>, Waker) {
        let parent = Arc::new(Self(AtomicUsize::new(0)));
        (parent.clone(), Waker::from(parent))
    }

    fn wakes(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Parent {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Returns a ready set with slots `0..count`, and their wakers.
fn ready_set(parent: &Waker, expected: Option<usize>, count: usize) -> (ReadySet, Vec<Waker>) {
    with_wakers(ReadySet::new(parent, expected), count, ReadySet::own_waker)
}

fn with_wakers(mut ready: ReadySet, count: usize, make: MakeWaker) -> (ReadySet, Vec<Waker>) {
    let wakers = (0..count).map(|slot| make(&mut ready, slot)).collect();
    (ready, wakers)
}

/// Wakes `waker` on a thread.
fn spawn_wake(waker: &Waker) -> thread::JoinHandle<()> {
    let waker = waker.clone();
    thread::spawn(move || waker.wake())
}

/// Visits what is ready in one pass, and goes to sleep if that was nothing.
fn pass<W: Words>(ready: &mut ReadySet<W>, parent: &Waker, mut visit: impl FnMut(usize)) -> bool {
    let source = ready.begin_pass();
    while let Some(slot) = ready.next_ready() {
        visit(slot);
    }
    if !ready.arm(parent) {
        parent.wake_by_ref();
    }
    source
}

/// Polls `f` until it returns true, with the same waker each time. What `begin` makes of that waker comes first.
fn poll_until<S>(begin: impl FnOnce(&Waker) -> S, mut f: impl FnMut(&mut S, &Waker) -> bool) {
    let mut begin = Some(begin);
    let mut state = None;
    block_on(poll_fn(|cx| {
        // Clones of the waker of `block_on` know each other as the same; the waker itself and a clone may not.
        if let Some(begin) = begin.take() {
            let parent = cx.waker().clone();
            state = Some((begin(&parent), parent));
        }
        let (state, parent) = state.as_mut().expect("it has begun");
        if f(state, parent) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }));
}

/// What the owner does besides passes.
#[derive(Clone, Copy, Default)]
struct Owner {
    /// It was polled by another parent first.
    has_moved: bool,
    /// Each poll comes twice.
    is_polled_in_vain: bool,
    /// Polled in vain, it starts a task.
    starts: bool,
    /// Its slots are used once, so that wakers share the words.
    uses_slots_once: bool,
}

/// Wakes two slots from a thread each; the owner must come to see what each thread wrote before its wake, and visits
/// each slot once.
fn wakes_are_seen(expected: Option<usize>, slots: [usize; 2], owner: Owner) {
    let make = if owner.uses_slots_once {
        ReadySet::shared_waker
    } else {
        ReadySet::own_waker
    };
    let ready = move |parent: &Waker| {
        let ready = ReadySet::new(parent, expected);
        with_wakers(ready, slots[1] + 1, make)
    };
    wakes_are_seen_by(ready, slots, owner);
}

/// The same for the ready set, and the wakers of its slots, that `make` makes.
fn wakes_are_seen_by<W: Words>(
    make: impl Fn(&Waker) -> (ReadySet<W>, Vec<Waker>) + Send + Sync + 'static,
    slots: [usize; 2],
    owner: Owner,
) {
    model(move || {
        let written = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
        let mut threads = Vec::new();
        let mut visits = [0; 2];
        let begin = |parent: &Waker| {
            let first = if owner.has_moved {
                Waker::noop()
            } else {
                parent
            };
            let (ready, wakers) = make(first);
            for (slot, written) in slots.into_iter().zip(&written) {
                let (waker, written) = (wakers[slot].clone(), written.clone());
                threads.push(thread::spawn(move || {
                    written.store(1, Ordering::Relaxed);
                    waker.wake();
                }));
            }
            (ready, wakers)
        };
        poll_until(begin, |(ready, _), parent| {
            for poll in 0..1 + usize::from(owner.is_polled_in_vain) {
                if owner.starts && poll == 1 {
                    ready.disarm();
                }
                pass(ready, parent, |slot| {
                    let thread = slots.iter().position(|&s| s == slot);
                    let thread = thread.expect("no slot is visited that was not woken");
                    assert_eq!(written[thread].load(Ordering::Relaxed), 1);
                    visits[thread] += 1;
                });
            }
            visits.iter().all(|&visits| visits > 0)
        });
        assert_eq!(visits, [1, 1], "one visit a wake");
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn two_slots_in_the_root() {
    wakes_are_seen(FEW, [0, 1], Owner::default());
}

#[test]
fn two_slots_in_a_root_alone() {
    let make = |parent: &Waker| {
        let mut ready = ReadySet::for_few(parent);
        let first = ready.wakers().with_waker::<0, _>(Waker::clone);
        let second = ready.wakers().with_waker::<1, _>(Waker::clone);
        (ready, vec![first, second])
    };
    wakes_are_seen_by(make, [0, 1], Owner::default());
}

#[test]
fn two_slots_in_one_leaf() {
    wakes_are_seen(MANY, [0, 1], Owner::default());
}

#[test]
fn two_slots_in_two_leaves() {
    wakes_are_seen(MANY, [0, WORD], Owner::default());
}

#[test]
fn slots_in_root_and_leaf() {
    wakes_are_seen(FEW, [0, LEAF], Owner::default());
}

#[test]
fn one_leaf_under_a_node() {
    wakes_are_seen(FEW, [LOW_LEAF, LOW_LEAF + 1], Owner::default());
}

#[test]
fn two_leaves_under_a_node() {
    wakes_are_seen(FEW, [LOW_LEAF, NEXT_LOW_LEAF], Owner::default());
}

#[test]
fn wakers_that_share_a_word() {
    let owner = Owner {
        uses_slots_once: true,
        ..Owner::default()
    };
    wakes_are_seen(FEW, [0, 1], owner);
    wakes_are_seen(MANY, [0, 1], owner);
}

#[test]
fn wakers_that_share_two_words() {
    let owner = Owner {
        uses_slots_once: true,
        ..Owner::default()
    };
    wakes_are_seen(FEW, [0, LEAF], owner);
    wakes_are_seen(MANY, [0, WORD], owner);
}

#[test]
fn spurious_polls_lose_no_wake() {
    let owner = Owner {
        is_polled_in_vain: true,
        ..Owner::default()
    };
    wakes_are_seen(FEW, [0, 1], owner);
    wakes_are_seen(MANY, [0, 1], owner);
}

#[test]
fn a_task_starts_while_armed() {
    let owner = Owner {
        is_polled_in_vain: true,
        starts: true,
        ..Owner::default()
    };
    wakes_are_seen(FEW, [0, 1], owner);
}

#[test]
fn an_owner_that_has_moved() {
    let owner = Owner {
        has_moved: true,
        is_polled_in_vain: true,
        ..Owner::default()
    };
    wakes_are_seen(FEW, [0, 1], owner);
}

#[test]
fn two_threads_wake_one_slot() {
    for expected in [FEW, MANY] {
        model(move || {
            let written = Arc::new(AtomicUsize::new(0));
            let mut threads = Vec::new();
            let begin = |parent: &Waker| {
                let (ready, wakers) = ready_set(parent, expected, 1);
                threads.extend([(); 2].map(|()| {
                    let (waker, written) = (wakers[0].clone(), written.clone());
                    thread::spawn(move || {
                        written.fetch_add(1, Ordering::Relaxed);
                        waker.wake_by_ref();
                    })
                }));
                ready
            };
            // Two wakes may be met by one visit, but it then sees what both threads wrote.
            poll_until(begin, |ready, parent| {
                let mut seen = 0;
                pass(ready, parent, |_| seen = written.load(Ordering::Relaxed));
                seen == 2
            });
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }
}

#[test]
fn a_wake_meets_a_visit() {
    for slot in [0, LEAF, LOW_LEAF] {
        model(move || {
            let mut other = None;
            let mut visits = 0;
            let begin = |parent: &Waker| {
                let (ready, wakers) = ready_set(parent, FEW, slot + 1);
                other = Some(spawn_wake(&wakers[slot]));
                wakers[slot].wake_by_ref();
                (ready, wakers)
            };
            poll_until(begin, |(ready, wakers), parent| {
                pass(ready, parent, |visited| {
                    assert_eq!(visited, slot);
                    visits += 1;
                    if visits == 1 {
                        wakers[slot].wake_by_ref();
                    }
                });
                visits > 1
            });
            other.take().unwrap().join().unwrap();
            assert!(visits <= 3);
        });
    }
}

#[test]
fn source_and_slot_are_woken() {
    model(|| {
        let mut threads = Vec::new();
        let begin = |parent: &Waker| {
            let (ready, wakers) = ready_set(parent, FEW, 1);
            threads = vec![spawn_wake(&ready.source_waker()), spawn_wake(&wakers[0])];
            ready
        };
        let (mut source_woken, mut slot_visited) = (false, false);
        poll_until(begin, |ready, parent| {
            source_woken |= pass(ready, parent, |_| slot_visited = true);
            source_woken && slot_visited
        });
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn forgetting_takes_one_wake_only() {
    for first in [0, LEAF, LOW_LEAF] {
        model(move || {
            let mut threads = Vec::new();
            let begin = |parent: &Waker| {
                let (mut ready, wakers) = ready_set(parent, FEW, first + 2);
                threads = wakers[first..].iter().map(spawn_wake).collect();
                // The wake of the first slot is stale, that of its neighbour is not.
                ready.forget_free(first);
                ready.forget_visited(first);
                ready
            };
            let mut seen = false;
            poll_until(begin, |ready, parent| {
                pass(ready, parent, |slot| seen |= slot == first + 1);
                seen
            });
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }
}

#[test]
fn one_parent_wake_per_sleep() {
    for (expected, slots) in [(FEW, [0, 1]), (MANY, [0, 1]), (MANY, [0, WORD])] {
        for has_moved in [false, true] {
            model(move || {
                let (parent, waker) = Parent::new();
                let first = if has_moved { Waker::noop() } else { &waker };
                let (mut ready, wakers) = ready_set(first, expected, slots[1] + 1);
                assert!(ready.arm(&waker));
                // Armed already, it stays so.
                assert!(ready.arm(&waker));
                let threads = slots.map(|slot| spawn_wake(&wakers[slot]));
                for thread in threads {
                    thread.join().unwrap();
                }
                assert_eq!(parent.wakes(), 1);
            });
        }
    }
}

#[test]
fn working_owners_are_not_woken() {
    for expected in [FEW, MANY] {
        model(move || {
            let (parent, waker) = Parent::new();
            let (mut ready, wakers) = ready_set(&waker, expected, 1);
            assert!(ready.arm(&waker));
            ready.disarm();
            spawn_wake(&wakers[0]).join().unwrap();
            assert_eq!(parent.wakes(), 0);
            // The wake is there nevertheless.
            assert!(!ready.arm(&waker));
        });
    }
}

#[test]
fn wakes_after_drops_wake_nobody() {
    for slot in [0, LEAF, LOW_LEAF] {
        for has_moved in [false, true] {
            model(move || {
                let (parent, waker) = Parent::new();
                let first = if has_moved { Waker::noop() } else { &waker };
                let (mut ready, wakers) = ready_set(first, FEW, slot + 1);
                assert!(ready.arm(&waker));
                drop(waker);

                let other = spawn_wake(&wakers[slot]);
                ready.close();
                drop(ready);
                other.join().unwrap();
                let before = parent.wakes();
                wakers[slot].wake_by_ref();
                assert_eq!(parent.wakes(), before);
                // A parent in a cell is let go of at once, and the first one with the last waker.
                if !has_moved {
                    drop(wakers);
                }
                assert_eq!(Arc::strong_count(&parent), 1);
            });
        }
    }
}

#[test]
fn former_parents_are_let_go() {
    model(|| {
        let (counts, wakers): (Vec<_>, Vec<_>) = (0..3).map(|_| Parent::new()).unzip();
        let (mut ready, _slots) = ready_set(&wakers[0], FEW, 1);
        for parent in [0, 1, 2, 1, 0, 2, 0] {
            assert!(ready.arm(&wakers[parent]));
            // The test has two of each. The first one stays.
            for (other, count) in counts.iter().enumerate() {
                let held = usize::from(other == parent || other == 0);
                assert_eq!(Arc::strong_count(count), 2 + held);
            }
        }
    });
}

#[test]
fn a_new_parent_meets_a_wake() {
    // Which parent polls at which time: the first one, or those in the cells.
    for parents in [[0, 1, 2], [0, 1, 0], [1, 2, 0], [1, 2, 1]] {
        model(move || {
            let (counts, wakers): (Vec<_>, Vec<_>) = (0..3).map(|_| Parent::new()).unzip();
            let (mut ready, slots) = ready_set(&wakers[0], FEW, 2);
            assert!(ready.arm(&wakers[parents[0]]));
            let thread = spawn_wake(&slots[0]);

            // Polls by other parents, at any time around the wake.
            let mut visits = 0;
            for parent in &parents[1..] {
                ready.begin_pass();
                while let Some(slot) = ready.next_ready() {
                    assert_eq!(slot, 0);
                    visits += 1;
                }
                let before = counts[*parent].wakes();
                if !ready.arm(&wakers[*parent]) {
                    // The wake has come, and is the owner's to act on; or its waker is still in the cell.
                    wakers[*parent].wake_by_ref();
                    assert!(counts[*parent].wakes() > before);
                }
            }
            thread.join().unwrap();

            // Either the wake was seen, or the last parent knows.
            let last = &wakers[parents[2]];
            assert!(visits == 1 || counts[parents[2]].wakes() > 0);
            ready.begin_pass();
            while ready.next_ready().is_some() {
                visits += 1;
            }
            assert_eq!(visits, 1);
            // The next wake reaches the last parent, and only that.
            assert!(ready.arm(last));
            let before: Vec<_> = counts.iter().map(|count| count.wakes()).collect();
            slots[1].wake_by_ref();
            for (parent, count) in counts.iter().enumerate() {
                let woken = usize::from(parent == parents[2]);
                assert_eq!(count.wakes(), before[parent] + woken);
            }
        });
    }
}
