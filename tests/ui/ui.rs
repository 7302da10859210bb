//! Programs that must not compile, each with what the compiler has to say about it: a message is part of the interface.
//!
//! The words are those of one version of the compiler, `rustc` under `workspace.metadata.snapshots` in `Cargo.toml`.
//! After a change that is meant, write them anew and read the difference:
//!
//! ```sh
//! TRYBUILD=overwrite cargo test -p abreast-ui
//! ```

#[test]
fn errors_read_as_they_should() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
