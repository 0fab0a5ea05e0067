//! The build tool. `cargo xtask` says what it can do.

mod bench;
mod bundlers;
mod capabilities;
mod consumer;
mod demo;
mod docs;
mod examples;
mod licences;
mod live;
mod matrix;
mod pack;
mod package;
mod peers;
mod providers;
mod report;
mod reproducible;
mod sandbox;
mod seal;
mod simulate;
mod size;
mod snip;
mod subpaths;
mod suites;
mod text;
mod tools;
mod vault;
mod wasm_pack;
mod weigh;
mod workspace;
mod yew;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask demo [--port N]      build the package, serve the console page against the sandbox
cargo xtask test [suite...]      everything, or only the named suites
cargo xtask docs                 build the documentation's site, its links and snippets checked
cargo xtask build                leave the npm package in pkg/ and print its size
cargo xtask weigh [part]         where the bytes of a part are: its functions, by subject
cargo xtask bench [--quick] [--write] [calls] [streams] [journeys]
                                 measure a login with this library and with others; --write: into docs/benchmarks.md
cargo xtask simulate [--seeds N] [--from N]
                                 run the client in a simulated browser, by schedules that a seed chooses
cargo xtask peers                run the table of addresses against other libraries
cargo xtask yew                  build the example in Yew
cargo xtask examples             build the examples in JavaScript
cargo xtask bundlers [row...]    log in through every bundler, its build and its server for development
cargo xtask wasm-pack [args...]  wasm-pack build, with the wasm-bindgen of Cargo.lock

The tools they need are installed: the wasm target, npm packages and, as root on Debian,
browsers and drivers. Elsewhere a sentence says what to install.";

fn main() -> ExitCode {
    if wasm_pack::is_wasm_bindgen() {
        return wasm_pack::wasm_bindgen();
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = args.get(1..).unwrap_or_default();
    let done = match args.first().map(String::as_str) {
        Some("build") => package::build().map(|()| true),
        Some("demo") => demo::run(rest).map(|()| true),
        Some("docs") => docs::run(),
        Some("test") => suites::run(rest),
        Some("weigh") => weigh::run(rest).map(|()| true),
        Some("bench") => bench::run(rest).map(|()| true),
        Some("simulate") => simulate::run(rest),
        Some("peers") => peers::run().map(|()| true),
        Some("bundlers") => bundlers::run(rest),
        Some("examples") => examples::run().map(|()| true),
        Some("yew") => yew::run().map(|()| true),
        Some("wasm-pack") => wasm_pack::run(rest).map(|()| true),
        Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            Ok(true)
        }
        _ => {
            eprintln!("{USAGE}\n\nsuites: {}", suites::names().join(" "));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
