//! Holds the page of the cookbook to the programs: what it shows of them is in them, word for word.

use std::fs;
use std::path::Path;

#[test]
fn page_shows_the_programs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).expect(path);
    let page = read("../../docs/COOKBOOK.md");

    let mut recipes = 0;
    // Each section begins with a link to its program, which is defined at the end.
    for section in page.split("\n## ").skip(1) {
        let (_, label) = section.split_once("\n\n[`").expect(section);
        let (label, _) = label.split_once('`').expect(section);
        let (_, path) = page.split_once(&format!("[`{label}`]: ")).expect(label);
        let path = &format!("../../docs/{}", path.lines().next().expect(label));
        let program = unindented(&read(path));
        assert!(code_lines(&program) <= 50, "{path} is not small any more");
        for block in section.split("```rust\n").skip(1) {
            let (shown, _) = block.split_once("```").expect("it is closed");
            assert!(
                program.contains(&unindented(shown)),
                "not in {path}:\n{shown}"
            );
        }
        recipes += 1;
    }
    assert_eq!(recipes, 10);
}

/// Leaves out what stands before and after each line.
fn unindented(code: &str) -> String {
    code.lines().flat_map(|line| [line.trim(), "\n"]).collect()
}

/// Counts lines that are neither empty nor comments.
fn code_lines(program: &str) -> usize {
    let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//");
    program.lines().filter(is_code).count()
}
