//! A folder with manifests and programs, and a running `local-mesh up` over it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_local-mesh");
/// Generous: a condition that holds is seen after milliseconds, whatever this says.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder for one test.
pub(crate) struct Lab {
    folder: tempfile::TempDir,
}

impl Lab {
    /// With the programs `echo-v1` and `echo-v2`.
    pub(crate) fn new() -> Self {
        let lab = Lab {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(lab.path("bin")).unwrap();
        let backend = Path::new(PROGRAM).with_file_name("examples").join("backend");
        assert!(backend.exists(), "{} is built by `cargo test`", backend.display());
        for name in ["echo-v1", "echo-v2"] {
            std::os::unix::fs::symlink(&backend, lab.path("bin").join(name)).unwrap();
        }
        lab
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a manifest, and gives its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// `local-mesh up -f mesh.yaml` with the admin API at a port of its own.
    pub(crate) fn command(&self, manifests: &str, options: &[&str]) -> Command {
        let file = self.file("mesh.yaml", manifests);
        let mut command = Command::new(PROGRAM);
        command.args(["up", "-f", &file, "--admin", "127.0.0.1:0", "--bin-dir"]);
        command.arg(self.path("bin")).args(options);
        command.stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, manifests: &str, options: &[&str]) -> Answer {
        finished(&mut self.command(manifests, options))
    }

    /// Starts it, and waits until the admin API is there.
    pub(crate) fn start(&self, manifests: &str, options: &[&str]) -> Up {
        Up::start(&mut self.command(manifests, options))
    }

    /// Starts it, and waits until everything is ready.
    pub(crate) fn up(&self, manifests: &str, options: &[&str]) -> Up {
        self.start(manifests, options).when_ready()
    }

    /// Command lines of processes that have to do with this folder, except those of `up` itself.
    pub(crate) fn processes(&self) -> Vec<String> {
        let needle = self.path("bin").to_str().unwrap().to_owned();
        let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let name = entry.ok()?.file_name();
            name.to_str()?.parse::<i32>().ok()
        });
        let lines = pids.filter_map(|pid| fs::read(format!("/proc/{pid}/cmdline")).ok());
        lines
            .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
            .filter(|line| line.contains(&needle) && !line.contains("--bin-dir"))
            .collect()
    }
}

/// A Service and a Deployment `echo`, version v1, in the namespace `shop`; `more` goes into the container.
pub(crate) fn echo(replicas: usize, more: &str) -> String {
    deployment("echo", "v1", replicas, more)
        + "---\n\
           apiVersion: v1\nkind: Service\nmetadata: {name: echo, namespace: shop}\n\
           spec:\n  selector: {app: echo}\n  ports: [{name: http, port: 8080, targetPort: web}]\n"
}

/// A Deployment of the program `echo-VERSION`.
pub(crate) fn deployment(name: &str, version: &str, replicas: usize, more: &str) -> String {
    let more: String = more.lines().map(|line| format!("        {line}\n")).collect();
    format!(
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: shop}}\nspec:\n\
         \x20 replicas: {replicas}\n\
         \x20 selector: {{matchLabels: {{app: echo, version: {version}}}}}\n\
         \x20 template:\n\
         \x20   metadata: {{labels: {{app: echo, version: {version}}}}}\n\
         \x20   spec:\n\
         \x20     containers:\n\
         \x20     - name: main\n\
         \x20       image: lab/echo:{version}\n\
         \x20       ports: [{{name: web, containerPort: 8080}}]\n{more}"
    )
}

