//! A program that takes a message on its standard input. No shell, little environment, and an end.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// How often it is looked whether the program has ended.
const GLANCE: Duration = Duration::from_millis(20);
/// Where a program finds others.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs a program with a message on its standard input. It and what it started are ended when the
/// time is over.
///
/// # Errors
/// It cannot be started, takes too long, or does not end with 0.
pub(super) fn run(words: &[String], limit: Duration, message: &[u8]) -> Result<(), String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("there is no program".into());
    };
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        // A program that does not read says with its exit code whether that is well. A message is
        // smaller than a pipe, so that this does not wait.
        let _ = input.write_all(message);
    }
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("{program} ended with {status}")),
            Ok(None) if start.elapsed() >= limit => {
                end(&mut child);
                return Err(format!("{program} took longer than {} seconds", limit.as_secs()));
            }
            Ok(None) => std::thread::sleep(GLANCE),
            Err(error) => {
                end(&mut child);
                return Err(format!("{program}: {error}"));
            }
        }
    }
}

fn end(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended by now.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn the_message_arrives_and_the_exit_code_counts() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out").display().to_string();
        let limit = Duration::from_secs(10);
        run(&words(&["/usr/bin/tee", &out]), limit, b"hello; $(x)").unwrap();
        assert_eq!(std::fs::read(&out).unwrap(), b"hello; $(x)");
        assert!(run(&words(&["/bin/false"]), limit, b"x").is_err());
        assert!(run(&words(&["/nowhere/at/all"]), limit, b"x").is_err());
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let limit = Duration::from_millis(50);
        let error = run(&words(&["/bin/sleep", "1000"]), limit, b"x").unwrap_err();
        assert!(error.contains("took longer"), "{error}");
    }
}
