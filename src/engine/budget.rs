//! How many polls one poll of a window makes.
//!
//! Tasks may share a budget with the whole executor task, as they do under tokio. Once that is spent they are polled in
//! vain, without a wake that would show, until the executor has had its turn: a poll of them all for each such budget
//! would make the polls quadratic. Windows within windows must not multiply their budgets either, and one that sleeps
//! cannot see that another has spent what its tasks share with it. So there is one budget for all windows that are polled
//! within the outermost one, and every poll of a task counts, the first one included. Without the standard library there
//! is nowhere to keep it, and each window has its own.

/// This many polls of tasks are made before the outermost window yields to the executor, however many slots there are.
/// Tokio's tasks may do as many things before they have to.
const POLLS: usize = 128;

/// At least this many are made by every poll: a window whose budget others have spent may be polled by something that
/// waits for it to end. One for a task that was woken, and one for a new task.
#[cfg(feature = "std")]
const LEAST: usize = 2;

/// What one poll of a window may still do. Dropping it ends that poll, also if it has panicked.
pub(super) struct Budget {
    left: imp::Left,
    /// What is not to be spent for now.
    reserved: usize,
}

impl Budget {
    /// Begins a poll: with a new budget if it is the outermost one, and otherwise with what that has left.
    #[inline(always)]
    pub(super) fn begin() -> Self {
        Self {
            left: imp::Left::begin(),
            reserved: 0,
        }
    }

    #[inline(always)]
    pub(super) fn is_spent(&self) -> bool {
        self.left.get() <= self.reserved
    }

    /// Takes a poll from what is left.
    #[inline(always)]
    pub(super) fn spend(&mut self) {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
    }

    /// Keeps half of what is left for later, or makes all of it available again.
    #[inline(always)]
    pub(super) fn reserve_half(&mut self, reserve: bool) {
        self.reserved = if reserve { self.left.get() / 2 } else { 0 };
    }
}

#[cfg(feature = "std")]
mod imp {
    use core::cell::Cell;

    const NONE: usize = usize::MAX;

    std::thread_local! {
        /// The polls that are left to the windows of this thread; `NONE` while none is being polled.
        static LEFT: Cell<usize> = const { Cell::new(NONE) };
    }

    /// Access to what is left.
    pub(super) struct Left {
        /// What is left when this poll ends; `None` if it is what this poll leaves.
        then: Option<usize>,
    }

    impl Left {
        #[inline(always)]
        pub(super) fn begin() -> Self {
            LEFT.with(|left| match left.get() {
                NONE => {
                    left.set(super::POLLS);
                    Self { then: Some(NONE) }
                }
                before => Self::begin_within(left, before),
            })
        }

        /// Begins a poll within another one.
        #[cold]
        fn begin_within(left: &Cell<usize>, before: usize) -> Self {
            let is_lent = before < super::LEAST;
            left.set(before.max(super::LEAST));
            Self {
                then: is_lent.then_some(0),
            }
        }

        #[inline(always)]
        pub(super) fn get(&self) -> usize {
            LEFT.with(Cell::get)
        }

        #[inline(always)]
        pub(super) fn set(&mut self, polls: usize) {
            LEFT.with(|left| left.set(polls));
        }
    }

    impl Drop for Left {
        #[inline(always)]
        fn drop(&mut self) {
            if let Some(then) = self.then {
                LEFT.with(|left| left.set(then));
            }
        }
    }
}

#[cfg(not(feature = "std"))]
mod imp {
    /// What is left.
    pub(super) struct Left(usize);

    impl Left {
        pub(super) fn begin() -> Self {
            Self(super::POLLS)
        }

        pub(super) fn get(&self) -> usize {
            self.0
        }

        pub(super) fn set(&mut self, polls: usize) {
            self.0 = polls;
        }
    }
}
