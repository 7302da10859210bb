//! A client of the control plane, on any runtime.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use abreast::{Elapsed, Timer, timeout};
use serde_json::Value;

/// What a runtime has to do for the client.
pub(crate) trait Runtime: Clone + Send + Sync + 'static {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;

    /// Returns the body of the answer to a GET request.
    fn get(
        &self,
        server: SocketAddr,
        path: &str,
    ) -> impl Future<Output = Result<Vec<u8>, Error>> + Send;
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no connection: {0}")]
    Connect(#[from] io::Error),
    #[error("no answer: {0}")]
    Transport(#[source] Box<dyn StdError + Send + Sync>),
    #[error("status {0}")]
    Status(u16),
    #[error("{0}")]
    TimedOut(#[from] Elapsed),
    #[error("not what was asked for: {0}")]
    Format(#[from] serde_json::Error),
}

impl Error {
    pub(crate) fn transport(error: impl StdError + Send + Sync + 'static) -> Self {
        Self::Transport(Box::new(error))
    }
}

/// An agent class, a definition, a provider or a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// Asks one control plane.
#[derive(Clone, Debug)]
pub(crate) struct Client<R> {
    runtime: R,
    server: SocketAddr,
    /// No request takes longer: without such a limit, a dead endpoint would hold up everything for ever.
    request_timeout: Duration,
}

impl<R: Runtime> Client<R> {
    pub(crate) fn new(runtime: R, server: SocketAddr) -> Self {
        Self {
            runtime,
            server,
            request_timeout: Duration::from_millis(400),
        }
    }

    /// Returns the `sleep` of the runtime, which is a timer as it is.
    pub(crate) fn timer(&self) -> impl Timer<Sleep: Send> + Copy + Send + Sync {
        |duration| self.runtime.sleep(duration)
    }

    pub(crate) async fn health(&self) -> Result<String, Error> {
        let health = self.get("/health").await?;
        Ok(text(&health, "status"))
    }

    pub(crate) async fn list_agent_classes(
        &self,
        limit: usize,
        offset: usize,
    ) -> Result<Vec<Resource>, Error> {
        self.list("/agent-classes", limit, offset).await
    }

    pub(crate) async fn list_agent_definitions(
        &self,
        limit: usize,
        offset: usize,
    ) -> Result<Vec<Resource>, Error> {
        self.list("/agent-definitions", limit, offset).await
    }

    pub(crate) async fn list_model_providers(
        &self,
        limit: usize,
        offset: usize,
    ) -> Result<Vec<Resource>, Error> {
        self.list("/model-providers", limit, offset).await
    }

    pub(crate) async fn list_deployments(
        &self,
        limit: usize,
        offset: usize,
    ) -> Result<Vec<Resource>, Error> {
        self.list("/deployments", limit, offset).await
    }

    pub(crate) async fn get_agent_class(&self, id: usize) -> Result<Resource, Error> {
        Ok(resource(&self.get(&format!("/agent-classes/{id}")).await?))
    }

    /// Returns what there is to know about a definition.
    pub(crate) async fn analyze(&self, definition: Resource) -> Result<String, Error> {
        let id = definition.id;
        let analysis = self.get(&format!("/agent-definitions/{id}")).await?;
        Ok(format!(
            "{} on {}",
            definition.name,
            text(&analysis, "model")
        ))
    }

    async fn list(&self, path: &str, limit: usize, offset: usize) -> Result<Vec<Resource>, Error> {
        let page = self
            .get(&format!("{path}?limit={limit}&offset={offset}"))
            .await?;
        Ok(page["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(resource)
            .collect())
    }

    async fn get(&self, path: &str) -> Result<Value, Error> {
        let request = self.runtime.get(self.server, path);
        let body = timeout(self.request_timeout, self.timer(), request).await??;
        Ok(serde_json::from_slice(&body)?)
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn resource(value: &Value) -> Resource {
    Resource {
        id: text(value, "id"),
        name: text(value, "name"),
    }
}
