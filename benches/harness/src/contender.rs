//! Who takes part in a comparison.

use crate::scheme::Scheme;
use crate::workload::{Run, measure};

/// Why some contenders are left out of large sizes.
pub const SCANS: &str = "each wake makes it scan or poll everything it holds";

/// What a contender is to the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What the others are compared to.
    Subject,
    /// Does the work of the subject in another way.
    Peer,
    /// Shown beside the others, but no peer: another form of the subject.
    Variant,
    /// Does less than the work of the others: the physical limit.
    Floor,
}

/// A named implementation of some work. `R` is how to run it.
#[derive(Clone, Debug)]
pub struct Contender<R = Run> {
    /// What the tables call it.
    pub name: &'static str,
    /// What it is to the comparison.
    pub role: Role,
    /// Runs it.
    pub run: R,
    /// The largest size at which it is timed, and why.
    pub cap: Option<(usize, &'static str)>,
}

impl<R> Contender<R> {
    /// Creates a contender.
    pub fn new(name: &'static str, role: Role, run: R) -> Self {
        Self {
            name,
            role,
            run,
            cap: None,
        }
    }

    /// Leaves it out of sizes above `size`, for a reason.
    #[must_use]
    pub fn up_to(mut self, size: usize, why: &'static str) -> Self {
        self.cap = Some((size, why));
        self
    }

    /// Returns whether it is timed at `size`.
    pub fn is_timed_at(&self, size: usize) -> bool {
        self.cap.is_none_or(|(cap, _)| size <= cap)
    }
}

// Not inlined, so that a function that calls one of these is not inlined into another crate either: what it hands out
// would be compiled there, with all other libraries.

/// Creates what the others are compared to.
#[inline(never)]
pub fn subject<S: Scheme>(name: &'static str) -> Contender {
    Contender::new(name, Role::Subject, measure::<S>)
}

/// Creates a peer.
#[inline(never)]
pub fn peer<S: Scheme>(name: &'static str) -> Contender {
    Contender::new(name, Role::Peer, measure::<S>)
}

/// Creates another form of the subject.
#[inline(never)]
pub fn variant<S: Scheme>(name: &'static str) -> Contender {
    Contender::new(name, Role::Variant, measure::<S>)
}

/// Creates the physical limit.
#[inline(never)]
pub fn floor<S: Scheme>(name: &'static str) -> Contender {
    Contender::new(name, Role::Floor, measure::<S>)
}
