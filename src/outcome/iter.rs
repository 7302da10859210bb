//! The outcomes of a result, one by one.

use alloc::vec;
use core::iter::FusedIterator;
use core::slice;

use super::Outcome;

/// Borrows the outcomes of a [`ParallelResult`](super::ParallelResult), in input order: see its method `iter`.
#[derive(Debug)]
pub struct Iter<'a, T, E> {
    pub(super) outcomes: slice::Iter<'a, Outcome<T, E>>,
    pub(super) never_started: usize,
}

/// Takes the outcomes out of a [`ParallelResult`](super::ParallelResult), in input order: see its method `into_iter`.
#[derive(Debug)]
pub struct IntoIter<T, E> {
    pub(super) outcomes: vec::IntoIter<Outcome<T, E>>,
    pub(super) never_started: usize,
}

/// Iterates over the stored outcomes, with `$cancelled` for each of those never started behind them.
macro_rules! outcomes_then_cancelled {
    ($self:ident, $cancelled:expr) => {
        fn next(&mut $self) -> Option<Self::Item> {
            if let Some(outcome) = $self.outcomes.next() {
                return Some(outcome);
            }
            $self.never_started = $self.never_started.checked_sub(1)?;
            Some($cancelled)
        }

        fn size_hint(&$self) -> (usize, Option<usize>) {
            let len = $self.outcomes.len().saturating_add($self.never_started);
            (len, Some(len))
        }
    };
    (back $self:ident, $cancelled:expr) => {
        fn next_back(&mut $self) -> Option<Self::Item> {
            match $self.never_started.checked_sub(1) {
                Some(never_started) => {
                    $self.never_started = never_started;
                    Some($cancelled)
                }
                None => $self.outcomes.next_back(),
            }
        }
    };
}

impl<'a, T, E> Iterator for Iter<'a, T, E> {
    type Item = &'a Outcome<T, E>;

    outcomes_then_cancelled!(self, &Outcome::Cancelled);
}

impl<T, E> DoubleEndedIterator for Iter<'_, T, E> {
    outcomes_then_cancelled!(back self, &Outcome::Cancelled);
}

impl<T, E> Iterator for IntoIter<T, E> {
    type Item = Outcome<T, E>;

    outcomes_then_cancelled!(self, Outcome::Cancelled);
}

impl<T, E> DoubleEndedIterator for IntoIter<T, E> {
    outcomes_then_cancelled!(back self, Outcome::Cancelled);
}

impl<T, E> ExactSizeIterator for Iter<'_, T, E> {}
impl<T, E> ExactSizeIterator for IntoIter<T, E> {}
impl<T, E> FusedIterator for Iter<'_, T, E> {}
impl<T, E> FusedIterator for IntoIter<T, E> {}
