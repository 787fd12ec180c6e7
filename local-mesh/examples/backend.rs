//! A small HTTP server to run inside a mesh, used by the tests: it listens on `APP_HOST:APP_PORT`, says who it is, and
//! misbehaves on demand.
//!
//! | path | answer |
//! |---|---|
//! | `/readyz` | 200; 503 while the file named by `UNREADY_WHILE` exists |
//! | `/env` | its environment, a line per variable |
//! | `/hop?HOST:PORT/path` | what that URL answers, fetched through `HTTP_PROXY` |
//! | `/wait?MS` | its name, late |
//! | `/crash` | none: it ends with exit code 3 |
//! | others | its name |
//!
//! With `CRASH` set it ends with exit code 3 at once.
#![allow(clippy::exit, clippy::print_stdout)] // it is there to end badly, and its output goes to the logs

use std::env;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::exit;
use std::thread;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    if env::var_os("CRASH").is_some() {
        eprintln!("cannot start: CRASH is set");
        exit(3);
    }
    let address = format!("{}:{}", env::var("APP_HOST")?, env::var("APP_PORT")?);
    let listener = TcpListener::bind(&address)?;
    println!("listening on {address}");
    for stream in listener.incoming() {
        let stream = stream?;
        // A connection that breaks concerns nobody else.
        thread::spawn(move || serve(&stream).map_err(|error| error.to_string()));
    }
    Ok(())
}

/// Requests of one connection, until it closes. Bodies of requests are not looked at: nobody sends any.
fn serve(mut stream: &TcpStream) -> Result<()> {
    let mut lines = BufReader::new(stream).lines();
    while let Some(first) = lines.next().transpose()? {
        for line in lines.by_ref() {
            if line?.is_empty() {
                break;
            }
        }
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let (status, body) = answer(&path);
        let length = body.len();
        // In one piece: several would wait for each other's acknowledgement.
        let answer = format!("HTTP/1.1 {status} -\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}

fn answer(path: &str) -> (u16, String) {
    let name = env::var("HOSTNAME").unwrap_or_default();
    let (path, argument) = path.split_once('?').unwrap_or((path, ""));
    match path {
        "/readyz" => {
            let blocked = env::var("UNREADY_WHILE").is_ok_and(|file| Path::new(&file).exists());
            (if blocked { 503 } else { 200 }, name)
        }
        "/env" => {
            let mut lines: Vec<String> = env::vars()
                .map(|(name, value)| format!("{name}={value}\n"))
                .collect();
            lines.sort();
            (200, lines.concat())
        }
        "/hop" => hop(argument).map_or_else(|error| (500, error.to_string()), |body| (200, body)),
        "/wait" => {
            thread::sleep(Duration::from_millis(argument.parse().unwrap_or_default()));
            (200, name)
        }
        "/crash" => {
            eprintln!("asked to crash");
            exit(3)
        }
        _ => (200, name),
    }
}

/// One request through the proxy.
fn hop(target: &str) -> Result<String> {
    let proxy = env::var("HTTP_PROXY")?;
    let mut stream = TcpStream::connect(proxy.trim_start_matches("http://"))?;
    let host = target.split('/').next().unwrap_or_default();
    let request = format!("GET http://{target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    Ok(body.to_owned())
}
