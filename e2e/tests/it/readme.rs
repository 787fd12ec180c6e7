//! The commands of README.md.

use std::fs;
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Lab, free_ports, run, until};
use tokio::process::{Child, Command};

/// Where the README says that the mesh listens.
const GATEWAY: &str = "127.0.0.1:8080";
const ADMIN: &str = "127.0.0.1:15000";
const START: Duration = Duration::from_secs(60);

/// A block of the README: its language and its lines.
struct Block<'a> {
    language: &'a str,
    lines: Vec<&'a str>,
    /// Number of its first line in the file, from 1.
    first: usize,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => {
                open = Some(Block {
                    language,
                    lines: Vec::new(),
                    first: index + 2,
                })
            }
            (None, Some(block)) => block.lines.push(line),
            (None, None) => {}
        }
    }
    blocks
}

fn readme(lab: &Lab) -> Result<String> {
    Ok(fs::read_to_string(lab.root().join("README.md"))?)
}

#[test]
fn the_first_command_stands_on_the_first_screen_and_ci_runs_it() -> Result<()> {
    let lab = Lab::find()?;
    let text = readme(&lab)?;
    let blocks = blocks(&text);
    let first = blocks.first().context("README has no command")?;
    assert!(
        first.language == "sh" && first.first <= 15,
        "the first command is on line {}",
        first.first
    );
    let ci = fs::read_to_string(lab.root().join(".ci/run"))?;
    for command in &first.lines {
        assert!(
            ci.lines().any(|line| line.ends_with(command)),
            "CI does not run `{command}`, README's first command"
        );
    }
    Ok(())
}

/// The commands of a canary by hand, in their order. The first one, `local-mesh up`, runs until all others are done.
fn walkthrough(blocks: &[Block]) -> Vec<String> {
    let console = blocks.iter().filter(|block| block.language == "console");
    let text: Vec<String> = console.map(|block| block.lines.join("\n")).collect();
    let text = text.join("\n").replace("\\\n", "");
    let commands = text.lines().filter_map(|line| line.strip_prefix("$ "));
    commands.map(str::to_owned).collect()
}

/// A command as written, or, if somebody listens where the README's mesh would, the same at other addresses.
fn placed(command: &str, elsewhere: Option<&[String; 2]>) -> String {
    let Some([gateway, admin]) = elsewhere else {
        return command.to_owned();
    };
    let command = command.replace(GATEWAY, gateway);
    if command.contains("local-mesh up") {
        return format!("{command} --gateway {gateway} --admin {admin}");
    }
    format!("LOCAL_MESH_ADMIN={admin} {command}")
}

/// One verdict of it draws: 90/10 at alpha 0.001 is refuted wrongly in one of 6,000 runs.
#[tokio::test]
async fn the_canary_by_hand_works_as_written() -> Result<()> {
    let lab = Lab::find()?;
    let text = readme(&lab)?;
    let commands = walkthrough(&blocks(&text));
    let (up, others) = commands.split_first().context("README has no walkthrough")?;
    ensure!(up.contains("local-mesh up") && others.len() >= 8, "{commands:#?}");
    let elsewhere = if [GATEWAY, ADMIN]
        .iter()
        .all(|address| TcpListener::bind(address).is_ok())
    {
        None
    } else {
        let ports = free_ports(2)?;
        Some([ports[0], ports[1]].map(|port| format!("127.0.0.1:{port}")))
    };
    let mut mesh = start(&lab, &placed(up, elsewhere.as_ref()))?;
    let status = placed("target/release/local-mesh status", elsewhere.as_ref());
    let ready = async || {
        ensure!(mesh.try_wait()?.is_none(), "`{up}` has ended");
        Ok((run(&mut shell(&lab, &status)).await?.code == Some(0)).then_some(()))
    };
    until("the README's mesh gets ready", START, ready).await?;
    for command in others {
        let code = i32::from(command.starts_with("diff ")); // 1: there are differences, and they are shown
        let ended = run(&mut shell(&lab, &placed(command, elsewhere.as_ref())))
            .await?
            .expect(code)?;
        ensure!(!ended.stdout.is_empty(), "`{command}` shows nothing");
    }
    Ok(())
}

fn shell(lab: &Lab, command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .current_dir(lab.root())
        .kill_on_drop(true);
    shell
        .env_remove("LOCAL_MESH_ADMIN")
        .env_remove("LOCAL_MESH_GATEWAY");
    shell
}

/// `exec`, so that what is ended in the end is local-mesh and not the shell around it.
fn start(lab: &Lab, command: &str) -> Result<Child> {
    let mut shell = shell(lab, &format!("exec {command}"));
    Ok(shell
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?)
}
