//! The processes below this one.

use std::fs;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

/// Kills everything below this process. The children of what is killed become ours, because a guard is a subreaper,
/// so the tree empties level by level, whatever process groups or sessions it is spread over.
pub(super) fn kill_descendants() {
    loop {
        let children = children_of(Pid::this());
        let killed: Vec<Pid> = children
            .into_iter()
            .filter(|&child| kill(child, Signal::SIGKILL).is_ok())
            .collect();
        if killed.is_empty() {
            return;
        }
        for child in killed {
            while waitpid(child, None) == Err(Errno::EINTR) {}
        }
    }
}

/// Read from `/proc/*/stat`: `/proc/PID/task/TID/children` is not in every kernel.
fn children_of(parent: Pid) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        fs::read_to_string(format!("/proc/{pid}/stat"))
            .ok()
            .and_then(|stat| parent_in(&stat))
            == Some(parent.as_raw())
    })
    .map(Pid::from_raw)
    .collect()
}

/// The parent in `pid (name) state ppid ...`; the name may have blanks and parentheses.
fn parent_in(stat: &str) -> Option<i32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_behind_any_name() {
        assert_eq!(parent_in("12 (sh) S 7 12 12 0 -1"), Some(7));
        assert_eq!(parent_in("12 (a) R 9 (b) S 7 12 12 0 -1"), Some(7));
        assert_eq!(parent_in("garbage"), None);
    }

    #[test]
    fn a_child_is_among_the_children() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = Pid::from_raw(child.id().try_into().unwrap());
        assert!(children_of(Pid::this()).contains(&pid));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
