//! What the READMEs of the crates show can be copied; that it compiles elsewhere is seen by `cargo xtask check --only readmes`.

use std::fs;

use crate::metadata::root;

#[test]
fn a_readme_with_rust_says_what_to_depend_on_and_needs_no_generator_from_elsewhere() {
    let mut n_readmes = 0;
    for entry in fs::read_dir(root().join("crates")).expect("the crates") {
        let folder = entry.expect("a crate").path();
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(folder.join("README.md")).expect("a README");
        if !text.contains("\n```rust") {
            continue;
        }
        let own = format!("\n[dependencies]\n{name} = {{ path = \"crates/{name}\" }}\n");
        assert!(text.contains(&own), "{name}: expected a block that begins with {own}");
        let block =
            text.split("```toml\n[dependencies]").nth(1).and_then(|rest| rest.split("```").next()).expect(&name);
        assert!(!block.contains("rand"), "{name}: {block}");
        assert!(!text.contains("use rand"), "{name}: an example needs a generator");
        n_readmes += 1;
    }
    assert_eq!(n_readmes, 9);
}
