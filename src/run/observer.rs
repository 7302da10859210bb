//! The hooks, shared by every verb.

use super::progress::Progress;

/// Observes how tasks start and end.
///
/// The closures given to `.on_start(..)`, `.on_progress(..)`, `.on_complete(..)` and `.on_error(..)` are observers of
/// one kind of thing. Implement the trait for what wants to see them all, and hand it to `.observe(..)`; several
/// observers are called in the order in which they were given. An observer learns of a task when it has been pulled
/// from its source and has its place, just before its first poll: if the observer panics, the next poll of the run
/// polls the task. It sees a task's value or error when the future of that task has been dropped already and its output
/// is kept, so a panicking observer loses nothing. A task whose destructor panics keeps its output too, and no observer
/// is notified.
///
/// ```
/// use abreast::{Observer, Progress, parallel};
///
/// #[derive(Default)]
/// struct Log(Vec<String>);
///
/// impl<T: std::fmt::Debug, E: std::fmt::Debug> Observer<T, E> for &mut Log {
///     fn on_start(&mut self, index: usize) {
///         self.0.push(format!("task {index} starts"));
///     }
///     fn on_complete(&mut self, value: &T, index: usize) {
///         self.0.push(format!("task {index}: {value:?}"));
///     }
///     fn on_error(&mut self, error: &E, index: usize) {
///         self.0.push(format!("task {index} failed: {error:?}"));
///     }
///     fn on_progress(&mut self, progress: Progress) {
///         self.0.push(progress.to_string());
///     }
/// }
///
/// # smol::block_on(async {
/// let mut log = Log::default();
/// parallel([1, 0].map(|n| async move { 6_i32.checked_div(n).ok_or("divided by zero") }))
///     .concurrency(1)
///     .observe(&mut log)
///     .await;
/// assert_eq!(
///     log.0,
///     ["task 0 starts", "task 0: 6", "1/2", "task 1 starts", r#"task 1 failed: "divided by zero""#, "2/2"],
/// );
/// # });
/// ```
pub trait Observer<T, E> {
    /// Learns that the run begins: it is polled for the first time.
    fn on_begin(&mut self) {}

    /// Learns that a task is about to be polled for the first time, with its index (0-based, in input order).
    fn on_start(&mut self, index: usize) {
        let _ = index;
    }

    /// Learns the progress after each task that ended, or after each batch where there are batches.
    fn on_progress(&mut self, progress: Progress) {
        let _ = progress;
    }

    /// Receives the value of a task that succeeded, and its index (0-based, in input order).
    fn on_complete(&mut self, value: &T, index: usize) {
        let _ = (value, index);
    }

    /// Receives the error of a task that failed, and its index (0-based, in input order).
    fn on_error(&mut self, error: &E, index: usize) {
        let _ = (error, index);
    }

    /// Returns whether starts are looked at, so that there is code to tell of them.
    #[doc(hidden)]
    #[inline]
    fn has_start_hook(&self) -> bool {
        true
    }

    /// Returns whether progress is looked at, so that there is code to tell of it, and the run reads the clock when it
    /// begins.
    #[doc(hidden)]
    fn reads_progress(&self) -> bool {
        true
    }

    /// Gives up what gates keep outside of a run that was stopped before its end. May be called more than once.
    #[doc(hidden)]
    fn on_stop(&mut self) {}
}

/// Observes nothing.
impl<T, E> Observer<T, E> for () {
    #[inline]
    fn has_start_hook(&self) -> bool {
        false
    }

    fn reads_progress(&self) -> bool {
        false
    }
}

/// Calls the first observer, then the second: see `.observe(..)`.
impl<T, E, A: Observer<T, E>, B: Observer<T, E>> Observer<T, E> for (A, B) {
    fn on_begin(&mut self) {
        self.0.on_begin();
        self.1.on_begin();
    }

    fn on_start(&mut self, index: usize) {
        self.0.on_start(index);
        self.1.on_start(index);
    }

    fn on_progress(&mut self, progress: Progress) {
        self.0.on_progress(progress);
        self.1.on_progress(progress);
    }

    fn on_complete(&mut self, value: &T, index: usize) {
        self.0.on_complete(value, index);
        self.1.on_complete(value, index);
    }

    fn on_error(&mut self, error: &E, index: usize) {
        self.0.on_error(error, index);
        self.1.on_error(error, index);
    }

    #[inline]
    fn has_start_hook(&self) -> bool {
        self.0.has_start_hook() || self.1.has_start_hook()
    }

    fn reads_progress(&self) -> bool {
        self.0.reads_progress() || self.1.reads_progress()
    }

    fn on_stop(&mut self) {
        self.0.on_stop();
        self.1.on_stop();
    }
}

/// Calls the closure that was given to `.on_start(..)`.
#[derive(Clone, Copy)]
pub struct OnStart<F>(pub(crate) F);

impl<T, E, F: FnMut(usize)> Observer<T, E> for OnStart<F> {
    fn on_start(&mut self, index: usize) {
        (self.0)(index);
    }

    fn reads_progress(&self) -> bool {
        false
    }
}

/// Calls the closure that was given to `.on_progress(..)`.
#[derive(Clone, Copy)]
pub struct OnProgress<F>(pub(crate) F);

impl<T, E, F: FnMut(Progress)> Observer<T, E> for OnProgress<F> {
    #[inline]
    fn has_start_hook(&self) -> bool {
        false
    }

    fn on_progress(&mut self, progress: Progress) {
        (self.0)(progress);
    }
}

/// Calls the closure that was given to `.on_complete(..)`.
#[derive(Clone, Copy)]
pub struct OnComplete<F>(pub(crate) F);

impl<T, E, F: FnMut(&T, usize)> Observer<T, E> for OnComplete<F> {
    #[inline]
    fn has_start_hook(&self) -> bool {
        false
    }

    fn on_complete(&mut self, value: &T, index: usize) {
        (self.0)(value, index);
    }

    fn reads_progress(&self) -> bool {
        false
    }
}

/// Calls the closure that was given to `.on_error(..)`.
#[derive(Clone, Copy)]
pub struct OnError<F>(pub(crate) F);

impl<T, E, F: FnMut(&E, usize)> Observer<T, E> for OnError<F> {
    #[inline]
    fn has_start_hook(&self) -> bool {
        false
    }

    fn on_error(&mut self, error: &E, index: usize) {
        (self.0)(error, index);
    }

    fn reads_progress(&self) -> bool {
        false
    }
}

impl_debug! { OnStart<F> {} }
impl_debug! { OnProgress<F> {} }
impl_debug! { OnComplete<F> {} }
impl_debug! { OnError<F> {} }
