//! `assay collect`.

use super::args::Collect;
use super::{Exit, Failure, render, source};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::collect as codes;
use crate::snapshot::{Codec, write_atomically};

pub(super) fn run(arguments: &Collect) -> Result<Exit, Failure> {
    let bytes = source::collect_from(arguments.root.as_deref(), &arguments.tag, Codec::Zstd)?;
    if let Err(error) = write_atomically(&arguments.output, &bytes) {
        let message = format!("{}: {error}", arguments.output.display());
        render::diagnostic(
            &Diagnostic::error(codes::UNWRITABLE, message)
                .help("check the directory and its space"),
        );
        return Err(Failure::Told(Exit::BadInput));
    }
    Ok(Exit::Clean)
}
