//! Where things are, and how a child process is started.

use anyhow::{Context as _, Result, bail};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The workspace's directory.
pub fn root() -> PathBuf {
    let here =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&here)
        .parent()
        .expect("xtask stands in the workspace")
        .to_owned()
}

/// The target directory this very program was built into; children are given the same one.
pub fn target_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("CARGO_TARGET_DIR") {
        return root().join(dir);
    }
    std::env::current_exe()
        .ok()
        .and_then(|exe| {
            let tagged = |dir: &&Path| dir.join("CACHEDIR.TAG").exists();
            exe.ancestors().find(tagged).map(Path::to_owned)
        })
        .unwrap_or_else(|| root().join("target"))
}

/// Where `build` keeps what is not in the package.
pub fn stage() -> PathBuf {
    target_dir().join("package/stage")
}

/// cargo in the workspace, without what `cargo run` told this program about itself: build
/// scripts look at some of it, and would run again.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target_dir());
    command
}

/// A program that npm installed for us.
pub fn npm_bin(name: &str) -> Command {
    let mut command = Command::new(root().join("xtask/npm/node_modules/.bin").join(name));
    command.current_dir(root());
    command
}

/// An empty directory.
pub fn recreate(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir)?;
    }
    fs::create_dir_all(dir).with_context(|| format!("{}", dir.display()))
}

/// All that is in one directory, into another that is there.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    copy_without(from, to, &[])
}

/// The same, but for what has one of these names, at any depth.
pub fn copy_without(from: &Path, to: &Path, names: &[&str]) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if names.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&to)?;
            copy_without(&entry.path(), &to, names)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// Runs to the end and gives standard output; on failure all that was said is in the error.
pub fn output(command: &mut Command) -> Result<String> {
    run(command).map(|(stdout, _)| stdout)
}

/// As `output`; what a compiler said on standard error is shown even where it succeeded.
pub fn with_warnings(command: &mut Command) -> Result<()> {
    let (_, stderr) = run(command)?;
    if !stderr.trim().is_empty() {
        println!("\n{}", stderr.trim_end());
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<(String, String)> {
    let name = command.get_program().to_string_lossy().into_owned();
    let out = command
        .output()
        .with_context(|| format!("cannot start {name}"))?;
    let stdout = String::from_utf8_lossy(&out.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
    if !out.status.success() {
        bail!("{name}: {}\n{stdout}{stderr}", out.status);
    }
    Ok((stdout, stderr))
}

/// Numbered progress lines: `[3/6] wasm-opt ... 4.1 s`.
pub struct Steps {
    total: usize,
    done: usize,
}

impl Steps {
    pub fn new(total: usize) -> Self {
        Steps { total, done: 0 }
    }

    pub fn step<T>(&mut self, title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.done += 1;
        timed(&format!("[{}/{}] {title}", self.done, self.total), work)
    }
}

/// One line that says what is being done and, at the end, how long it took.
pub fn timed<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    print!("{title} ... ");
    let _ = std::io::stdout().flush();
    let start = Instant::now();
    let result = work();
    let took = start.elapsed().as_secs_f32();
    match &result {
        Ok(_) => println!("{took:.1} s"),
        Err(_) => println!("failed after {took:.1} s"),
    }
    result
}
