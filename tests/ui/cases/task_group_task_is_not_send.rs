//! A group whose tasks stay on their thread is a `local_task_group`.

use std::rc::Rc;

use abreast::{TaskGroupError, task_group};

async fn run() -> Result<(), TaskGroupError<()>> {
    task_group(async |group| {
        let shared = Rc::new(1);
        group.spawn(async move {
            futures::future::ready(()).await;
            Ok(drop(shared))
        });
        Ok(())
    })
    .await
}

fn main() {
    futures::executor::block_on(run()).unwrap();
}
