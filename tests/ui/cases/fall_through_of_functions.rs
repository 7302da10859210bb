//! It takes futures, not functions that make them.

use abreast::fall_through;

async fn primary() -> Result<u32, String> {
    Ok(1)
}

fn main() {
    let _ = fall_through([primary, primary]);
}
