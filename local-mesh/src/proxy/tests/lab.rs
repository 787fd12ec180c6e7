//! A mesh of one service in front of endpoints, and a client of it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mesh_config::{Client, Mesh, Role, Source, parse};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::super::{DataPlane, Dialled, Listener, Options, ProxyConfig};
use super::backend::{self, Behaviour, Seen};

/// Nothing here takes longer, on the slowest machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A VirtualService for `auth` with these rules.
pub(super) fn rule(http: &str) -> String {
    let http: Vec<String> = http.lines().map(|line| format!("  {line}")).collect();
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: auth, namespace: shop}}\n\
         spec:\n  hosts: [auth]\n  http:\n{}\n",
        http.join("\n")
    )
}

/// The data plane with one client.
pub(super) struct Lab {
    pub(super) plane: DataPlane,
    address: SocketAddr,
    seen: Arc<Seen>,
    log: tokio::sync::Mutex<mpsc::UnboundedReceiver<serde_json::Value>>,
}

/// An answer as the client reads it.
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: String,
}

impl Answer {
    /// The first value of a header.
    pub(super) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value)
            .next()
            .unwrap_or_default()
    }
}

/// Hands each line of the access log to the test.
struct Lines(mpsc::UnboundedSender<serde_json::Value>);

impl io::Write for Lines {
    fn write(&mut self, block: &[u8]) -> io::Result<usize> {
        for line in block.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            self.0
                .send(serde_json::from_slice(line)?)
                .map_err(io::Error::other)?;
        }
        Ok(block.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lab {
    pub(super) async fn new(endpoints: &[(&str, Behaviour)], rules: &str) -> Self {
        Self::with_policy(endpoints, rules, "").await
    }

    /// `policy` are lines of a DestinationRule's spec.
    pub(super) async fn with_policy(endpoints: &[(&str, Behaviour)], rules: &str, policy: &str) -> Self {
        let seen = Arc::new(Seen::default());
        let mut manifest = format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: auth, namespace: shop}}\n\
             spec: {{selector: {{app: auth}}, ports: [{{name: http, port: 8080}}]}}\n---\n\
             apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: auth, namespace: shop}}\n\
             spec:\n  host: auth\n  subsets: [{{name: v1, labels: {{version: v1}}}}, {{name: v2, labels: {{version: v2}}}}]\n  {policy}\n\
             ---\n{rules}"
        );
        for (index, (version, behaviour)) in endpoints.iter().enumerate() {
            let address = backend::start(*behaviour, Arc::clone(&seen)).await;
            manifest += &format!(
                "---\napiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {{name: auth-{index}, namespace: shop}}\n\
                 spec: {{address: {}, ports: {{http: {}}}, labels: {{app: auth, version: {version}}}}}\n",
                address.ip(),
                address.port()
            );
        }
        let (sender, log) = mpsc::unbounded_channel();
        let plane = DataPlane::start(Options {
            seed: Some(42),
            access_log: Some(Box::new(Lines(sender))),
        })
        .unwrap();
        let address = install(&plane, manifest).await;
        Lab {
            plane,
            address,
            seen,
            log: tokio::sync::Mutex::new(log),
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.request(&format!("GET {path} HTTP/1.1\r\nhost: auth:8080\r\n\r\n"))
            .await
    }

    /// Writes the text on a new connection and reads the answer.
    pub(super) async fn request(&self, text: &str) -> Answer {
        let stream = self.open(text).await;
        timeout(PATIENCE, read(stream)).await.unwrap()
    }

    /// Writes the text on a new connection.
    pub(super) async fn open(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// The next line of the access log.
    pub(super) async fn logged(&self) -> serde_json::Value {
        timeout(PATIENCE, self.log.lock().await.recv())
            .await
            .unwrap()
            .unwrap()
    }

    /// How many connections the endpoints have accepted.
    pub(super) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::Relaxed)
    }

    /// Waits until the endpoints have accepted a connection: the proxy has understood a head then.
    pub(super) async fn accepted(&self) {
        while self.connections() == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the endpoints have read so many requests.
    pub(super) async fn received(&self, count: usize) {
        reaches(&self.seen.requests, count).await;
    }

    /// The requests that the endpoints have read, in lower case.
    pub(super) fn texts(&self) -> Vec<String> {
        let texts = self.seen.texts.lock().unwrap();
        texts.iter().map(|text| text.to_ascii_lowercase()).collect()
    }

    /// Waits until the proxy has closed so many connections that an endpoint had closed before.
    pub(super) async fn closed(&self, count: usize) {
        reaches(&self.seen.closed, count).await;
    }
}

async fn reaches(counter: &watch::Sender<usize>, count: usize) {
    let mut counter = counter.subscribe();
    let wait = counter.wait_for(|now| *now >= count);
    timeout(PATIENCE, wait).await.unwrap().unwrap();
}

async fn install(plane: &DataPlane, manifest: String) -> SocketAddr {
    let source = Source {
        name: "test.yaml".to_owned(),
        text: manifest,
    };
    let objects = parse(&[source]).unwrap_or_else(|problems| panic!("{problems}"));
    let (mesh, _) = Mesh::new().apply(objects, 1).unwrap();
    let client = Client {
        namespace: "shop".to_owned(),
        name: "client".to_owned(),
        labels: [("app".to_owned(), "client".to_owned())].into(),
        locality: None,
        role: Role::Sidecar,
    };
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = socket.local_addr().unwrap();
    plane
        .install(vec![ProxyConfig {
            name: "client".to_owned(),
            view: Arc::new(mesh.view(&client, &[])),
            client,
            listeners: vec![Listener {
                socket: Arc::new(socket),
                port: Dialled::OfRequest,
            }],
        }])
        .await;
    address
}

async fn read(stream: TcpStream) -> Answer {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let read = stream.read_line(&mut head).await.unwrap();
        assert!(read > 0, "the connection ended after {head:?}");
    }
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer {
        status,
        head,
        body: String::new(),
    };
    let length = answer.header("content-length").parse().unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    answer.body = String::from_utf8(body).unwrap();
    answer
}
