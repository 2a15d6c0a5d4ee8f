//! `assay serve`.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use std::io::Write;

use super::args::Serve;
use super::{Exit, Failure, chosen, render, source, stdout};
use crate::api::http::{Credentials, Door, Site, Stop, Tls};
use crate::api::{LiveHost, Parts, Service, StartError, notify, reports, runs};
use crate::assess::store::Millis;
use crate::collect::{LiveRoot, Options, collect};
use crate::diagnostic::codes::serve as codes;
use crate::diagnostic::{Code, Diagnostic, Monitor};
use crate::rules::{Library, Scope, Selection};
use crate::snapshot::{Codec, abandon_parts};

pub(super) fn run(arguments: &Serve) -> Result<Exit, Failure> {
    let address = address(arguments)?;
    let tls = match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(certificate), Some(key)) => Some(
            Tls::open(certificate, key)
                .map_err(|problem| told(codes::TLS_UNUSABLE, problem, Exit::BadInput))?,
        ),
        _ => None,
    };
    let door = Door::listen(address, tls)
        .map_err(|error| told(codes::NO_LISTENER, format!("{address}: {error}"), Exit::BadInput))?;
    let profile = chosen::profile(&arguments.profile)?;
    let selection = Selection { packages: Vec::new(), profile: Some(profile.clone()) };
    let plan = Library::with_directories(&arguments.rules)
        .and_then(|library| library.compile_for(&Scope { selection, ..Scope::default() }))
        .map_err(chosen::told)?;
    let service = Service::open(Parts {
        data: arguments.data.clone(),
        plan,
        profile: Some(profile),
        clock: Arc::new(now),
        live: arguments.live.then(|| Arc::new(ThisHost) as Arc<dyn LiveHost>),
    });
    let service = Arc::new(service.map_err(not_started)?);
    let credentials = match arguments.no_auth {
        true => None,
        false => Some(
            Credentials::open(&arguments.data)
                .map_err(|problem| told(codes::CREDENTIALS_UNUSABLE, problem, Exit::BadInput))?,
        ),
    };
    let stop = Stop::default();
    listen_for_signals(stop.clone());
    runs::start_workers(&service)?;
    notify::start_sender(&service)?;
    reports::start_maker(&service)?;
    announce(&door.origin(), &arguments.data, credentials.as_ref())?;
    let credentials = credentials.map(|credentials| credentials.all.into());
    door.serve(Site { service, credentials }, &stop)?;
    let _nobody_begins_another = abandon_parts();
    Ok(Exit::Clean)
}

/// Tells what is wrong.
fn told(code: Code, message: String, exit: Exit) -> Failure {
    render::diagnostic(&Diagnostic::error(code, message));
    Failure::Told(exit)
}

fn not_started(error: StartError) -> Failure {
    let code = match &error {
        StartError::Data { .. } | StartError::Store { .. } => codes::DATA_UNUSABLE,
        StartError::InUse(_) => codes::IN_USE,
        StartError::Live(_) => codes::HOST_UNUSABLE,
        StartError::Topics { .. } => codes::TOPICS_UNUSABLE,
    };
    told(code, error.to_string(), Exit::BadInput)
}

/// Where to listen; what others can reach is refused unless it is asked for and guarded.
fn address(arguments: &Serve) -> Result<SocketAddr, Failure> {
    let listen = &arguments.listen;
    let found = listen.to_socket_addrs().ok().and_then(|mut found| found.next());
    let Some(address) = found else {
        render::line(&format!("error: --listen takes an address and a port, not {listen:?}"));
        return Err(Failure::Told(Exit::Usage));
    };
    if address.ip().is_loopback() {
        return Ok(address);
    }
    let problem = if arguments.no_auth {
        "--no-auth is for loopback addresses only"
    } else if !arguments.allow_remote {
        "it is no loopback address; give --allow-remote, --tls-cert and --tls-key if others are \
         to reach it"
    } else if arguments.tls_cert.is_none() {
        "--allow-remote needs --tls-cert and --tls-key"
    } else {
        return Ok(address);
    };
    Err(told(codes::NOT_LOOPBACK, format!("{listen}: {problem}"), Exit::Usage))
}

/// Says where to ask, and at the first start how.
fn announce(origin: &str, data: &Path, credentials: Option<&Credentials>) -> Result<(), Failure> {
    let mut out = stdout();
    writeln!(out, "assay serves the Inspector API at {origin}")?;
    match credentials {
        None => writeln!(out, "without signatures (--no-auth): whoever can connect may ask")?,
        Some(credentials) if credentials.made => {
            let path = std::path::absolute(&credentials.path)?;
            writeln!(
                out,
                "\nA key was made in {0}. To use it:\n  \
                 export AWS_SHARED_CREDENTIALS_FILE={0}\n  \
                 aws inspector list-rules-packages --endpoint-url {origin}\n\
                 and in Python: boto3.client(\"inspector\", endpoint_url=\"{origin}\")\n\n\
                 Put snapshots of hosts (assay collect -o FILE) into {1}.",
                path.display(),
                std::path::absolute(data.join("agents"))?.display(),
            )?;
        }
        Some(credentials) => writeln!(out, "with the keys in {}", credentials.path.display())?,
    }
    out.flush()?;
    Ok(())
}

/// The first signal closes the door; the second ends the program.
#[expect(clippy::exit, reason = "nothing else ends the other threads")]
fn listen_for_signals(stop: Stop) {
    let asked = AtomicBool::new(false);
    // Without a handler signals end the program at once, and nothing acknowledged is lost.
    let _ = ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::SeqCst) {
            let _nobody_begins_another = abandon_parts();
            std::process::exit(i32::from(Exit::Internal as u8));
        }
        stop.stop();
    });
}

/// The time.
#[expect(clippy::disallowed_methods, reason = "a server says when things happened")]
fn now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Millis(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

/// This machine.
struct ThisHost;

/// Ends an observation when the run is to stop.
struct Until<'a>(&'a (dyn Fn() -> bool + Sync));

impl Monitor for Until<'_> {
    fn stop_requested(&self) -> bool {
        (self.0)()
    }
}

impl ThisHost {
    fn collect(
        duration: Duration,
        sections: Option<Vec<String>>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<u8>, String> {
        let root = LiveRoot::open().map_err(|error| error.to_string())?;
        let options = Options { tags: Vec::new(), now: source::now(), duration, sections };
        collect(&root, &options, Codec::Zstd, &Until(stop)).map_err(|error| error.to_string())
    }
}

impl LiveHost for ThisHost {
    fn identify(&self) -> Result<Vec<u8>, String> {
        let sections = ["host", "cloud", "interfaces"].map(str::to_owned).to_vec();
        Self::collect(Duration::ZERO, Some(sections), &|| false)
    }

    fn observe(&self, time: Duration, stop: &(dyn Fn() -> bool + Sync)) -> Result<Vec<u8>, String> {
        Self::collect(time, None, stop)
    }
}
