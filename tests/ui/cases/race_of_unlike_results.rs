//! The tasks of a tuple return the same type.

use abreast::race;

async fn primary() -> Result<u32, String> {
    Ok(1)
}

async fn backup() -> Result<u8, String> {
    Ok(2)
}

fn main() {
    let _ = race((primary(), backup()));
    let _ = race((primary(), primary));
}
