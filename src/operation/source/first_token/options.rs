//! The settings of a race for the first token, each a method.

use super::FirstToken;
use crate::operation::source::streams::{AsText, OpenStream};
use crate::race::{AtOnce, StaggerDelay, Staggered};
use crate::time::Timer;

/// What was set up of a [`FirstToken`]: [when](FirstToken::stagger) the next stream is opened, what the
/// [text](FirstToken::text) of a chunk is, and a closure that is called with the [winner](FirstToken::on_winner).
#[derive(Clone, Copy)]
pub struct FirstTokenOptions<P = AtOnce, X = AsText, H = fn(usize)> {
    pub(super) policy: P,
    pub(super) text: X,
    pub(super) on_winner: H,
}

impl_debug! { FirstTokenOptions<P, X, H> {} }

impl<F, Via, O> FirstToken<F, Via, O> {
    fn map_options<Q>(self, map: impl FnOnce(O) -> Q) -> FirstToken<F, Via, Q> {
        FirstToken {
            sources: self.sources,
            options: map(self.options),
            via: self.via,
        }
    }
}

impl<F, Via, X, H> FirstToken<F, Via, FirstTokenOptions<AtOnce, X, H>> {
    /// Opens each stream after the first only when a delay has passed without a token, or at once when one fails. The
    /// delay is a [`Duration`](core::time::Duration), or a [`Hedge`](crate::Hedge), which learns the time to the first
    /// token.
    pub fn stagger<D, M>(
        self,
        delay: D,
        timer: M,
    ) -> FirstToken<F, Via, FirstTokenOptions<Staggered<M, D>, X, H>>
    where
        D: StaggerDelay,
        M: Timer,
    {
        self.map_options(|options| FirstTokenOptions {
            policy: Staggered::new(delay, timer),
            text: options.text,
            on_winner: options.on_winner,
        })
    }
}

impl<F, Via, P, X, H> FirstToken<F, Via, FirstTokenOptions<P, X, H>> {
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
    pub fn text<C, Y>(self, text: Y) -> FirstToken<F, Via, FirstTokenOptions<P, Y, H>>
    where
        F: OpenStream<Via, Chunk = C>,
        Y: Fn(&C) -> Option<&str>,
    {
        self.map_options(|options| FirstTokenOptions {
            policy: options.policy,
            text,
            on_winner: options.on_winner,
        })
    }

    /// Calls `hook` with the index of the winner (0-based, in input order), once for each attempt that has one.
    pub fn on_winner<G>(self, hook: G) -> FirstToken<F, Via, FirstTokenOptions<P, X, G>>
    where
        G: FnMut(usize),
    {
        self.map_options(|options| FirstTokenOptions {
            policy: options.policy,
            text: options.text,
            on_winner: hook,
        })
    }
}
