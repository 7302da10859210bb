//! Gates that ask for what an item weighs and costs.

use core::task::{Context, Poll};

use super::source::ItemGate;
use crate::limit::{LimitGate, Permit};
use crate::rate::RateGate;
use crate::run::Gate;
use crate::time::Timer;

/// Lets an item start when there is a permit of its weight: see [`Parallel::weigh`](crate::Parallel::weigh).
pub struct Weigh<W> {
    gate: LimitGate,
    weight: W,
}

impl<W> Weigh<W> {
    pub(super) const fn new(gate: LimitGate, weight: W) -> Self {
        Self { gate, weight }
    }
}

impl<X, W: FnMut(&X) -> usize> ItemGate<X> for Weigh<W> {
    type Pass = Permit;

    fn prepare(&mut self, item: &X) {
        self.gate.set_weight((self.weight)(item));
    }

    fn poll_pass(&mut self, cx: &mut Context<'_>) -> Poll<Permit> {
        self.gate.poll_pass(cx)
    }
}

/// Lets an item start when the rate has room for its cost: see [`Parallel::cost`](crate::Parallel::cost).
pub struct Cost<M: Timer, C> {
    gate: RateGate<M>,
    cost: C,
}

impl<M: Timer, C> Cost<M, C> {
    pub(super) const fn new(gate: RateGate<M>, cost: C) -> Self {
        Self { gate, cost }
    }
}

impl<X, M: Timer, C: FnMut(&X) -> u32> ItemGate<X> for Cost<M, C> {
    type Pass = ();

    fn prepare(&mut self, item: &X) {
        self.gate.set_cost((self.cost)(item));
    }

    fn poll_pass(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.gate.poll_pass(cx)
    }
}

impl_debug! { Weigh<W> { gate } }
impl_debug! { Cost<M: Timer, C> { gate } }
