//! Stands for the client of a service.

use smol::future::yield_now;

/// A client, of which one operation fails.
#[derive(Debug)]
pub struct Client;

impl Client {
    /// Says how the service is.
    pub async fn health(&self) -> Result<String, String> {
        yield_now().await;
        Ok("healthy".to_owned())
    }

    /// Lists as many classes as there may be.
    pub async fn list_agent_classes(&self, limit: usize) -> Result<Vec<String>, String> {
        yield_now().await;
        Ok(vec!["a class".to_owned(); limit])
    }

    /// Lists a page of 250 definitions.
    pub async fn list_agent_definitions(
        &self,
        limit: usize,
        offset: usize,
    ) -> Result<Vec<String>, String> {
        yield_now().await;
        let page = (0..250).skip(offset).take(limit);
        Ok(page.map(|number| format!("definition {number}")).collect())
    }

    /// Fails.
    pub async fn list_deployments(&self, _limit: usize) -> Result<Vec<String>, String> {
        yield_now().await;
        Err("503".to_owned())
    }

    /// Gets a class, but for one that is not there.
    pub async fn get_agent_class(&self, id: u32) -> Result<String, String> {
        yield_now().await;
        if id == 7 {
            return Err("404".to_owned());
        }
        Ok(format!("class {id}"))
    }
}
