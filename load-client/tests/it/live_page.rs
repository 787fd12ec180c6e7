//! The live page: what it shows, to whom, and what it may not do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use load_client::dashboard::{Board, Dashboard, Event};
use load_client::expect::Path;
use load_client::judge::Conclusion;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::command::{code, command, load_client, stderr};
use crate::upstream::{Upstream, served_by};

/// For what comes at once on an idle machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Something on a free port of this machine.
fn open(board: Board) -> Dashboard {
    Dashboard::open(SocketAddr::from(([127, 0, 0, 1], 0)), board, 1).unwrap()
}

fn verify_of(stages: &[&str]) -> Board {
    let mut board = Board::new("verify", "http://shop/");
    board.take(Event::Begun {
        path: Path::Gateway,
        stages: stages.iter().map(|name| (*name).to_owned()).collect(),
    });
    board
}

fn ended() -> Event {
    Event::Ended {
        verdict: Some(Conclusion::Confirmed),
        text: "CONFIRMED: all of it".to_owned(),
    }
}

/// A request as it stands, without a library that would correct it.
fn ask(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

fn answer(address: SocketAddr, request: &str) -> String {
    let mut text = String::new();
    ask(address, request).read_to_string(&mut text).unwrap();
    text
}

fn get(address: SocketAddr, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    answer(address, &request)
}

/// The events of somebody who looks.
struct Events(BufReader<TcpStream>);

impl Events {
    fn of(address: SocketAddr) -> Self {
        let request = format!("GET /events HTTP/1.1\r\nhost: {address}\r\n\r\n");
        Events(BufReader::new(ask(address, &request)))
    }

    /// The next one: the contents of elements by their ids. `None` at the end.
    fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        while self.0.read_line(&mut line).ok()? > 0 {
            if let Some(data) = line.strip_prefix("data: ") {
                return Some(serde_json::from_str(data).unwrap());
            }
            line.clear();
        }
        None
    }
}

#[test]
fn the_page_has_its_facts_without_a_script_and_loads_nothing_from_elsewhere() {
    let mut board = verify_of(&["10-stable"]);
    board.take(ended());
    let page = open(board);
    let whole = get(page.address(), "/");
    for fact in [
        "CONFIRMED",
        "all of it",
        "10-stable",
        "not walked",
        "Without JavaScript",
    ] {
        assert!(whole.contains(fact), "{fact} is missing:\n{whole}");
    }
    assert!(
        whole.contains("content-security-policy: default-src 'none'; script-src 'self'"),
        "{whole}"
    );
    let (_, body) = whole.split_once("\r\n\r\n").unwrap();
    let inline = [" style=", " onclick=", "<style", "<script>"];
    assert!(inline.iter().all(|inline| !body.contains(inline)), "{body}");
    let loaded = body.split(" src=\"").chain(body.split(" href=\"")).skip(1);
    assert!(loaded.clone().count() > 3);
    assert!(
        body.matches("http://").count() == 1,
        "only the address of the load:\n{body}"
    );
    for file in ["/page.js", "/page.css", "/icon.svg", "/board.json"] {
        assert!(get(page.address(), file).starts_with("HTTP/1.1 200"), "{file}");
    }
    page.close();
}

#[test]
fn what_answers_say_is_text_and_no_markup() {
    let upstream = Upstream::start(|_| served_by("shop/<img src=x onerror=alert(1)>/a"));
    let mut client = Running::start(&["run", "--url", &upstream.url("/"), "--requests", "50"]);
    let whole = client.until("50 answers", |page| page.contains("50 answers in"));
    assert!(
        whole.contains("&lt;img src=x") && !whole.contains("<img"),
        "{whole}"
    );
    client.interrupt();
}

#[test]
fn other_names_other_methods_and_other_pages_are_refused() {
    let page = open(verify_of(&[]));
    let status = |request: &str| answer(page.address(), request)[9..12].to_owned();
    let with_host = |host: &str| format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    assert_eq!(status(&with_host(&page.address().to_string())), "200");
    assert_eq!(status(&with_host("localhost:1")), "200");
    assert_eq!(status(&with_host("rebound.example:9090")), "421");
    assert_eq!(status("GET / HTTP/1.0\r\n\r\n"), "421");
    let post = format!(
        "POST / HTTP/1.1\r\nhost: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        page.address()
    );
    assert_eq!(status(&post), "405");
    assert!(get(page.address(), "/../etc/passwd").starts_with("HTTP/1.1 404"));
    page.close();
}

