//! Futures of two functions have two types.

use abreast::race;

async fn primary() -> Result<u32, String> {
    Ok(1)
}

async fn backup() -> Result<u32, String> {
    Ok(2)
}

fn main() {
    let _ = race([primary(), backup()]);
}
