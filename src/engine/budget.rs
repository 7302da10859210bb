//! The limit to the polls that one poll of a window makes.
//!
//! Tasks may share a budget with the whole executor task, as they do under tokio. Once that is spent they are polled in
//! vain, without a wake that would show, until the executor has had its turn: a poll of them all for each such budget
//! would make the polls quadratic. Windows within windows must not multiply their budgets either, and one that sleeps
//! cannot see that another has spent what its tasks share with it. So there is one budget for all windows that are
//! polled within the outermost one, and every poll of a task counts, the first one included. Without the standard
//! library there is nowhere to keep it, and each window has its own.

#[cfg(feature = "std")]
use with_std::Left;
#[cfg(not(feature = "std"))]
use without_std::Left;

/// This many polls of tasks are made before the outermost window yields to the executor, however many slots there are.
/// Tokio's tasks may do as many things before they have to.
const POLLS: isize = 128;

/// At least this many are made by every poll: a window whose budget others have spent may be polled by something that
/// waits for it to end. One for a task that was woken, and one for a new task.
#[cfg(feature = "std")]
const LEAST: isize = 2;

/// Limits what one poll of a window may still do. Dropping it ends that poll, also if it has panicked.
pub(crate) struct PollBudget {
    left: Left,
    /// What is not to be spent for now.
    reserved: isize,
}

impl PollBudget {
    /// Begins a poll: with a new budget if it is the outermost one, and otherwise with what that has left.
    #[inline(always)]
    pub(crate) fn begin() -> Self {
        Self {
            left: Left::begin(),
            reserved: 0,
        }
    }

    #[inline(always)]
    pub(crate) fn is_spent(&self) -> bool {
        self.left.get() <= self.reserved
    }

    /// Takes a poll from what is left.
    #[inline(always)]
    pub(crate) fn spend(&mut self) {
        self.left.set(self.left.get() - 1);
    }

    /// Keeps half of what is left for later, or makes all of it available again.
    #[inline(always)]
    pub(super) fn reserve_half(&mut self, reserve: bool) {
        self.reserved = if reserve { self.left.get() / 2 } else { 0 };
    }
}

#[cfg(feature = "std")]
mod with_std {
    use core::cell::Cell;

    const NONE: isize = isize::MAX;
    const AS_IT_IS: isize = isize::MIN;

    std::thread_local! {
        /// The polls that are left to the windows of this thread; `NONE` while none is being polled. Not below 0 but
        /// for polls that must not be put off.
        static LEFT: Cell<isize> = const { Cell::new(NONE) };
    }

    /// Access to what is left.
    pub(super) struct Left {
        /// What is left when this poll ends; `AS_IT_IS` if it is what this poll leaves.
        then: isize,
    }

    impl Left {
        #[inline(always)]
        pub(super) fn begin() -> Self {
            LEFT.with(|left| match left.get() {
                NONE => {
                    left.set(super::POLLS);
                    Self { then: NONE }
                }
                before => Self::begin_within(left, before),
            })
        }

        /// Begins a poll within another one.
        #[cold]
        fn begin_within(left: &Cell<isize>, before: isize) -> Self {
            let is_lent = before < super::LEAST;
            left.set(before.max(super::LEAST));
            Self {
                then: if is_lent { 0 } else { AS_IT_IS },
            }
        }

        #[inline(always)]
        pub(super) fn get(&self) -> isize {
            LEFT.with(Cell::get)
        }

        #[inline(always)]
        pub(super) fn set(&mut self, polls: isize) {
            LEFT.with(|left| left.set(polls));
        }
    }

    impl Drop for Left {
        #[inline(always)]
        fn drop(&mut self) {
            if self.then != AS_IT_IS {
                LEFT.with(|left| left.set(self.then));
            }
        }
    }
}

#[cfg(not(feature = "std"))]
mod without_std {
    /// What is left.
    pub(super) struct Left(isize);

    impl Left {
        pub(super) fn begin() -> Self {
            Self(super::POLLS)
        }

        pub(super) fn get(&self) -> isize {
            self.0
        }

        pub(super) fn set(&mut self, polls: isize) {
            self.0 = polls;
        }
    }
}
