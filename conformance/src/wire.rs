//! HTTP/1.1 off a socket, without an opinion: what a library would mend or refuse is what the cases are about.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Request line or status line, and the headers: names in lower case, values as Latin-1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// The first line.
    pub first: String,
    /// The rest, in order.
    pub headers: Vec<(String, String)>,
}

/// A source of bytes and those of them that were read ahead.
#[derive(Debug)]
pub struct Wire<R> {
    source: R,
    ahead: BytesMut,
}

/// A peer that goes on without end is not waited for.
const MOST: usize = 64 << 20;

// === impl Head ===

impl Head {
    fn parse(bytes: &[u8]) -> Head {
        let text = latin1(bytes);
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default().to_owned();
        let headers = lines.filter(|line| !line.is_empty()).map(|line| {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        Head {
            first,
            headers: headers.collect(),
        }
    }

    /// The last value of a header.
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().rev().find(|(one, _)| one == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the body is in chunks.
    pub fn chunked(&self) -> bool {
        self.value("transfer-encoding")
            .is_some_and(|coding| coding.contains("chunked"))
    }

    /// What `content-length` says, if it says a number.
    pub fn length(&self) -> Option<usize> {
        self.value("content-length")?.parse().ok()
    }
}

// === impl Wire ===

impl<R: AsyncRead + Unpin> Wire<R> {
    /// Reads from here.
    pub fn new(source: R) -> Self {
        Wire {
            source,
            ahead: BytesMut::new(),
        }
    }

    /// The source, to be written to.
    pub fn source_mut(&mut self) -> &mut R {
        &mut self.source
    }

    /// The source and what was read ahead of it.
    pub fn into_parts(self) -> (R, BytesMut) {
        (self.source, self.ahead)
    }

    /// Reads until that many bytes are there to be looked at, or the end. Takes nothing.
    pub async fn look(&mut self, bytes: usize) -> io::Result<&[u8]> {
        while self.ahead.len() < bytes && self.more().await? > 0 {}
        Ok(&self.ahead)
    }

    /// The next head; None at an end before it.
    pub async fn head(&mut self) -> io::Result<Option<Head>> {
        if self.look(1).await?.is_empty() {
            return Ok(None);
        }
        let bytes = self.through(b"\r\n\r\n").await?;
        Ok(Some(Head::parse(&bytes)))
    }

    /// That many bytes.
    pub async fn exactly(&mut self, bytes: usize) -> io::Result<BytesMut> {
        if self.look(bytes).await?.len() < bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(self.ahead.split_to(bytes))
    }

    /// A body in chunks, without its trailers.
    pub async fn chunks(&mut self) -> io::Result<BytesMut> {
        let mut body = BytesMut::new();
        loop {
            let line = self.through(b"\r\n").await?;
            let line = latin1(&line);
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| malformed("size of a chunk"))?;
            if size == 0 {
                while self.through(b"\r\n").await?.as_ref() != b"\r\n" {}
                return Ok(body);
            }
            body.unsplit(self.exactly(size).await?);
            self.exactly(2).await?;
        }
    }

    /// Everything up to the end.
    pub async fn rest(&mut self) -> io::Result<BytesMut> {
        while self.more().await? > 0 {}
        Ok(self.ahead.split())
    }

    /// Up to and with `end`.
    async fn through(&mut self, end: &[u8]) -> io::Result<BytesMut> {
        let mut from = 0;
        loop {
            let found = self.ahead[from..]
                .windows(end.len())
                .position(|bytes| bytes == end);
            if let Some(at) = found {
                return Ok(self.ahead.split_to(from + at + end.len()));
            }
            from = self.ahead.len().saturating_sub(end.len() - 1);
            if self.more().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn more(&mut self) -> io::Result<usize> {
        if self.ahead.len() > MOST {
            return Err(malformed("length: more than 64 MiB"));
        }
        self.ahead.reserve(16 << 10);
        self.source.read_buf(&mut self.ahead).await
    }
}

/// Every byte as the character of that number.
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The reverse; a character that is no byte becomes UTF-8.
pub fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u8::try_from(u32::from(character)) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_messages_on_one_connection_are_told_apart() {
        let mut wire = Wire::new(
            &b"GET /a HTTP/1.1\r\nX-A:  1 \r\nContent-Length: 2\r\n\r\nhiPOST / HTTP/1.1\r\n\r\n"[..],
        );
        let head = wire.head().await.unwrap().unwrap();
        assert_eq!(head.first, "GET /a HTTP/1.1");
        assert_eq!(head.value("x-a"), Some("1"));
        assert_eq!(head.length(), Some(2));
        assert_eq!(wire.exactly(2).await.unwrap().as_ref(), b"hi");
        assert_eq!(wire.head().await.unwrap().unwrap().first, "POST / HTTP/1.1");
        assert_eq!(wire.head().await.unwrap(), None);
    }

    #[tokio::test]
    async fn chunks_are_joined_and_trailers_dropped() {
        let mut wire = Wire::new(&b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nx-sum: 1\r\n\r\nrest"[..]);
        assert_eq!(wire.chunks().await.unwrap().as_ref(), b"abc0123456789");
        assert_eq!(wire.rest().await.unwrap().as_ref(), b"rest");
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_an_unexpected_end() {
        let mut wire = Wire::new(&b"5\r\nabc"[..]);
        assert_eq!(
            wire.chunks().await.unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
        let mut wire = Wire::new(&b"HTTP/1.1 200 OK\r\nx:"[..]);
        assert_eq!(
            wire.head().await.unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }

    #[test]
    fn bytes_survive_as_latin_1() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes_of(&latin1(&all)), all);
    }
}
