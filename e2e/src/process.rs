//! Processes, as `/proc` shows them: which ones a program started, and whether they are gone.

use std::fs;

/// A process that ran at some time. Its start time tells it from a later one with the same id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: i32,
    /// Name of the program, cut to 15 bytes by the kernel.
    pub name: String,
    parent: i32,
    started: u64,
    zombie: bool,
}

impl Process {
    /// The process with this id; `None` if there is none.
    pub fn of(pid: i32) -> Option<Self> {
        // `PID (NAME) STATE PPID ...`; NAME may hold blanks and brackets, and the start time is the 22nd word.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (head, tail) = stat.rsplit_once(')')?;
        let words: Vec<&str> = tail.split_whitespace().collect();
        Some(Process {
            pid,
            name: head.split_once('(')?.1.to_owned(),
            parent: words.get(1)?.parse().ok()?,
            started: words.get(19)?.parse().ok()?,
            zombie: *words.first()? == "Z",
        })
    }

    /// All processes that descend from this one.
    pub fn descendants(pid: i32) -> Vec<Process> {
        let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
        let all: Vec<Process> = pids
            .filter_map(|entry| Process::of(entry.file_name().to_str()?.parse().ok()?))
            .collect();
        let mut found: Vec<Process> = Vec::new();
        let mut parents = vec![pid];
        while let Some(parent) = parents.pop() {
            let children = all.iter().filter(|process| process.parent == parent);
            for child in children {
                parents.push(child.pid);
                found.push(child.clone());
            }
        }
        found
    }

    /// False once it has ended, whether or not somebody has asked for its exit code yet.
    pub fn is_running(&self) -> bool {
        Process::of(self.pid).is_some_and(|now| now.started == self.started && !now.zombie)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_seen_until_it_ends() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let process = Process::of(pid).unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(process.is_running() && Process::descendants(own).contains(&process));
        let another = Process {
            started: process.started + 1,
            ..process.clone()
        };
        assert!(
            !another.is_running(),
            "the id alone does not make it the same process"
        );
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!process.is_running());
    }
}
