//! A child process whose output is shown as it comes and counted on the way.

use crate::report::Tally;
use anyhow::{Context as _, Result, bail};
use std::io::{BufRead as _, BufReader, IsTerminal as _, PipeReader, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Longer than anything takes on a slow machine with nothing compiled.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Runs something that passes or fails as a whole.
pub fn check(command: &mut Command, tally: &mut Tally) -> Result<()> {
    let status = run(command, |_| {})?;
    tally.one(status.success());
    Ok(())
}

/// Runs tests and counts them. No test at all is a failure.
pub fn tests(command: &mut Command, tally: &mut Tally) -> Result<()> {
    let before = tally.passed + tally.failed;
    tests_if_any(command, tally)?;
    if tally.passed + tally.failed == before {
        tally.fail("no test ran");
    }
    Ok(())
}

/// Runs tests and counts them by their `test result:` lines.
pub fn tests_if_any(command: &mut Command, tally: &mut Tally) -> Result<()> {
    let mut counted = Tally::default();
    let status = run(command, |line| counted.read(line))?;
    if !status.success() && counted.failed == 0 {
        counted.fail(&format!("{status} before the tests were over"));
    }
    tally.add(counted);
    Ok(())
}

fn run(command: &mut Command, mut each: impl FnMut(&str)) -> Result<ExitStatus> {
    if std::io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let program = command.get_program().to_string_lossy().into_owned();
    // One pipe for both streams keeps their order.
    let (reader, writer) = std::io::pipe()?;
    let child = command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn();
    // The command holds the writing ends, and they would keep the pipe open.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = child.with_context(|| format!("cannot start {program}"))?;
    let lines = lines(reader);
    let in_time = follow(&mut child, &lines, &mut each);
    if !in_time {
        kill_tree(child.id());
    }
    let status = child.wait()?;
    if !in_time {
        bail!(
            "{program} was stopped after {} minutes",
            LIMIT.as_secs() / 60
        );
    }
    Ok(status)
}

/// Until the child is gone and has said all; false when it takes too long. A grandchild that
/// keeps the pipe open is not waited for.
fn follow(child: &mut Child, lines: &Receiver<String>, each: &mut impl FnMut(&str)) -> bool {
    let start = Instant::now();
    loop {
        match lines.recv_timeout(Duration::from_secs(1)) {
            Ok(line) => {
                print!("{line}");
                let _ = std::io::stdout().flush();
                each(line.trim_end());
            }
            Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) => {
                if matches!(child.try_wait(), Ok(Some(_))) {
                    return true;
                }
            }
        }
        if start.elapsed() > LIMIT {
            return false;
        }
    }
}

fn lines(reader: PipeReader) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            if sender.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
    lines
}

/// The process and all it started (Linux; elsewhere the process alone).
fn kill_tree(id: u32) {
    let mut tree = vec![id.to_string()];
    let mut next = 0;
    while let Some(id) = tree.get(next) {
        let file = format!("/proc/{id}/task/{id}/children");
        let children = std::fs::read_to_string(file).unwrap_or_default();
        tree.extend(children.split_whitespace().map(str::to_owned));
        next += 1;
    }
    let _ = Command::new("kill").arg("-KILL").args(&tree).status();
}
