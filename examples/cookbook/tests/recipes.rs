//! Runs each recipe, and compares what it prints with what it should, in `expected`.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

#[track_caller]
fn prints_what_is_expected(recipe: &str, program: &str) {
    let output = Command::new(program).output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{errors}", output.status);

    let printed = String::from_utf8(output.stdout).expect("it prints text");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/expected/{recipe}.txt"));
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &printed).expect("it can be written");
    }
    let expected = fs::read_to_string(path).expect("each recipe has a file of what it prints");
    assert_eq!(printed, expected);
}

macro_rules! recipes {
    ($($recipe:ident)*) => {$(
        #[test]
        fn $recipe() {
            let recipe = stringify!($recipe);
            prints_what_is_expected(recipe, env!(concat!("CARGO_BIN_EXE_", stringify!($recipe))));
        }
    )*};
}

recipes! { crawler many_hosts rate_limit bulk_import axum_pool shutdown metrics llm_tools virtual_clock }
