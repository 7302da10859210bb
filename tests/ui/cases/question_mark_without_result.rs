//! `?` in a block whose last word is no `Result`.

use abreast::{batched, parallel, sequential};

async fn fetch() -> Result<u32, String> {
    Ok(1)
}

fn main() {
    let _ = parallel((0..3).map(|_| async { fetch().await? }));
    let _ = sequential((0..3).map(|_| async {
        fetch().await?;
    }));
    let _ = batched(0..3, |_| async { fetch().await? + 1 });
}
