//! How local-mesh starts and ends.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use e2e::{Call, Lab, Load, LocalMesh, Process, Target, free_ports, run, until};
use nix::sys::signal::Signal;

/// For what takes a moment, on a machine that does much else.
const SOON: Duration = Duration::from_secs(30);
/// `up` ends within 5 s of SIGTERM. Twice that, since CI machines are shared.
const END: Duration = Duration::from_secs(10);
const CONNECTIONS: usize = 4;

/// Eight pods, each with its guard; the ids are those of `get pods`, and those that the kernel knows.
async fn everything(mesh: &LocalMesh) -> Result<Vec<Process>> {
    let processes = mesh.processes()?;
    for pod in mesh.pods().await? {
        let process = mesh.process_of(&pod.name).await?;
        assert!(
            processes.contains(&process),
            "{process:?} is not local-mesh's: {processes:?}"
        );
    }
    assert!(processes.len() >= 8, "{processes:?}");
    Ok(processes)
}

async fn gone(processes: &[Process]) -> Result<()> {
    until("every process of the mesh is gone", SOON, async || {
        Ok((!processes.iter().any(Process::is_running)).then_some(()))
    })
    .await
    .with_context(|| {
        let left: Vec<_> = processes.iter().filter(|process| process.is_running()).collect();
        format!("left: {left:?}")
    })
}

#[tokio::test]
async fn nothing_is_left_after_local_mesh_is_killed() -> Result<()> {
    let mut mesh = LocalMesh::start("10-stable").await?;
    let processes = everything(&mesh).await?;
    mesh.signal(Signal::SIGKILL)?;
    mesh.ended(SOON).await?;
    gone(&processes).await
}

#[tokio::test]
async fn sigterm_ends_everything_after_the_requests_in_flight() -> Result<()> {
    let mut mesh = LocalMesh::start("10-stable").await?;
    let processes = everything(&mesh).await?;
    let load = Load::start(mesh.gateway(), CONNECTIONS, |_| Call::get("/delay/300"));
    load.more(CONNECTIONS as u64).await?;
    let terminated = async {
        mesh.signal(Signal::SIGTERM)?;
        mesh.ended(END).await
    };
    // In this order: no request is sent after the signal.
    let (tally, status) = tokio::join!(load.finish(), terminated);
    assert_eq!(status?.code(), Some(0), "{}", mesh.said());
    assert_eq!(tally.bad(), 0, "{tally:?}");
    let left: Vec<_> = processes.iter().filter(|process| process.is_running()).collect();
    assert!(left.is_empty(), "up has ended and left {left:?}");
    Ok(())
}

/// A file and what is to be wrong with it: a text, what it becomes, and a word that the message has.
const MISTAKES: [(&str, &str, &str, &str); 3] = [
    (
        "10-misspelt.yaml",
        "      timeout: 10s\n",
        "      timeuot: 10s\n",
        "timeuot",
    ),
    (
        "20-subset.yaml",
        "            subset: v2\n",
        "            subset: v3\n",
        "v3",
    ),
    (
        "30-twice.yaml",
        "      timeout: 10s\n",
        "      timeout: 10s\n      timeout: 9s\n",
        "timeout",
    ),
];

#[tokio::test]
async fn up_names_every_mistake_of_every_file_and_starts_nothing() -> Result<()> {
    let lab = Lab::find()?;
    let folder = tempfile::tempdir()?;
    // The three objects of the stage, a file each, each with a mistake of its own.
    let mut expected = Vec::new();
    for (object, (file, from, to, word)) in lab.objects_of_stage("30-canary-10")?.iter().zip(MISTAKES) {
        let (head, _) = object
            .split_once(from)
            .with_context(|| format!("no `{from}` in {object}"))?;
        let path = folder.path().join(file);
        fs::write(&path, object.replacen(from, to, 1))?;
        // A duplicate is where it stands the second time.
        let line = 1 + head.matches('\n').count() + to.matches('\n').count() - 1;
        expected.push((format!("{}:{line}:", path.display()), word));
    }
    let started = programs_that_leave_a_trace(folder.path())?;
    // Whoever tried to listen before all files are right would complain about these.
    let taken = [
        TcpListener::bind("127.0.0.1:0")?,
        TcpListener::bind("127.0.0.1:0")?,
    ];
    let [admin, gateway] =
        [taken[0].local_addr()?, taken[1].local_addr()?].map(|address| address.to_string());
    let mut up = lab.program("local-mesh");
    up.args(["up", "--admin", &admin, "--gateway", &gateway, "--bin-dir"])
        .arg(&started);
    up.arg("-f").arg(lab.base()).arg("-f").arg(folder.path());
    let refused = run(&mut up).await?.expect(2)?;

    let text = &refused.stderr;
    for (place, word) in &expected {
        let (_, rest) = text
            .split_once(place.as_str())
            .with_context(|| format!("{place} is missing in\n{text}"))?;
        let problem: Vec<&str> = rest.lines().take(8).collect();
        assert!(
            problem.iter().any(|line| line.contains(word)),
            "{word} at {place} is missing in\n{text}"
        );
        assert!(
            problem.iter().any(|line| line.contains('^')),
            "no caret at {place} in\n{text}"
        );
    }
    assert!(!text.contains("listen"), "{text}");
    assert_eq!(
        fs::read_dir(started.join("started"))?.count(),
        0,
        "a program was started"
    );
    Ok(())
}

/// A folder of programs with the right names; one that runs leaves a file in `started`.
fn programs_that_leave_a_trace(folder: &Path) -> Result<PathBuf> {
    let bin = folder.join("bin");
    fs::create_dir_all(bin.join("started"))?;
    for name in [
        "auth-service-v1",
        "auth-service-v2",
        "payment-service-v1",
        "payment-service-v2",
    ] {
        let program = bin.join(name);
        fs::write(
            &program,
            format!("#!/bin/sh\ntouch '{}'/$$\n", bin.join("started").display()),
        )?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    }
    Ok(bin)
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_measured() -> Result<()> {
    let lab = Lab::find()?;
    let url = format!("http://127.0.0.1:{}/version", free_ports(1)?[0]);
    let mut verify = lab.program("load-client");
    verify.args(["verify", "--url", &url, "--expect", "v1=90,v2=10"]);
    let ended = run(&mut verify).await?.expect(2)?;
    let text = format!("{}{}", ended.stdout, ended.stderr);
    assert!(
        text.contains("nobody listens") && text.contains("--url"),
        "{text}"
    );
    Ok(())
}
