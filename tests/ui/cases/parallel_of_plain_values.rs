//! Tasks that cannot fail go into `join_all`.

use abreast::parallel;

fn main() {
    let _ = parallel((0..3).map(|n| async move { n }));
}
