//! Which items run and which wait, by key.
//!
//! ```text
//!   by_key   slots: key, running, waiting       startable: of each key that has room, the first that waits
//!   -------  ---------------------------------  --------------------------------------------------------------
//!    "a"     2 of 2 run    6  7  9              12 -> "c"      what is started next is the first of these
//!    "b"     1 of 2 runs
//!    "c"     1 of 2 runs   12  13
//! ```
//!
//! An item whose key has room starts when it is pulled, so something waits behind a key with room only when a task has
//! ended since. A key is forgotten when nothing of it runs or waits.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::mem;

/// The items that wait, and the keys of those that run.
pub(super) struct Keys<K, X> {
    /// At most this many of a key run.
    limit: usize,
    slots: Vec<Slot<K, X>>,
    free: Vec<usize>,
    /// The slots in use, in the order of their keys.
    by_key: Vec<usize>,
    /// The slots of keys with room, by the index of the first item that waits there.
    startable: BTreeMap<usize, usize>,
    /// The slots of items that run, by their index.
    running: BTreeMap<usize, usize>,
    /// The slots that had nothing left when a task ended. Their keys are dropped later, as that is foreign code.
    idle: Vec<usize>,
    waiting: usize,
}

/// A key, and what it has. Without a key if it is free.
struct Slot<K, X> {
    key: Option<K>,
    running: usize,
    /// In input order, with their indices.
    waiting: VecDeque<(usize, X)>,
}

impl<K, X> Slot<K, X> {
    const fn new(key: Option<K>) -> Self {
        Self {
            key,
            running: 0,
            waiting: VecDeque::new(),
        }
    }

    fn is_idle(&self) -> bool {
        self.running == 0 && self.waiting.is_empty()
    }
}

impl<K, X> Keys<K, X> {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            limit,
            slots: Vec::new(),
            free: Vec::new(),
            by_key: Vec::new(),
            startable: BTreeMap::new(),
            running: BTreeMap::new(),
            idle: Vec::new(),
            waiting: 0,
        }
    }

    /// Returns how many items wait.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Returns whether one that waits could start.
    pub(super) fn has_startable(&self) -> bool {
        !self.startable.is_empty()
    }

    /// Starts the oldest item whose key has room.
    pub(super) fn start_next(&mut self) -> Option<(usize, X)> {
        let (_, number) = self.startable.pop_first()?;
        let (index, item) = self.slots[number].waiting.pop_front()?;
        self.waiting -= 1;
        self.count_started(index, number);
        self.note_startable(number);
        Some((index, item))
    }

    /// Starts a new item, if its key has room. Otherwise it waits.
    pub(super) fn start_or_wait(&mut self, number: usize, index: usize, item: X) -> Option<X> {
        let slot = &mut self.slots[number];
        if slot.running < self.limit && slot.waiting.is_empty() {
            self.count_started(index, number);
            return Some(item);
        }
        slot.waiting.push_back((index, item));
        self.waiting += 1;
        self.note_startable(number);
        None
    }

    fn count_started(&mut self, index: usize, number: usize) {
        self.slots[number].running += 1;
        self.running.insert(index, number);
    }

    /// Counts an item that ran as ended, so that the next of its key may start.
    pub(super) fn end(&mut self, index: usize) {
        let Some(number) = self.running.remove(&index) else {
            return;
        };
        let slot = &mut self.slots[number];
        slot.running -= 1;
        if slot.is_idle() {
            self.idle.push(number);
        } else {
            self.note_startable(number);
        }
    }

    /// Notes the first that waits of a key, if there is room for it.
    fn note_startable(&mut self, number: usize) {
        let slot = &self.slots[number];
        if let (true, Some(&(index, _))) = (slot.running < self.limit, slot.waiting.front()) {
            self.startable.insert(index, number);
        }
    }

    /// Forgets the keys that have nothing left.
    pub(super) fn forget_idle(&mut self) {
        while let Some(number) = self.idle.pop() {
            self.by_key.retain(|&used| used != number);
            self.free.push(number);
            // The last step, as the key is foreign code.
            drop(mem::replace(&mut self.slots[number], Slot::new(None)));
        }
    }
}

impl<K: Ord, X> Keys<K, X> {
    /// Returns the slot of a key, made now if there is none. To be followed by an item of that key.
    pub(super) fn slot_of(&mut self, key: K) -> usize {
        let slots = &self.slots;
        let key = Some(key);
        // Sorted by key, so one search finds the key or its place.
        let found = self
            .by_key
            .binary_search_by(|&number| slots[number].key.cmp(&key));
        let place = match found {
            Ok(place) => return self.by_key[place],
            Err(place) => place,
        };
        // Slots of forgotten keys are used again: there are never more than keys at a time.
        let slot = Slot::new(key);
        let number = match self.free.pop() {
            Some(number) => {
                self.slots[number] = slot;
                number
            }
            None => {
                self.slots.push(slot);
                self.slots.len() - 1
            }
        };
        self.by_key.insert(place, number);
        number
    }
}
