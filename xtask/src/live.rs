//! A child process whose output is shown as it comes and counted on the way.

use crate::report::Tally;
use anyhow::{Context as _, Result, bail};
use std::io::{BufRead as _, BufReader, IsTerminal as _, PipeReader, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Longer than anything takes on a slow machine with nothing compiled.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Runs something that passes or fails as a whole, and may say what it lacked.
pub fn check(command: &mut Command, tally: &mut Tally) -> Result<()> {
    let status = run(command, |line| {
        if line.starts_with("lacks: ") {
            tally.read(line);
        }
    })?;
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

/// What runners say of a browser that never came up.
const NEVER_CAME_UP: &[&str] = &[
    "Timed out receiving message from renderer",
    "session not created",
    "driver failed to bind port",
    "http://127.0.0.1: Connection Failed",
];

/// How often a browser is started before it counts as one that does not come up. A headless Chromium has hung at its first
/// start, and at the second, on a machine that had never run one. xtask/starts.mjs and the driver of tests/e2e say the same.
const STARTS: u32 = 5;

/// Runs tests of a browser, and again where it said nothing for that long, or its driver said that it never came up,
/// before any test was counted. The report names it.
pub fn tests_of_a_browser(
    browser: &str,
    command: &mut Command,
    patience: Duration,
    tally: &mut Tally,
) -> Result<()> {
    for start in 1..=STARTS {
        let mut counted = Tally::default();
        let mut never_came_up = false;
        let status = run_patiently(command, patience, |line| {
            never_came_up |= NEVER_CAME_UP.iter().any(|words| line.contains(words));
            counted.read(line);
        });
        let hung = status.is_err();
        if counted.passed == 0 && (hung || never_came_up) && start < STARTS {
            let why = if hung { "hung" } else { "did not come up" };
            tally.skip(&format!("{browser} {why}, and was started again"));
            continue;
        }
        if !status?.success() && counted.failed == 0 {
            counted.fail("the tests ended before they were over");
        }
        if counted.passed + counted.failed == 0 {
            counted.fail("no test ran");
        }
        tally.add(counted);
        return Ok(());
    }
    Ok(())
}

fn run(command: &mut Command, each: impl FnMut(&str)) -> Result<ExitStatus> {
    run_patiently(command, LIMIT, each)
}

/// Ends the command when it says nothing for so long, or goes on for ever.
fn run_patiently(
    command: &mut Command,
    patience: Duration,
    mut each: impl FnMut(&str),
) -> Result<ExitStatus> {
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
    let in_time = follow(&mut child, &lines, patience, &mut each);
    if !in_time {
        kill_tree(child.id());
    }
    let status = child.wait()?;
    if !in_time {
        bail!("{program} was stopped after {} seconds", patience.as_secs());
    }
    Ok(status)
}

/// Until the child is gone and has said all; false when it takes too long, or says nothing for too long. A grandchild that
/// keeps the pipe open is not waited for.
fn follow(
    child: &mut Child,
    lines: &Receiver<String>,
    patience: Duration,
    each: &mut impl FnMut(&str),
) -> bool {
    let start = Instant::now();
    let mut heard = start;
    loop {
        match lines.recv_timeout(patience.min(Duration::from_secs(1))) {
            Ok(line) => {
                heard = Instant::now();
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
        if start.elapsed() > LIMIT || heard.elapsed() > patience {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A browser that fails in some way at its first start only; what the suite then counts.
    fn started(first: &str) -> Tally {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let name = format!("xtask-live-{}-{run}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir(&directory).expect("a directory");
        let script = format!(
            "[ -e started ] && {{ echo 'test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out'; exit 0; }}
            touch started; {first}"
        );
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(&directory);
        let mut tally = Tally::default();
        let patience = Duration::from_millis(300);
        tests_of_a_browser("chromium", &mut command, patience, &mut tally).expect("it runs");
        std::fs::remove_dir_all(directory).expect("it is there");
        tally
    }

    #[test]
    fn a_browser_that_hangs_at_its_first_start_is_started_again_and_named() {
        let tally = started("exec sleep 60");
        assert_eq!((tally.passed, tally.failed), (3, 0));
        assert_eq!(tally.skipped, ["chromium hung, and was started again"]);

        let tally =
            started("echo 'timeout: Timed out receiving message from renderer: 300'; exit 1");
        assert_eq!((tally.passed, tally.failed), (3, 0));
        assert_eq!(
            tally.skipped,
            ["chromium did not come up, and was started again"]
        );
    }

    #[test]
    fn what_passes_as_a_whole_names_the_browser_that_was_started_again() {
        let mut tally = Tally::default();
        let said =
            "test result: ok. 7 passed\nlacks: playwright: chromium was started again (it hung)";
        let mut command = Command::new("echo");
        check(command.arg(said), &mut tally).expect("it runs");
        assert_eq!((tally.passed, tally.failed), (1, 0));
        let named = "playwright: chromium was started again (it hung)";
        assert_eq!(tally.skipped, [named]);
    }

    #[test]
    fn what_fails_in_a_browser_that_came_up_is_no_hanging_browser() {
        let tally = started(
            "echo 'test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out'; exit 1",
        );
        assert_eq!((tally.passed, tally.failed), (2, 1));
        assert_eq!(tally.skipped, Vec::<String>::new());
        let tally = started("exit 1");
        assert_eq!((tally.passed, tally.failed), (0, 1));
    }
}
