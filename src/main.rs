//! The `assay` program: everything is in the library; this only turns its exit code into the process's.
use std::process::ExitCode;

fn main() -> ExitCode {
    assay::cli::run(std::env::args_os()).into()
}