#[test]
fn whoever_looks_gets_all_of_it_first_then_what_changes_and_at_last_the_end() {
    let page = open(verify_of(&["10-stable", "20-next"]));
    let live = page.live();
    let mut events = Events::of(page.address());
    let first = events.next().unwrap();
    assert_eq!(first.as_object().unwrap().len(), 8, "{first}");
    live.tell(|| Event::Applying {
        stage: "10-stable".to_owned(),
        rollback: false,
    });
    live.tell(ended);
    let second = events.next().unwrap();
    let changed: Vec<&String> = second.as_object().unwrap().keys().collect();
    assert_eq!(changed, ["headline", "stages"]);
    assert!(second["headline"].as_str().unwrap().contains("This is the end"));
    // Whoever comes late sees the same as whoever was there.
    assert_eq!(
        Events::of(page.address()).next().unwrap()["headline"],
        second["headline"]
    );
    page.close();
    assert_eq!(events.next(), None);
}

/// Of somebody who has not read for thousands of boards: the system's buffers hold some, the others are left out.
#[test]
fn a_slow_reader_misses_boards_and_holds_up_nobody() {
    let page = open(verify_of(&[]));
    let live = page.live();
    let mut slow = Events::of(page.address());
    slow.next().unwrap();
    let told = 3_000;
    for number in 1..=told {
        let long = format!("{number} {}", "x".repeat(10_000));
        live.tell(|| Event::Ended {
            verdict: None,
            text: long,
        });
    }
    let mut read = 0;
    loop {
        read += 1;
        let event = slow.next().unwrap();
        if event["headline"].as_str().unwrap().contains(&format!("{told} x")) {
            break;
        }
    }
    assert!(read < told, "all {read} were sent");
    page.close();
}

/// A client with a page.
struct Running {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    address: SocketAddr,
}

impl Running {
    fn start(words: &[&str]) -> Self {
        let words = [
            words,
            &["--dashboard", "127.0.0.1:0", "--dashboard-hold", "forever"],
        ]
        .concat();
        let mut child = command(&words).stdout(Stdio::null()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let address = line
            .trim()
            .strip_prefix("live page: http://")
            .unwrap_or_else(|| panic!("{line}"));
        Running {
            address: address.trim_end_matches('/').parse().unwrap(),
            child,
            stderr,
        }
    }

    /// The page when it is as wanted; follows its events, so nothing is asked for in a loop.
    fn until(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let mut events = Events::of(self.address);
        while events.next().is_some() {
            let whole = get(self.address, "/");
            if wanted(&whole) {
                return whole;
            }
        }
        panic!("the page ended before there was {what}")
    }

    /// Ctrl-C once it is over; the exit code.
    fn interrupt(mut self) -> Option<i32> {
        let mut line = String::new();
        while !line.contains("stays; Ctrl-C ends it") {
            line.clear();
            assert!(
                self.stderr.read_line(&mut line).unwrap() > 0,
                "the page does not stay"
            );
        }
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        kill(pid, Signal::SIGINT).unwrap();
        self.child.wait().unwrap().code()
    }
}

/// A wrong verdict comes at most once in 10,000 seeds of the split.
#[test]
fn a_verdict_is_on_the_page_and_the_page_stays_until_ctrl_c() {
    let upstream = Upstream::start(|seen| {
        served_by(if seen.number % 2 == 0 {
            "shop/v1/a"
        } else {
            "shop/v2/b"
        })
    });
    let words = [
        "verify",
        "--expect",
        "v1=50,v2=50",
        "--tolerance",
        "10pp",
        "--alpha",
        "0.0001",
    ];
    let mut client = Running::start(&[&words[..], &["--url", &upstream.url("/")]].concat());
    let whole = client.until("a verdict", |page| page.contains("This is the end"));
    let json = get(client.address, "/board.json");
    let (_, json) = json.split_once("\r\n\r\n").unwrap();
    let board: Value = serde_json::from_str(json).unwrap();
    assert_eq!(board["latest"]["verdict"], "CONFIRMED", "{whole}");
    let edge = &board["edges"][0];
    for version in edge["versions"].as_array().unwrap() {
        let share = |of: &Value| of.as_f64().unwrap();
        let (low, high) = (&version["interval"]["low"], &version["interval"]["high"]);
        let observed = share(&version["observed"]);
        assert!(share(low) <= observed && observed <= share(high), "{version}");
    }
    let points = edge["curve"]["points"].as_array().unwrap();
    assert!(points.len() > 5, "{points:?}");
    assert_eq!(points.last().unwrap()["n"], edge["n"]);
    assert_eq!(client.interrupt(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_told_before_anything_is_sent() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let upstream = Upstream::start(|_| served_by("shop/v1/a"));
    let output = load_client(&["run", "--url", &upstream.url("/"), "--dashboard", &address]);
    assert_eq!(code(&output), 2);
    let said = stderr(&output);
    assert!(
        said.contains(&address) && said.contains("nothing was sent"),
        "{said}"
    );
    assert!(upstream.seen().is_empty());
}
