//! The traits that every public type of the crate has: `Debug`, and `FusedFuture` or `FusedStream`.
//!
//! A derived `Debug` asks for `Debug` of each type parameter, and futures and closures have none. So what is shown is listed
//! here, and no parameter has a bound but those that the type itself has.

/// Implements `Debug`: some fields, or values by name, of a type whose parameters need not be `Debug`.
///
/// ```text
/// impl_debug!(Sequential<I, Fut, T, E> { runner });
/// impl_debug!(Timeout<Fut, M: Timer> |self| { duration: self.duration, resolved: self.future.is_none() });
/// impl_debug!(OnProgress<F> {});
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
/// impl_fused!(FusedFuture for Sequential<I, Fut, T, E> |self| self.runner.is_done());
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
