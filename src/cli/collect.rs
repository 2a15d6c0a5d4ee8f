//! `assay collect`.

use super::args::Collect;
use super::output::{unwritten, writable};
use super::source::Wanted;
use super::{Exit, Failure, render, source};
use crate::model::cell::Fact;
use crate::model::table::{Process, ProcessModule, Socket};
use crate::snapshot::{Codec, write_atomically};

pub(super) fn run(arguments: &Collect) -> Result<Exit, Failure> {
    let wanted = Wanted {
        root: arguments.root.as_deref(),
        tags: &arguments.tag,
        duration: arguments.duration,
        sections: arguments.sections.as_deref(),
    };
    if wanted.duration.is_some() && wanted.sections.is_some_and(|names| !observed(names)) {
        render::line(
            "error: --duration is for sockets, processes and process_modules, and --sections has \
             none of them",
        );
        return Ok(Exit::Usage);
    }
    writable(&arguments.output)?;
    let bytes = source::collect_from(wanted, Codec::Zstd)?;
    write_atomically(&arguments.output, &bytes)
        .map_err(|error| unwritten(&arguments.output, &error))?;
    Ok(Exit::Clean)
}

/// Whether one of these tables is filled while the host is observed.
fn observed(sections: &[String]) -> bool {
    let tables = [Socket::TABLE, Process::TABLE, ProcessModule::TABLE];
    tables.iter().any(|table| sections.iter().any(|name| name == table.name))
}
