//! Observing this machine while the test itself listens and connects: a process always sees its
//! own sockets, so this needs no rights.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use assay::collect::live;
use assay::diagnostic::{Monitor, Silent};
use assay::model::table::Socket;

/// Stops when it is told to, and remembers the progress.
#[derive(Default)]
struct Watch {
    stop: AtomicBool,
    advanced: AtomicU64,
    phases: Mutex<Vec<Option<u64>>>,
}

impl Monitor for Watch {
    fn begin(&self, _phase: &str, total: Option<u64>) {
        self.phases.lock().unwrap().push(total);
    }
    fn advance(&self, steps: u64) {
        self.advanced.fetch_add(steps, Ordering::SeqCst);
    }
    fn stop_requested(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

fn listener(sockets: &[Socket], port: u16) -> Option<&Socket> {
    sockets.iter().find(|row| row.local_port == i64::from(port) && &*row.state == "listening")
}

fn own_pid() -> Option<i64> {
    Some(i64::from(std::process::id()))
}

#[test]
fn a_short_connection_and_its_listener_are_seen() {
    let used = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let unused = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let used_port = used.local_addr().unwrap().port();
    let unused_port = unused.local_addr().unwrap().port();
    let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let held_port = held.local_addr().unwrap().port();

    let watch = Watch::default();
    let (observation, client_port, brief_port) = thread::scope(|scope| {
        let clients = scope.spawn(|| {
            thread::sleep(Duration::from_millis(300));
            // Open and closed long before the next sample.
            let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, used_port)).unwrap();
            let client_port = client.local_addr().unwrap().port();
            let (mut server, _) = used.accept().unwrap();
            client.write_all(b"x").unwrap();
            drop(client);
            let mut bytes = Vec::new();
            server.read_to_end(&mut bytes).unwrap();
            drop(server);
            // A listener that is there only for a while.
            let brief = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let client = TcpStream::connect((Ipv4Addr::LOCALHOST, held_port)).unwrap();
            // Several samples long, even where other programs keep the processors busy.
            thread::sleep(Duration::from_millis(2500));
            drop(client);
            (client_port, brief.local_addr().unwrap().port())
        });
        let observation = live::observe(Duration::from_secs(6), &watch);
        let (client_port, brief_port) = clients.join().unwrap();
        (observation, client_port, brief_port)
    });

    let sockets = &observation.sockets.1;
    let seen = listener(sockets, used_port).unwrap();
    assert_eq!((seen.traffic, seen.pid), (Some(true), own_pid()));
    let all = seen.samples;
    assert!(all >= 2, "{seen:?}");
    assert_eq!(&*seen.local_address, "127.0.0.1");
    let seen = listener(sockets, unused_port).unwrap();
    assert_eq!(seen.traffic, Some(false));
    let seen = listener(sockets, brief_port).unwrap();
    assert!((1..all).contains(&seen.samples), "{seen:?}");

    // The kernel may have given its port to the next connection, too.
    let is_client = |row: &&Socket| {
        row.local_port == i64::from(client_port) && row.remote_port == Some(i64::from(used_port))
    };
    let client = sockets.iter().find(is_client).unwrap();
    assert_eq!(client.role.as_deref(), Some("client"));
    // The connection that was held long enough has an owner on both sides.
    let mut roles: Vec<_> = sockets
        .iter()
        .filter(|row| {
            let port = Some(i64::from(held_port));
            row.remote_port == port || (row.remote_port.is_some() && Some(row.local_port) == port)
        })
        .map(|row| row.role.as_deref().unwrap())
        .collect();
    roles.sort_unstable();
    assert_eq!(roles, ["client", "server"]);

    assert!(observation.observed >= Duration::from_secs(6) && !observation.stopped);
    assert_eq!(*watch.phases.lock().unwrap(), [Some(6)]);
    // The last second may end between two samples.
    assert!((4..=6).contains(&watch.advanced.load(Ordering::SeqCst)));
}

#[test]
fn a_stop_keeps_what_was_seen() {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    let watch = Watch::default();
    let start = Instant::now();
    let observation = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(300));
            watch.stop.store(true, Ordering::SeqCst);
        });
        live::observe(Duration::from_mins(10), &watch)
    });
    assert!(start.elapsed() < Duration::from_secs(20));
    assert!(observation.stopped && observation.observed < Duration::from_secs(20));
    assert!(listener(&observation.sockets.1, port).is_some());
}

#[test]
fn one_look_sees_processes_and_sockets() {
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = udp.local_addr().unwrap().port();
    let child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
    let mut child = Guard(child);
    thread::sleep(Duration::from_millis(200));
    let observation = live::observe(Duration::ZERO, &Silent);
    assert_eq!(observation.observed, Duration::ZERO);
    let seen = listener(&observation.sockets.1, port).unwrap();
    assert_eq!((&*seen.protocol, seen.traffic, seen.samples), ("udp", None, 1));

    let pid = i64::from(child.0.id());
    let process = observation.processes.1.iter().find(|row| row.pid == pid).unwrap();
    assert_eq!((&*process.name, &*process.command_line), ("sleep", "sleep 30"));
    assert_eq!(Some(process.parent), own_pid());
    let exe = process.exe.clone().unwrap();
    let mapped = observation.process_modules.1;
    assert!(mapped.iter().any(|row| row.pid == pid && row.path == exe && !row.deleted));
    // This process only looks, and is no part of the host.
    assert!(!observation.processes.1.iter().any(|row| Some(row.pid) == own_pid()));
    child.0.kill().unwrap();
}

/// Ends the child also where an assertion fails.
struct Guard(std::process::Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
