//! `assay advisories`.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::args::{Advisories as Command, Import};
use super::{Exit, Failure, output, render, source, stdout};
use crate::advisory::db::{Builder, Database, DbError, FeedInfo, Input, PublicKey, signature_of};
use crate::advisory::feed::{self, Context, FeedError, Kind, Summary};
use crate::advisory::record::{Counts, Ecosystem};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::advisory as codes;
use crate::emit::escape;
use crate::model::cell::Time;
use crate::snapshot::write_atomically;

/// How deep directories of feeds are searched.
const DEPTH: usize = 8;

pub(super) fn run(command: &Command) -> Result<Exit, Failure> {
    let mut out = stdout();
    match command {
        Command::Import(arguments) => import(arguments, &mut out)?,
        Command::Info { file } => {
            let database = open(file)?;
            info(&database, &mut out).map_err(|error| error.told(file))?;
        }
        Command::Verify { file, signed_by } => {
            let database = open(file)?;
            let signed =
                signed_by.as_deref().map(|key| signed(file, &database, key)).transpose()?;
            database.verify().map_err(|error| told(file, &error))?;
            writeln!(out, "sound: {} ({} bytes)", database.id(), database.size())?;
            if let Some(comment) = signed {
                writeln!(out, "signed: {}", escape(&comment))?;
            }
        }
    }
    out.flush()?;
    Ok(Exit::Clean)
}

/// Opens a database; what is wrong has been told when this returns.
pub(super) fn open(file: &Path) -> Result<Database, Failure> {
    Database::open(file).map_err(|error| told(file, &error))
}

/// Requires a database to be signed by a key, and gives the signature's trusted comment.
pub(super) fn signed(file: &Path, database: &Database, key: &str) -> Result<String, Failure> {
    let key = PublicKey::read(key);
    let checked = key.and_then(|key| database.check_signature(&key, &signature_of(file)));
    checked.map_err(|error| told(file, &error))
}

fn told(file: &Path, error: &DbError) -> Failure {
    render::diagnostic(&error.diagnostic(&file.display().to_string()));
    Failure::Told(Exit::BadRules)
}

fn refused(file: &Path, error: &FeedError) -> Failure {
    render::diagnostic(&error.diagnostic(&file.display().to_string()));
    Failure::Told(Exit::BadRules)
}

fn unreadable(file: &Path, error: &io::Error) -> Failure {
    told(file, &DbError::Unreadable(error.to_string()))
}

/// A feed to import: a file, or the files of a directory.
struct Source {
    kind: Kind,
    path: PathBuf,
    files: Vec<PathBuf>,
    input: Input,
}

fn import(arguments: &Import, out: &mut dyn Write) -> Result<(), Failure> {
    output::writable(&arguments.output)?;
    let (kind, paths) = kind_and_paths(&arguments.inputs)?;
    let mut sources = Vec::new();
    for path in paths {
        sources.push(found(path, kind, arguments.fetched)?);
    }
    // Advisories come first: what is known of vulnerabilities that no advisory names is not kept.
    sources.sort_by(|a, b| {
        (a.kind, &a.input.name, &a.input.hash).cmp(&(b.kind, &b.input.name, &b.input.hash))
    });
    let release = arguments.release.as_deref().map(Ecosystem::parse);
    let context = Context { release };
    let mut builder = Builder::new();
    for source in &sources {
        let info = take(source, &context, &mut builder)?;
        writeln!(out, "{}", line(&info))?;
        reasons(&info, out)?;
    }
    let whole = |error: DbError| told(&arguments.output, &error);
    let bytes = builder.finish().map_err(whole)?;
    write_atomically(&arguments.output, &bytes)
        .map_err(|error| output::unwritten(&arguments.output, &error))?;
    let database = Database::from_bytes(bytes).map_err(whole)?;
    let counts = database.advisories().and_then(|a| Ok((a, database.vulnerabilities()?)));
    let (advisories, vulnerabilities) = counts.map_err(whole)?;
    writeln!(
        out,
        "{}: {advisories} advisories about {vulnerabilities} vulnerabilities, {} bytes",
        escape(&arguments.output.display().to_string()),
        database.size(),
    )?;
    Ok(())
}

/// A kind that stands first, and the files.
fn kind_and_paths(inputs: &[PathBuf]) -> Result<(Option<Kind>, &[PathBuf]), Failure> {
    let first = inputs.first().and_then(|word| Kind::parse(word.to_str()?));
    let paths = match first {
        Some(_) => inputs.get(1..).unwrap_or_default(),
        None => inputs,
    };
    if paths.is_empty() {
        render::line("error: no feed is given: a kind alone says what the files are");
        return Err(Failure::Told(Exit::Usage));
    }
    Ok((first, paths))
}

