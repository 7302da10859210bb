//! Tasks of a group may borrow from outside it: the body may be over before they are.

use abreast::{TaskGroupError, task_group};

async fn run() -> Result<(), TaskGroupError<()>> {
    task_group(async |group| {
        let inside = String::from("gone when the body is done");
        group.spawn(async { Ok(drop(inside.len())) });
        Ok(())
    })
    .await
}

fn main() {
    futures::executor::block_on(run()).unwrap();
}
