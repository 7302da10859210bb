//! The settings of a race for the first token, each a method.

use core::marker::PhantomData;

use super::FirstToken;
use crate::operation::source::streams::OpenStream;
use crate::race::{AtOnce, StaggerDelay, Staggered};
use crate::time::Timer;

impl<F, Via, X, H> FirstToken<F, Via, AtOnce, X, H> {
    /// Opens each stream after the first only when a delay has passed without a token, or at once when one fails. The
    /// delay is a [`Duration`](core::time::Duration), or a [`Hedge`](crate::Hedge), which learns the time to the first
    /// token.
    pub fn stagger<D, M>(self, delay: D, timer: M) -> FirstToken<F, Via, Staggered<M, D>, X, H>
    where
        D: StaggerDelay,
        M: Timer,
    {
        FirstToken {
            sources: self.sources,
            policy: Staggered::new(delay, timer),
            text: self.text,
            on_winner: self.on_winner,
            via: PhantomData,
        }
    }
}

impl<F, Via, P, X, H> FirstToken<F, Via, P, X, H> {
    /// Tells the text of chunks, for an operation on [chunks](crate::operation::Operation::chunks): the first that has
    /// some decides the race. The winner's chunks before that one are kept.
    ///
    /// ```
    /// use abreast::operation::{Operation, first_token};
    /// use futures::stream;
    ///
    /// # smol::block_on(async {
    /// fn text(chunk: &Option<String>) -> Option<&str> {
    ///     chunk.as_deref()
    /// }
    ///
    /// let open = || stream::iter([None, Some("Hello".to_owned())].map(Ok::<_, String>));
    /// let mut chunks = Vec::new();
    /// let state = Operation::chunks(first_token([open, open]).text(text), text)
    ///     .collect_chunks(&mut chunks)
    ///     .run()
    ///     .await
    ///     .unwrap();
    /// assert_eq!((state.content.as_str(), chunks.len()), ("Hello", 2));
    /// # });
    /// ```
    pub fn text<C, Y>(self, text: Y) -> FirstToken<F, Via, P, Y, H>
    where
        F: OpenStream<Via, Chunk = C>,
        Y: Fn(&C) -> Option<&str>,
    {
        FirstToken {
            sources: self.sources,
            policy: self.policy,
            text,
            on_winner: self.on_winner,
            via: PhantomData,
        }
    }

    /// Calls `hook` with the index of the winner (0-based, in input order), once for each attempt that has one.
    pub fn on_winner<G>(self, hook: G) -> FirstToken<F, Via, P, X, G>
    where
        G: FnMut(usize),
    {
        FirstToken {
            sources: self.sources,
            policy: self.policy,
            text: self.text,
            on_winner: hook,
            via: PhantomData,
        }
    }
}
