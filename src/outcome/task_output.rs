//! The bound on what tasks return, with a compile error that says what to do.

/// Holds for what a task returns: a `Result`.
///
/// It stands in the bounds of verbs where `Output = Result<T, E>` could, for the sake of what the compiler says about
/// tasks that return something else. No other type implements it. Generic functions simply ask for a `Result`:
///
/// ```
/// use abreast::parallel;
///
/// async fn all<T, E>(tasks: Vec<impl Future<Output = Result<T, E>>>) -> Result<Vec<T>, E> {
///     parallel(tasks).concurrency(20).await.into_values()
/// }
/// # smol::block_on(async {
/// # assert_eq!(all(vec![async { Ok::<_, ()>(4) }]).await, Ok(vec![4]));
/// # });
/// ```
#[diagnostic::on_unimplemented(
    message = "tasks and handlers return a `Result`, and this returns `{Self}`",
    label = "this returns `{Self}`",
    note = "a block with `?` in it ends with `Ok(value)`",
    note = "what never fails may return `Ok::<_, std::convert::Infallible>(value)`",
    note = "a list of futures that return something else is run by `join_all`, a tuple by `gather`"
)]
pub trait TaskOutput: sealed::Sealed {
    /// What a task that succeeds returns.
    type Value;
    /// What a task that fails returns.
    type Error;
}

impl<T, E> TaskOutput for Result<T, E> {
    type Value = T;
    type Error = E;
}

mod sealed {
    pub trait Sealed {}
    impl<T, E> Sealed for Result<T, E> {}
}
