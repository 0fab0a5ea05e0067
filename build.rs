//! Puts the providers' files together for the builds that carry them all: `{"name": {file}, ..}`.

use std::path::Path;
use std::{env, fs};

fn main() {
    let directory = Path::new("src/protocol/providers");
    println!("cargo::rerun-if-changed={}", directory.display());
    let mut files: Vec<_> = fs::read_dir(directory)
        .expect("the providers' directory")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    let members: Vec<_> = files
        .iter()
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy();
            let file = fs::read_to_string(path).expect("a readable file");
            format!("\"{name}\":{file}")
        })
        .collect();
    let out = Path::new(&env::var_os("OUT_DIR").expect("cargo says where")).join("providers.json");
    fs::write(out, format!("{{{}}}", members.join(","))).expect("a writable directory");
}
