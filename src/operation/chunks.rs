//! The settings of operations on chunks.

use super::future::Operation;
use super::handlers::{ChunkSink, CollectChunks, OnChunk, With};
use super::source::{Alike, Fallback, NoText, OpenStream, Opener, Source, Streams, Tokens};
use super::timer::OptionalTimer;

impl<F, Via, St, X> Operation<Streams<Opener<F, Via>, St, X>>
where
    Streams<Opener<F, Via>, St, X>: Tokens,
{
    /// Creates an operation on streams of chunks, such as the events of a client, of which some have text.
    ///
    /// `text` returns the text of a chunk: `None` if it is of another kind, a call of a tool, reasoning, usage, or a
    /// keep-alive. Text goes to the content and the guardrails. All chunks show that the stream is alive and
    /// [reset its timeout](Self::only_text_resets_timeout), but those with an empty text do not. The rest is as for
    /// [`new`](Operation::new).
    ///
    /// ```
    /// use abreast::operation::{Guardrails, Operation};
    /// use futures::stream;
    ///
    /// #[derive(Clone)]
    /// enum Chunk {
    ///     Text(String),
    ///     Call { tool: String },
    /// }
    ///
    /// # smol::block_on(async {
    /// let chunks = || stream::iter([Ok::<_, String>(Chunk::Call { tool: "weather".into() })]);
    /// let mut calls = Vec::new();
    /// let state = Operation::chunks(chunks, |chunk: &Chunk| match chunk {
    ///     Chunk::Text(text) => Some(text),
    ///     Chunk::Call { .. } => None,
    /// })
    /// .guardrails(Guardrails::recommended()) // an answer that is a call is no empty answer
    /// .on_chunk(|chunk| if let Chunk::Call { tool } = chunk { calls.push(tool.clone()) })
    /// .run()
    /// .await?;
    /// assert_eq!((state.content.as_str(), state.other_chunks), ("", 1));
    /// assert_eq!(calls, ["weather"]);
    /// # Ok::<_, abreast::operation::OperationFailure<String>>(())
    /// # }).unwrap();
    /// ```
    pub fn chunks(open: F, text: X) -> Self
    where
        F: OpenStream<Via, Stream = St>,
        X: Fn(&F::Chunk) -> Option<&str>,
    {
        Self::of_source(Streams::new(open, text))
    }
}

impl<S, M, E> Operation<S, M, E>
where
    S: Tokens<Error = E>,
    M: OptionalTimer,
{
    /// Lets only text reset the timeout: chunks without text do not show that the stream is alive.
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::operation::{Operation, Timeout};
    /// # use futures::stream;
    ///
    /// # smol::block_on(async {
    /// # let chunks = || stream::iter([Ok::<Option<&str>, String>(Some("Hello")), Ok(None)]);
    /// let state = Operation::chunks(chunks, |text: &Option<&str>| *text)
    ///     .timer(smol::Timer::after)
    ///     .timeout(Timeout::inter_token(Duration::from_secs(30)))
    ///     .only_text_resets_timeout()
    ///     .run()
    ///     .await?;
    /// # Ok::<_, abreast::operation::OperationFailure<String>>(())
    /// # }).unwrap();
    /// ```
    pub fn only_text_resets_timeout(mut self) -> Self {
        self.session.settings.only_text_resets = true;
        self
    }

    /// Opens this stream of the same chunks if all before it have failed, their retries included.
    ///
    /// As [`fallback`](Self::fallback), for [chunks](Operation::chunks): their text is taken by the same closure, and
    /// the handlers of chunks see those of all streams.
    ///
    /// ```
    /// use abreast::operation::Operation;
    /// use futures::stream;
    ///
    /// # smol::block_on(async {
    /// let state = Operation::chunks(|| stream::iter([Err("overloaded")]), |text: &Option<String>| text.as_deref())
    ///     .fallback_chunks(|| stream::iter([Ok(Some("Hello".to_owned())), Ok(None)]))
    ///     .run()
    ///     .await?;
    /// assert_eq!((state.content.as_str(), state.other_chunks), ("Hello", 1));
    /// # Ok::<_, abreast::operation::OperationFailure<&str>>(())
    /// # }).unwrap();
    /// ```
    pub fn fallback_chunks<F, Via>(
        self,
        open: F,
    ) -> Operation<impl Source<Error = E, Chunk = S::Chunk>, M, E>
    where
        S: Source<Error = E>,
        F: OpenStream<Via, Error = E, Chunk = S::Chunk>,
    {
        let second = Streams::new(open, NoText);
        self.map_source(|first| Fallback::<_, _, Alike>::new(first, second))
    }

    /// Calls `handler` with each chunk, whether it has text or not.
    ///
    /// It comes after what is done with the text of the chunk. Of [fallbacks](Self::fallback) that yield another type,
    /// it sees no chunks.
    ///
    /// For an example, see [`chunks`](Operation::chunks).
    ///
    /// # Panics
    /// A panic of the handler is caught, if there is the feature `std`.
    pub fn on_chunk<F>(
        self,
        handler: F,
    ) -> Operation<impl Source<Error = E, Chunk = S::Chunk>, M, E>
    where
        S: Source<Error = E>,
        F: FnMut(&S::Chunk),
    {
        self.map_source(|source| With::new(source, OnChunk(handler)))
    }

    /// Collects the chunks of the last attempt: those of an attempt that failed are removed when the next one starts.
    ///
    /// ```
    /// use abreast::operation::{Operation, Retry};
    /// use futures::stream;
    ///
    /// # smol::block_on(async {
    /// # let mut calls = 0;
    /// # let open = || { calls += 1; stream::iter([Ok(Some("Hi")), if calls == 1 { Err("broken") } else { Ok(None) }]) };
    /// let mut chunks = Vec::new();
    /// Operation::chunks(open, |text: &Option<&str>| *text)
    ///     .retry_at_once(Retry::recommended())
    ///     .collect_chunks(&mut chunks)
    ///     .run()
    ///     .await?;
    /// assert_eq!(chunks, [Some("Hi"), None]);
    /// # Ok::<_, abreast::operation::OperationFailure<&str>>(())
    /// # }).unwrap();
    /// ```
    pub fn collect_chunks<K>(
        self,
        sink: K,
    ) -> Operation<impl Source<Error = E, Chunk = S::Chunk>, M, E>
    where
        S: Source<Error = E>,
        K: ChunkSink<S::Chunk>,
    {
        self.map_source(|source| With::new(source, CollectChunks(sink)))
    }
}
