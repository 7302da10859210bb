//! The hooks, shared by every verb.

use core::fmt;

/// The progress of a run.
///
/// It displays as `3/10`, or as `3` when the total is unknown.
///
/// ```
/// use abreast::Progress;
///
/// assert_eq!(Progress { completed: 3, total: Some(10) }.to_string(), "3/10");
/// assert_eq!(Progress { completed: 3, total: None }.to_string(), "3");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Progress {
    /// The number of tasks that have ended, whether they succeeded or failed.
    pub completed: usize,
    /// The number of all tasks, known when the size hint of the source is exact.
    pub total: Option<usize>,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.total {
            Some(total) => write!(f, "{}/{total}", self.completed),
            None => write!(f, "{}", self.completed),
        }
    }
}

/// Observes how tasks end.
///
/// The closures given to `.on_progress(..)`, `.on_complete(..)` and `.on_error(..)` are observers of one kind of thing.
/// Implement the trait for what wants to see them all, and hand it to `.observe(..)`; several observers are called in the
/// order in which they were given. An observer sees a task's value or error when the future of that task has been
/// dropped already and its output is kept, so a panicking observer loses nothing.
///
/// ```
/// use abreast::{Observer, Progress, parallel};
///
/// #[derive(Default)]
/// struct Log(Vec<String>);
///
/// impl<T: std::fmt::Debug, E: std::fmt::Debug> Observer<T, E> for &mut Log {
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
///     .observe(&mut log)
///     .await;
/// assert_eq!(log.0, ["task 0: 6", "1/2", r#"task 1 failed: "divided by zero""#, "2/2"]);
/// # });
/// ```
pub trait Observer<T, E> {
    /// Called after each task that ended, or after each batch where there are batches.
    fn on_progress(&mut self, progress: Progress) {
        let _ = progress;
    }

    /// Called with the value of a task that succeeded, and with its index (0-based, in input order).
    fn on_complete(&mut self, value: &T, index: usize) {
        let _ = (value, index);
    }

    /// Called with the error of a task that failed, and with its index (0-based, in input order).
    fn on_error(&mut self, error: &E, index: usize) {
        let _ = (error, index);
    }
}

/// Observes nothing.
impl<T, E> Observer<T, E> for () {}

/// Calls the first observer, then the second: see `.observe(..)`.
impl<T, E, A: Observer<T, E>, B: Observer<T, E>> Observer<T, E> for (A, B) {
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
}

/// Calls the closure that was given to `.on_progress(..)`.
#[derive(Clone, Copy)]
pub struct OnProgress<F>(pub(crate) F);

impl<T, E, F: FnMut(Progress)> Observer<T, E> for OnProgress<F> {
    fn on_progress(&mut self, progress: Progress) {
        (self.0)(progress);
    }
}

/// Calls the closure that was given to `.on_complete(..)`.
#[derive(Clone, Copy)]
pub struct OnComplete<F>(pub(crate) F);

impl<T, E, F: FnMut(&T, usize)> Observer<T, E> for OnComplete<F> {
    fn on_complete(&mut self, value: &T, index: usize) {
        (self.0)(value, index);
    }
}

/// Calls the closure that was given to `.on_error(..)`.
#[derive(Clone, Copy)]
pub struct OnError<F>(pub(crate) F);

impl<T, E, F: FnMut(&E, usize)> Observer<T, E> for OnError<F> {
    fn on_error(&mut self, error: &E, index: usize) {
        (self.0)(error, index);
    }
}

impl_debug! { OnProgress<F> {} }
impl_debug! { OnComplete<F> {} }
impl_debug! { OnError<F> {} }
