//! A service that limits the rate of requests.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::{Router, http::StatusCode, routing::get};
use tokio::time::sleep;

use crate::serve;

/// Serves `/items/{id}`, each after 50 ms. Refuses what is more than a request per 15 ms, but for ten at once. Returns
/// the URL of the items.
///
/// # Errors
/// If there is no free port.
pub async fn serve_items() -> io::Result<String> {
    let bucket = Bucket {
        tokens: 10.0,
        filled: Instant::now(),
    };
    let router = Router::new().route("/items/{id}", get(item));
    let address = serve(router.with_state(Arc::new(Mutex::new(bucket)))).await?;
    Ok(format!("http://{address}/items"))
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

async fn item(
    State(bucket): State<Arc<Mutex<Bucket>>>,
    Path(id): Path<u32>,
) -> Result<String, StatusCode> {
    {
        let mut bucket = bucket.lock().unwrap();
        let passed = bucket.filled.elapsed().as_secs_f64();
        bucket.tokens = (bucket.tokens + passed / 0.015).min(10.0) - 1.0;
        bucket.filled = Instant::now();
        if bucket.tokens < 0.0 {
            return Err(StatusCode::TOO_MANY_REQUESTS);
        }
    }
    sleep(Duration::from_millis(50)).await;
    Ok(format!("item {id}"))
}
