//! Memory does not grow with the requests: a run with everything that is counted, against a server that does nearly nothing.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::command::{code, command};

/// What may be added after the first step: windows of the diagnostics, of which a fixed number is kept, and buckets of the histograms that
/// had not been touched.
const MOST_MORE: u64 = 2 << 20;

/// The memory of a process when it has sent so many requests, for each step in their order.
struct Steps {
    process: OnceLock<u32>,
    answered: AtomicU64,
    steps: Vec<u64>,
    resident: Mutex<Vec<u64>>,
}

impl Steps {
    /// Answers one request; nine of ten are v1's.
    fn answer(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let number = self.answered.fetch_add(1, Ordering::Relaxed);
        if self.steps.contains(&number) {
            self.resident.lock().unwrap().push(resident(*self.process.wait()));
        }
        let version = if number % 10 == 9 { "v2" } else { "v1" };
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-served-by: shop/";
        stream.write_all(format!("{head}{version}/pod-{}\r\n\r\n", number % 7).as_bytes())
    }

    fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let mut request = [0; 4096];
        // The requests have no body and come one at a time: what is read is one of them, or the end.
        while matches!(stream.read(&mut request), Ok(1..)) && self.answer(&mut stream).is_ok() {}
    }
}

/// Bytes of a process that are in memory.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Runs one client over all steps.
fn measured(steps: &[u64]) -> Vec<u64> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let shared = Arc::new(Steps {
        process: OnceLock::new(),
        answered: AtomicU64::new(0),
        steps: steps.to_vec(),
        resident: Mutex::default(),
    });
    let server = Arc::clone(&shared);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let server = Arc::clone(&server);
            std::thread::spawn(move || server.serve(stream));
        }
    });
    // One more than the last step, which is measured when the request after it comes.
    let requests = (steps.last().unwrap() + 1).to_string();
    let words = [
        "run",
        "--url",
        &url,
        "--requests",
        &requests,
        "--expect",
        "v1=90,v2=10",
    ];
    let child = command(&[&words[..], &["-o", "json"]].concat()).spawn().unwrap();
    shared.process.set(child.id()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(code(&output) < 2, "{output:?}");
    shared.resident.lock().unwrap().clone()
}

#[allow(clippy::print_stdout, reason = "the figures are what the long run is for")]
fn is_flat(steps: &[u64]) {
    let resident = measured(steps);
    println!("requests {steps:?}, bytes in memory {resident:?}");
    assert_eq!(resident.len(), steps.len());
    let (first, most) = (resident[0], *resident.iter().max().unwrap());
    assert!(most - first <= MOST_MORE, "after {steps:?} requests {resident:?}");
}

#[test]
fn memory_is_flat_from_5_000_to_60_000_requests() {
    is_flat(&[5_000, 20_000, 60_000]);
}

#[test]
#[ignore = "at full length: make promise"]
fn memory_is_flat_over_ten_million_requests() {
    is_flat(&[100_000, 1_000_000, 10_000_000]);
}
