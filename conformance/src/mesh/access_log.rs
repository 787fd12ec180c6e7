//! The JSON access log, one line per HTTP request.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// What is compared of a line; the key names are Istio's.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Entry {
    /// Envoy's response flags, `-` for none.
    #[serde(rename = "response_flags", default = "missing")]
    pub flags: String,
    /// Envoy's response code details.
    #[serde(rename = "response_code_details", default = "missing")]
    pub details: String,
}

/// A log that is being written.
#[derive(Debug)]
pub struct AccessLog {
    path: PathBuf,
    offset: u64,
    entries: Vec<Entry>,
}

fn missing() -> String {
    "?".into()
}

// === impl AccessLog ===

impl AccessLog {
    /// Of this file, which may not exist yet.
    pub fn new(path: &Path) -> Self {
        AccessLog {
            path: path.to_owned(),
            offset: 0,
            entries: Vec::new(),
        }
    }

    /// All lines so far. A line that is not whole yet waits for the next call.
    pub fn read(&mut self) -> io::Result<&[Entry]> {
        let mut file = match std::fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(&self.entries),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        self.offset += whole as u64;
        for line in bytes[..whole]
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            self.entries.push(serde_json::from_slice(line)?);
        }
        Ok(&self.entries)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_line_counts_once_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        let mut log = AccessLog::new(&path);
        assert!(log.read().unwrap().is_empty());
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(
            b"{\"response_flags\":\"-\",\"response_code_details\":\"via_upstream\",\"x\":1}\n{\"resp",
        )
        .unwrap();
        assert_eq!(log.read().unwrap().len(), 1);
        file.write_all(b"onse_flags\":\"UH\"}\n").unwrap();
        let entries = log.read().unwrap();
        assert_eq!(
            (entries[1].flags.as_str(), entries[1].details.as_str()),
            ("UH", "?")
        );
    }
}
