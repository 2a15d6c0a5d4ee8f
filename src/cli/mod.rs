//! Rank 5. The command line: the only place that parses arguments, prints and exits.

mod advisories;
mod agent;
mod args;
mod chosen;
mod collect;
mod databases;
mod diff;
mod exit;
mod facts;
mod interrupt;
mod output;
mod progress;
mod render;
mod report;
mod rules;
mod scan;
#[cfg(feature = "server")]
mod serve;
mod snapshot;
mod source;
mod vercmp;
mod why;

use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use clap::Parser;

pub use exit::Exit;

use args::{Arguments, Command};

/// Runs the program with these arguments and gives its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let usage = error.use_stderr();
            // A closed pipe while help is shown is not an error.
            let _ = error.print();
            return if usage { Exit::Usage } else { Exit::Clean };
        }
    };
    // Whatever goes wrong inside, the exit code says that it was not the input's fault. The message
    // of a panic is on standard error by then.
    let command = AssertUnwindSafe(|| perform(arguments.command));
    match catch_unwind(command).unwrap_or(Err(Failure::Told(Exit::Internal))) {
        Ok(exit) => exit,
        Err(Failure::Told(exit)) => exit,
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Clean,
        Err(Failure::Output(error)) => {
            render::line(&format!("error: the output cannot be written: {error}"));
            Exit::Internal
        }
    }
}

fn perform(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Scan(arguments) => scan::run(&arguments),
        Command::Collect(arguments) => collect::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Rules(command) => rules::run(&command),
        Command::Explain { code } => facts::explain(code.as_deref()),
        Command::Facts { table } => facts::run(table.as_deref()),
        Command::Agent(command) => agent::run(&command),
        #[cfg(feature = "server")]
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Snapshot(command) => snapshot::run(&command),
        Command::Advisories(command) => advisories::run(&command),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Vercmp { scheme, a, b } => vercmp::run(&scheme, a.as_deref().zip(b.as_deref())),
        Command::Completions { shell } => completions(shell),
    }
}

/// Why a command ended early.
#[derive(Debug)]
enum Failure {
    /// The user has been told.
    Told(Exit),
    /// The output could not be written.
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Standard output, locked and buffered.
fn stdout() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::with_capacity(64 * 1024, io::stdout().lock())
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    let mut command = <Arguments as clap::CommandFactory>::command();
    clap_complete::generate(shell, &mut command, "assay", &mut script);
    stdout().write_all(&script)?;
    Ok(Exit::Clean)
}
