//! An endpoint that behaves as a test wants it to.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::noise::{ANSWERS, spoilt};

/// What it does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// 200 with the request as it arrived.
    Echo,
    /// Nobody listens.
    Refuse,
    /// Reads the request and hangs up.
    Close,
    /// Reads the request and never answers.
    Hang,
    /// 500 `broken`.
    Fail,
    /// 101, then every byte comes back.
    Tunnel,
    /// 503, 503, then as [`Behaviour::Echo`].
    FailTwice,
    /// Reads something and answers bytes that are no answer, others each time.
    Noise,
    /// Reads something and answers a sentence.
    Sentence,
    /// As [`Behaviour::Echo`], but keeps no connection, and does not say so.
    AnswerOnceAndClose,
}

/// What an endpoint has seen.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) connections: AtomicUsize,
    pub(super) requests: watch::Sender<usize>,
    /// The requests as they arrived.
    pub(super) texts: Mutex<Vec<String>>,
    /// Connections that the proxy closed after the endpoint had.
    pub(super) closed: watch::Sender<usize>,
}

/// Starts an endpoint; the task ends with the runtime of the test.
pub(super) async fn start(behaviour: Behaviour, seen: Arc<Seen>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    if behaviour != Behaviour::Refuse {
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                seen.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream, behaviour, Arc::clone(&seen)));
            }
        });
    }
    address
}

async fn serve(mut stream: TcpStream, behaviour: Behaviour, seen: Arc<Seen>) {
    if matches!(behaviour, Behaviour::Noise | Behaviour::Sentence) {
        let number = seen.connections.load(Ordering::Relaxed) as u64;
        let bytes = match behaviour {
            Behaviour::Noise => spoilt(ANSWERS, &mut SmallRng::seed_from_u64(number)),
            _ => b"this is not HTTP\r\n\r\n".to_vec(),
        };
        // Whether anybody reads it is not its business.
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(&bytes).await;
        // Closed with something unread, it would be a reset that may overtake the answer.
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        return;
    }
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        seen.texts.lock().unwrap().push(request.clone());
        seen.requests.send_modify(|count| *count += 1);
        let number = *seen.requests.borrow();
        let (status, body) = match behaviour {
            Behaviour::Close | Behaviour::Refuse | Behaviour::Noise | Behaviour::Sentence => return,
            Behaviour::Hang => std::future::pending().await,
            Behaviour::Tunnel => {
                let answer =
                    "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";
                stream.write_all(answer.as_bytes()).await.unwrap();
                let (mut reads, mut writes) = tokio::io::split(stream);
                tokio::io::copy(&mut reads, &mut writes).await.unwrap();
                return;
            }
            Behaviour::Fail => ("500 Internal Server Error", "broken".to_owned()),
            Behaviour::FailTwice if number <= 2 => ("503 Service Unavailable", "not yet".to_owned()),
            _ => ("200 OK", request),
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        if behaviour == Behaviour::AnswerOnceAndClose {
            stream.shutdown().await.unwrap();
            while stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
            seen.closed.send_modify(|count| *count += 1);
            return;
        }
    }
}

/// The head and the body of a request as text; `None` at the end of the connection.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut text = String::new();
    let mut length = 0;
    loop {
        let before = text.len();
        if stream.read_line(&mut text).await.ok()? == 0 {
            return None;
        }
        let line = text[before..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(text + &String::from_utf8_lossy(&body))
}
