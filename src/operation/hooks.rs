//! Who looks on. What they panic with is not the operation's end.

use alloc::sync::Arc;
use core::fmt;

use super::event::Event;
use crate::sync::panic::catch;

/// Looks on while an operation runs.
pub trait Hooks {
    /// Whether events are worth making.
    #[doc(hidden)]
    fn wants_events(&self) -> bool;
    #[doc(hidden)]
    fn event(&mut self, event: &Event);
    #[doc(hidden)]
    fn token(&mut self, token: &str);
}

/// Nobody.
impl Hooks for () {
    #[inline]
    fn wants_events(&self) -> bool {
        false
    }

    #[inline]
    fn event(&mut self, _: &Event) {}

    #[inline]
    fn token(&mut self, _: &str) {}
}

/// The first, then the second.
impl<A: Hooks, B: Hooks> Hooks for (A, B) {
    #[inline]
    fn wants_events(&self) -> bool {
        self.0.wants_events() || self.1.wants_events()
    }

    #[inline]
    fn event(&mut self, event: &Event) {
        self.0.event(event);
        self.1.event(event);
    }

    #[inline]
    fn token(&mut self, token: &str) {
        self.0.token(token);
        self.1.token(token);
    }
}

/// A closure that is told of events.
#[derive(Clone, Copy)]
pub struct OnEvent<F>(pub(super) F);

impl<F: FnMut(&Event)> Hooks for OnEvent<F> {
    fn wants_events(&self) -> bool {
        true
    }

    fn event(&mut self, event: &Event) {
        let _ = catch(|| (self.0)(event));
    }

    fn token(&mut self, _: &str) {}
}

/// A closure that is told of tokens.
#[derive(Clone, Copy)]
pub struct OnToken<F>(pub(super) F);

impl<F: FnMut(&str)> Hooks for OnToken<F> {
    fn wants_events(&self) -> bool {
        false
    }

    fn event(&mut self, _: &Event) {}

    fn token(&mut self, token: &str) {
        let _ = catch(|| (self.0)(token));
    }
}

type Handler = dyn Fn(&Event) + Send + Sync;

/// The handler that the operations of a pool share.
#[derive(Clone, Default)]
pub struct Shared(pub(super) Option<Arc<Handler>>);

impl Hooks for Shared {
    fn wants_events(&self) -> bool {
        self.0.is_some()
    }

    fn event(&mut self, event: &Event) {
        if let Some(handler) = &self.0 {
            let _ = catch(|| handler(event));
        }
    }

    fn token(&mut self, _: &str) {}
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

macro_rules! opaque_debug {
    ($($name:ident),*) => {$(
        impl<F> fmt::Debug for $name<F> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

opaque_debug!(OnEvent, OnToken);