/// A file or a directory that was given, with its kind.
fn found(path: &Path, kind: Option<Kind>, fetched: Option<Time>) -> Result<Source, Failure> {
    let is_directory = fs::metadata(path).map_err(|error| unreadable(path, &error))?.is_dir();
    let mut files = Vec::new();
    if is_directory {
        search(path, 0, &mut files).map_err(|error| unreadable(path, &error))?;
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    let mut kind = kind;
    let mut hash = blake3::Hasher::new();
    for file in &files {
        let bytes = fs::read(file).map_err(|error| unreadable(file, &error))?;
        hash.update(blake3::hash(&bytes).as_bytes());
        if kind.is_none() {
            kind = feed::detect(&bytes).map_err(|error| refused(file, &error))?;
        }
    }
    let unknown = || match is_directory && files.is_empty() {
        true => refused(path, &FeedError::Empty),
        false => refused(path, &FeedError::Unrecognised),
    };
    let kind = kind.ok_or_else(unknown)?;
    let name = path.canonicalize().ok();
    let name = name.as_deref().unwrap_or(path).file_name().unwrap_or(OsStr::new("feed"));
    let input = Input {
        name: name.to_string_lossy().into_owned(),
        hash: hash.finalize().to_hex().to_string(),
        fetched,
    };
    Ok(Source { kind, path: path.to_owned(), files, input })
}

/// The feeds in a directory. Links are not followed, so that no cycle is walked.
fn search(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < DEPTH {
            search(&entry.path(), depth + 1, files)?;
        } else if kind.is_file() && feed::is_feed_name(&entry.file_name().to_string_lossy()) {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Reads a feed into the database.
fn take(source: &Source, context: &Context, builder: &mut Builder) -> Result<FeedInfo, Failure> {
    builder.begin(&source.input);
    let mut all = Summary { kind: source.kind, made_at: None, counts: Counts::default() };
    for file in &source.files {
        let bytes = fs::read(file).map_err(|error| unreadable(file, &error))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let mut sink = |record| builder.add(record);
        let summary = feed::read(Some(source.kind), &name, &bytes, context, &mut sink)
            .map_err(|error| refused(file, &error))?;
        all.made_at = all.made_at.max(summary.made_at);
        all.counts.add(&summary.counts);
    }
    if all.counts.taken == 0 {
        let message = format!("{}: nothing of this feed was taken", source.path.display());
        render::diagnostic(&Diagnostic::warning(codes::EMPTY_FEED, message));
    }
    Ok(builder.end(&all))
}

/// A feed in one line.
fn line(feed: &FeedInfo) -> String {
    let unused = match feed.unused {
        0 => String::new(),
        unused => format!(", {unused} about nothing that an advisory names"),
    };
    format!(
        "{} {} ({}): {} entries, {} taken{unused}",
        feed.kind,
        escape(&feed.name),
        aged(feed.made_at),
        feed.entries,
        feed.taken,
    )
}

/// Why parts of a feed were left out, a line for each reason.
fn reasons(feed: &FeedInfo, out: &mut dyn Write) -> io::Result<()> {
    for (what, reasons) in [("entries", &feed.skipped), ("parts", &feed.left_out)] {
        for (reason, count) in reasons {
            writeln!(out, "    {count} {what} left out: {}", escape(reason))?;
        }
    }
    Ok(())
}

/// The day of a time, in UTC.
pub(super) fn day(time: Option<Time>) -> String {
    let Some(Time(seconds)) = time else { return "date unknown".into() };
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) => time.strftime("%Y-%m-%d").to_string(),
        Err(_) => "date unknown".into(),
    }
}

/// The day and how long ago that is.
fn aged(time: Option<Time>) -> String {
    let ago = time.map(|time| (source::now().0 - time.0) / 86_400).filter(|days| *days > 0);
    ago.map_or_else(|| day(time), |days| format!("{}, {days} days ago", day(time)))
}

/// What kept the information from being shown.
enum Unshown {
    Output(io::Error),
    Database(DbError),
}

impl Unshown {
    fn told(self, file: &Path) -> Failure {
        match self {
            Self::Output(error) => Failure::Output(error),
            Self::Database(error) => told(file, &error),
        }
    }
}

impl From<io::Error> for Unshown {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<DbError> for Unshown {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}

fn info(database: &Database, out: &mut dyn Write) -> Result<(), Unshown> {
    writeln!(out, "id               {}", database.id())?;
    writeln!(out, "size             {} bytes", database.size())?;
    writeln!(out, "advisories       {}", database.advisories()?)?;
    writeln!(out, "vulnerabilities  {}", database.vulnerabilities()?)?;
    writeln!(out, "exceptions       {}", database.exceptions()?.len())?;
    writeln!(out, "\nFeeds")?;
    for feed in database.feeds() {
        writeln!(out, "  {}", line(feed))?;
        reasons(feed, out)?;
    }
    writeln!(out, "\n{:<38}{:>10}{:>12}{:>12}", "Release", "Packages", "Rows", "Advisories")?;
    for ecosystem in database.ecosystems() {
        let Some(release) = database.release(&ecosystem)? else { continue };
        let name = ecosystem.to_string();
        writeln!(
            out,
            "{:<38}{:>10}{:>12}{:>12}",
            escape(&name),
            release.packages(),
            release.rows(),
            release.advisories(),
        )?;
    }
    Ok(())
}
