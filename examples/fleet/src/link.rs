//! A connection that is made again after it has failed.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::lock::Mutex;

use crate::queue::Error;

/// How long it may take to connect, and to get an answer to a command that waits for nothing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

type Connect<C> = Box<dyn Fn() -> BoxFuture<'static, Result<C, Error>> + Send + Sync>;

/// A connection that is made when it is first used, and again after an error.
///
/// It does not try anything twice: only the caller knows whether that is harmless.
pub(crate) struct Link<C> {
    connect: Connect<C>,
    /// The connection, and how many there were before it.
    current: Mutex<(u64, Option<C>)>,
}

impl<C: Clone> Link<C> {
    pub(crate) fn new<F, Fut>(connect: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<C, Error>> + Send + 'static,
    {
        Self {
            connect: Box::new(move || Box::pin(connect())),
            current: Mutex::new((0, None)),
        }
    }

    /// Runs `operation` with the connection, and forgets the connection if it fails.
    pub(crate) async fn with<T, E, Fut>(&self, operation: impl FnOnce(C) -> Fut) -> Result<T, Error>
    where
        E: Into<Error>,
        Fut: Future<Output = Result<T, E>>,
    {
        // Whoever comes first connects; the others wait for it here.
        let mut current = self.current.lock().await;
        let connection = match &current.1 {
            Some(connection) => connection.clone(),
            None => current.1.insert((self.connect)().await?).clone(),
        };
        let number = current.0;
        drop(current);

        let result = operation(connection).await.map_err(Into::into);
        if result.is_err() {
            // Many operations fail with one connection, but only the first of them is to forget it.
            let mut current = self.current.lock().await;
            if current.0 == number {
                *current = (number + 1, None);
            }
        }
        result
    }
}

impl<C> fmt::Debug for Link<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}
