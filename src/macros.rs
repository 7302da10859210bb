//! The traits that every public type of the crate has: `Debug`, and `FusedFuture` or `FusedStream`.
//!
//! A derived `Debug` asks for `Debug` of each type parameter, and futures and closures have none. So what is shown is
//! listed here, and no parameter has a bound but those that the type itself has.

/// Implements `Debug`: some fields, or values by name, of a type whose parameters need not be `Debug`.
///
/// In braces, rustfmt leaves it alone.
///
/// ```text
/// impl_debug! { Sequential<I, Fut, T, E, O> { run } }
/// impl_debug!(TimeoutFuture<Fut: Future, M: Timer> |self| { duration: self.duration, resolved: self.done });
/// impl_debug! { OnProgress<F> {} }
/// ```
macro_rules! impl_debug {
    (
        $name:ident $(<$($param:tt $(: $bound:path)?),*>)? { $($field:ident),* $(,)? }
    ) => {
        impl_debug!(
            $name $(<$($param $(: $bound)?),*>)? |self| { $($field: self.$field),* }
        );
    };
    (
        $name:ident $(<$($param:tt $(: $bound:path)?),*>)?
        |$self:ident| { $($field:ident: $value:expr),* $(,)? }
    ) => {
        impl$(<$($param $(: $bound)?),*>)? ::core::fmt::Debug for $name$(<$($param),*>)? {
            fn fmt(&$self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), &$value))*
                    .finish_non_exhaustive()
            }
        }
    };
}

/// Implements `FusedFuture` or `FusedStream`, wherever the type is a future or a stream.
///
/// ```text
/// impl_fused!(FusedFuture for Sequential<I, Fut, T, E, O> |self| self.run.is_done());
/// ```
macro_rules! impl_fused {
    (FusedFuture for $($rest:tt)*) => {
        impl_fused!(@ (::futures::future::FusedFuture) (::core::future::Future) $($rest)*);
    };
    (FusedStream for $($rest:tt)*) => {
        impl_fused!(@ (::futures::stream::FusedStream) (::futures::stream::Stream) $($rest)*);
    };
    (
        @ ($($fused:tt)*) ($($base:tt)*)
        $name:ident<$($param:tt $(: $bound:path)?),*> |$self:ident| $is_terminated:expr
    ) => {
        impl<$($param $(: $bound)?),*> $($fused)* for $name<$($param),*>
        where
            Self: $($base)*,
        {
            fn is_terminated(&$self) -> bool {
                $is_terminated
            }
        }
    };
}

/// Implements the hooks of a verb that has a `run`: `on_start`, `on_progress`, `on_complete`, `on_error` and `observe`.
///
/// Progress is reported after `$when`. `$run` is the run in the examples, which have an array `tasks`.
///
/// ```text
/// impl_hooks!(Sequential<I, Fut>, "a task", "abreast::sequential(tasks)");
/// ```
macro_rules! impl_hooks {
    ($name:ident<$($param:ident),*>, $when:literal, $run:literal) => {
        impl<$($param,)* T, E, O> $name<$($param,)* T, E, O> {
            /// Calls `hook` with the index (0-based, in input order) of each task that starts, just before its first
            /// poll.
            ///
            /// The task has its place by then: if the hook panics, the next poll of the run polls the task.
            ///
            /// ```
            /// # smol::block_on(async {
            /// # let tasks = [async { Ok::<_, &str>(1) }];
            #[doc = concat!("let result = ", $run)]
            ///     .on_start(|index| println!("{index} starts"))
            ///     .await;
            /// # });
            /// ```
            pub fn on_start<F>(self, hook: F) -> $name<$($param,)* T, E, (O, crate::run::OnStart<F>)>
            where
                F: FnMut(usize),
            {
                self.observe(crate::run::OnStart(hook))
            }

            #[doc = concat!("Calls `hook` each time ", $when, " has ended, with the number of ended tasks and the total.")]
            ///
            /// ```
            /// # smol::block_on(async {
            /// # let tasks = [async { Ok::<_, &str>(1) }];
            #[doc = concat!("let result = ", $run)]
            ///     .on_progress(|progress| println!("{progress}"))
            ///     .await;
            /// # });
            /// ```
            pub fn on_progress<F>(self, hook: F) -> $name<$($param,)* T, E, (O, crate::run::OnProgress<F>)>
            where
                F: FnMut(crate::Progress),
            {
                self.observe(crate::run::OnProgress(hook))
            }

            /// Calls `hook` with the value of each task that succeeds and its index (0-based, in input order).
            ///
            /// ```
            /// # smol::block_on(async {
            /// # let tasks = [async { Ok::<_, &str>(1) }];
            #[doc = concat!("let result = ", $run)]
            ///     .on_complete(|value, index| println!("{index}: {value}"))
            ///     .await;
            /// # });
            /// ```
            pub fn on_complete<F>(self, hook: F) -> $name<$($param,)* T, E, (O, crate::run::OnComplete<F>)>
            where
                F: FnMut(&T, usize),
            {
                self.observe(crate::run::OnComplete(hook))
            }

            /// Calls `hook` with the error of each task that fails and its index (0-based, in input order).
            ///
            /// ```
            /// # smol::block_on(async {
            /// # let tasks = [async { Ok::<_, &str>(1) }];
            #[doc = concat!("let result = ", $run)]
            ///     .on_error(|error, index| eprintln!("{index}: {error}"))
            ///     .await;
            /// # });
            /// ```
            pub fn on_error<F>(self, hook: F) -> $name<$($param,)* T, E, (O, crate::run::OnError<F>)>
            where
                F: FnMut(&E, usize),
            {
                self.observe(crate::run::OnError(hook))
            }

            /// Adds an observer, called after those that were given before.
            ///
            /// ```
            /// #[derive(Default)]
            /// struct Metrics {
            ///     failures: usize,
            /// }
            ///
            /// impl<T, E> abreast::Observer<T, E> for &mut Metrics {
            ///     fn on_error(&mut self, _: &E, _: usize) {
            ///         self.failures += 1;
            ///     }
            /// }
            ///
            /// # smol::block_on(async {
            /// # let tasks = [async { Ok::<_, &str>(1) }];
            /// let mut metrics = Metrics::default();
            #[doc = concat!("let result = ", $run, ".observe(&mut metrics).await;")]
            /// assert_eq!(metrics.failures, 0);
            /// # });
            /// ```
            pub fn observe<P>(self, observer: P) -> $name<$($param,)* T, E, (O, P)>
            where
                P: crate::Observer<T, E>,
            {
                $name {
                    run: self.run.observe(observer),
                }
            }
        }
    };
}