/// A Gateway with a plain HTTP server per port, and everything to `echo`.
pub(crate) fn gateway(ports: &[u16]) -> String {
    let servers: String = ports
        .iter()
        .map(|port| {
            format!("  - {{port: {{number: {port}, name: web-{port}, protocol: HTTP}}, hosts: ['*']}}\n")
        })
        .collect();
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: door, namespace: shop}}\n\
         spec:\n  selector: {{istio: ingressgateway}}\n  servers:\n{servers}\
         ---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: door, namespace: shop}}\n\
         spec:\n  hosts: ['*']\n  gateways: [door]\n  http:\n\
         \x20 - route: [{{destination: {{host: echo, port: {{number: 8080}}}}}}]\n"
    )
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command to its end; 128 and the signal if one ended it.
pub(crate) fn finished(command: &mut Command) -> Answer {
    use std::os::unix::process::ExitStatusExt;
    let output = command.output().unwrap();
    let status = output.status;
    Answer {
        code: status.code().unwrap_or_else(|| 128 + status.signal().unwrap()),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a verb without a mesh.
pub(crate) fn verb(words: &[&str]) -> Answer {
    finished(Command::new(PROGRAM).args(words).env_remove("LOCAL_MESH_ADMIN"))
}

/// A running mesh. Dropping it kills it.
pub(crate) struct Up {
    child: Child,
    pub(crate) admin: SocketAddr,
    notices: Arc<Mutex<Vec<String>>>,
}

impl Up {
    /// Waits until the admin API is there.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let notices = Arc::new(Mutex::new(Vec::new()));
        let (lines, sink) = (
            BufReader::new(child.stderr.take().unwrap()).lines(),
            Arc::clone(&notices),
        );
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                sink.lock().unwrap().push(line);
            }
        });
        let mut up = Up {
            child,
            admin: "127.0.0.1:0".parse().unwrap(),
            notices,
        };
        until("the admin API's address", || {
            let lines = up.notices.lock().unwrap().clone();
            let found = lines
                .iter()
                .find_map(|line| line.strip_prefix("local-mesh: admin http://"));
            up.admin = found.map_or(up.admin, |address| address.parse().unwrap());
            assert!(
                found.is_some() || up.child.try_wait().unwrap().is_none(),
                "{lines:?}"
            );
            found.is_some()
        });
        up
    }

    /// Waits until everything is ready.
    pub(crate) fn when_ready(self) -> Self {
        until("ready", || self.verb(&["status"]).code == 0);
        self
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it said so far.
    pub(crate) fn notices(&self) -> String {
        self.notices.lock().unwrap().join("\n")
    }

    /// Runs a verb against this mesh.
    pub(crate) fn verb(&self, words: &[&str]) -> Answer {
        finished(
            Command::new(PROGRAM)
                .args(words)
                .env("LOCAL_MESH_ADMIN", self.admin.to_string()),
        )
    }

    /// A verb that succeeds; its output.
    pub(crate) fn ok(&self, words: &[&str]) -> String {
        let answer = self.verb(words);
        assert_eq!(answer.code, 0, "{words:?}: {answer:?}");
        answer.out
    }

    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let answer = self.verb(words);
        serde_json::from_str(&answer.out).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
    }

    /// Pods as objects.
    pub(crate) fn pods(&self) -> Vec<Value> {
        let list = self.json(&["get", "pods", "-o", "json"]);
        list["items"].as_array().unwrap().clone()
    }

    /// The gateway's first address.
    pub(crate) fn gateway(&self) -> SocketAddr {
        let status = self.json(&["status", "-o", "json"]);
        status["gateway"][0]["address"].as_str().unwrap().parse().unwrap()
    }

    /// Sends a signal, and waits for the end: exit code and how long it took.
    pub(crate) fn end(mut self, signal: Signal) -> (i32, Duration) {
        send(self.pid(), signal);
        let begun = Instant::now();
        let mut code = None;
        until("the end", || {
            use std::os::unix::process::ExitStatusExt;
            let status = self.child.try_wait().unwrap();
            code = status.map(|status| status.code().unwrap_or_else(|| 128 + status.signal().unwrap()));
            code.is_some()
        });
        (code.unwrap(), begun.elapsed())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a condition.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never came: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn send(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.try_into().unwrap()), signal).unwrap();
}

/// The process id in a pod's object.
pub(crate) fn pid_of(pod: &Value) -> u32 {
    pod["status"]["pid"].as_u64().unwrap().try_into().unwrap()
}

/// One GET on a connection of its own: status and body; `None` if nobody listens or answers.
pub(crate) fn get(address: SocketAddr, host: &str, target: &str) -> Option<(u16, String)> {
    request(
        address,
        &format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"),
    )
}

/// Sends text, reads the answer to the end.
pub(crate) fn request(address: SocketAddr, text: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(text.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

/// A loopback address that no other test has.
pub(crate) fn own_address() -> String {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [high, low] = u16::try_from(std::process::id() % 65_000).unwrap().to_be_bytes();
    format!(
        "127.{}.{low}.{}",
        64 + high % 128,
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}
