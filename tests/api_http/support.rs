//! A server in a process of its own, and a client that signs what it asks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use assay::collect::{DirectoryRoot, Options, collect};
use assay::diagnostic::Silent;
use assay::model::cell::Time;
use assay::snapshot::{Codec, write_atomically};
use ring::{digest, hmac};
use serde_json::{Value as Json, json};

/// How long a test waits for an answer before it fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// `assay serve`, ended when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    pub(crate) data: PathBuf,
    /// What it said at the start, but for the first line.
    pub(crate) said: String,
}

impl Server {
    /// Starts a server of a directory on a free port.
    pub(crate) fn start(data: &Path, more: &[&str]) -> Self {
        let listen: &[&str] =
            if more.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let mut child = Command::new(env!("CARGO_BIN_EXE_assay"))
            .args(["serve", "--data"])
            .arg(data)
            .args(listen)
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        let (_, address) = first.trim().rsplit_once("://").expect("the server says where it is");
        let (address, data) = (address.to_owned(), data.to_owned());
        let mut server = Self { child, address, data, said: String::new() };
        let mut rest = [0; 4096];
        let read = lines.read(&mut rest).unwrap();
        server.said = String::from_utf8_lossy(&rest[..read]).into_owned();
        server
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The most memory it ever had, KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Sends a signal and gives the exit code; none where the signal ended it.
    pub(crate) fn end(mut self, signal: &str) -> Option<i32> {
        let pid = self.pid().to_string();
        Command::new("kill").args([signal, &pid]).status().unwrap();
        self.child.wait().unwrap().code()
    }

    /// A client with the server's key.
    pub(crate) fn client(&self) -> Client {
        let text = std::fs::read_to_string(self.data.join("credentials")).unwrap_or_default();
        let value = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split(" = ").nth(1).unwrap_or("none").to_owned()
        };
        Client {
            address: self.address.clone(),
            id: value("aws_access_key_id"),
            secret: value("aws_secret_access_key"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Who signs requests.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: String,
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// A request that can still be changed.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Gives a header another value, or takes it away.
    pub(crate) fn with(mut self, name: &str, value: Option<&str>) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut out = format!("{out}\r\n").into_bytes();
        out.extend(&self.body);
        out
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or(Json::Null)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The exception's name.
    pub(crate) fn fault(&self) -> String {
        self.json()["__type"].as_str().unwrap_or_default().to_owned()
    }
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

impl Client {
    /// A signed request of an operation.
    pub(crate) fn request(&self, operation: &str, body: &[u8]) -> Request {
        self.request_at(operation, body, now())
    }

    /// One that was signed at another time.
    pub(crate) fn request_at(&self, operation: &str, body: &[u8], at: i64) -> Request {
        let time = jiff::Timestamp::from_second(at).unwrap();
        let stamp = time.strftime("%Y%m%dT%H%M%SZ").to_string();
        let date = &stamp[..8];
        let target = format!("InspectorService.{operation}");
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("host", self.address.as_str()),
            ("x-amz-date", stamp.as_str()),
            ("x-amz-target", target.as_str()),
        ];
        let names = headers.map(|(name, _)| name).join(";");
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let hash = |bytes: &[u8]| hex(digest::digest(&digest::SHA256, bytes));
        let canonical = format!("POST\n/\n\n{lines}\n{names}\n{}", hash(body));
        let scope = format!("{date}/us-east-1/inspector/aws4_request");
        let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hash(canonical.as_bytes()));
        let key = mac(format!("AWS4{}", self.secret).as_bytes(), date);
        let key = mac(&mac(&mac(&key, "us-east-1"), "inspector"), "aws4_request");
        let signature = hex(mac(&key, &text));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.id
        );
        let mut headers: Vec<(String, String)> =
            headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        headers.push(("authorization".into(), authorization));
        headers.push(("content-length".into(), body.len().to_string()));
        Request { method: "POST", path: "/".into(), headers, body: body.to_vec() }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends a request; none where the server closed the connection instead.
    pub(crate) fn send(&self, request: &Request) -> Option<Answer> {
        let mut stream = self.connect();
        // The server may have answered and closed before it was sent whole.
        let _ = stream.write_all(&request.bytes());
        receive(&mut stream)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        let headers = vec![("host".to_owned(), self.address.clone())];
        let request = Request { method: "GET", path: path.into(), headers, body: Vec::new() };
        self.send(&request).expect("an answer")
    }

    /// Calls an operation.
    pub(crate) fn try_call(&self, operation: &str, input: &Json) -> Option<Answer> {
        self.send(&self.request(operation, input.to_string().as_bytes()))
    }

    /// Calls an operation that must succeed.
    pub(crate) fn call(&self, operation: &str, input: Json) -> Json {
        let answer = self.try_call(operation, &input).expect("an answer");
        assert_eq!(answer.status, 200, "{operation} {input}: {}", answer.text());
        answer.json()
    }

    /// A template over every agent with these packages (by their place in ListRulesPackages).
    pub(crate) fn template(&self, name: &str, packages: &[usize]) -> String {
        let target = self.call("CreateAssessmentTarget", json!({"assessmentTargetName": name}));
        let known = self.call("ListRulesPackages", json!({}));
        let packages: Vec<&Json> =
            packages.iter().map(|place| &known["rulesPackageArns"][*place]).collect();
        let template = self.call(
            "CreateAssessmentTemplate",
            json!({
                "assessmentTargetArn": target["assessmentTargetArn"],
                "assessmentTemplateName": name,
                "durationInSeconds": 180,
                "rulesPackageArns": packages,
            }),
        );
        template["assessmentTemplateArn"].as_str().unwrap().to_owned()
    }

    /// Starts a run of a template.
    pub(crate) fn start(&self, template: &str) -> String {
        let run = self.call("StartAssessmentRun", json!({"assessmentTemplateArn": template}));
        run["assessmentRunArn"].as_str().unwrap().to_owned()
    }

    /// Waits until a run has ended.
    pub(crate) fn finished(&self, run: &str) -> Json {
        for _ in 0..30_000 {
            let asked = json!({"assessmentRunArns": [run]});
            let found = self.call("DescribeAssessmentRuns", asked)["assessmentRuns"][0].clone();
            if found["completedAt"].is_number() {
                return found;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{run} does not end");
    }
}

/// Reads one answer.
pub(crate) fn receive(stream: &mut TcpStream) -> Option<Answer> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let status = line.split_whitespace().nth(1)?.parse().ok()?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Answer { status, headers, body })
}

/// Puts a sample snapshot into the agents directory.
pub(crate) fn put(data: &Path, name: &str) {
    let to = data.join("agents");
    std::fs::create_dir_all(&to).unwrap();
    std::fs::copy(format!("snapshots/{name}.assay"), to.join(format!("{name}.assay"))).unwrap();
}

/// Puts snapshots of so many small hosts into the agents directory.
pub(crate) fn hosts(data: &Path, count: usize) {
    (0..count).for_each(|number| host(data, number, "PermitRootLogin yes\n"));
}

/// Puts the snapshot of a small host with this configuration of sshd into the agents directory.
pub(crate) fn host(data: &Path, number: usize, sshd: &str) {
    let root = tempfile::tempdir().unwrap();
    for folder in ["etc/ssh", "var/lib/dpkg", "usr/bin"] {
        std::fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    let status = "Package: openssh-server\nStatus: install ok installed\nVersion: 1:9.2p1-2\n\
                  Architecture: amd64\n";
    // Who a host is follows from its machine id.
    let id = format!("{:032x}\n", number + 1);
    for (path, text) in [
        ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n"),
        ("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"),
        ("etc/ssh/sshd_config", sshd),
        ("etc/machine-id", &id),
        ("var/lib/dpkg/status", status),
    ] {
        std::fs::write(root.path().join(path), text).unwrap();
    }
    let options = Options {
        tags: Vec::new(),
        now: Time(1_700_000_000),
        duration: Duration::ZERO,
        sections: None,
    };
    let directory = DirectoryRoot::open(root.path()).unwrap();
    let bytes = collect(&directory, &options, Codec::Zstd, &Silent).unwrap();
    let to = data.join("agents");
    std::fs::create_dir_all(&to).unwrap();
    write_atomically(&to.join(format!("host-{number}.assay")), &bytes).unwrap();
}
