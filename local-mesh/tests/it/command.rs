use std::io::Write;
use std::process::Stdio;

use nix::sys::signal::Signal;

use crate::kit::{Lab, echo, gateway, until};

#[test]
fn the_exit_code_of_the_command_is_ours() {
    let lab = Lab::new();
    for (script, code) in [
        ("exit 0", 0),
        ("exit 7", 7),
        ("kill -9 $$", 137),
        ("kill -TERM $$", 143),
    ] {
        let answer = lab.run(&echo(1, ""), &["--", "sh", "-c", script]);
        assert_eq!(answer.code, code, "{script}: {answer:?}");
        assert!(lab.processes().is_empty());
    }
    let answer = lab.run("", &["--", "no-such-program-anywhere"]);
    assert_eq!(answer.code, 127, "{answer:?}");
    assert!(answer.err.contains("no-such-program-anywhere"), "{}", answer.err);
}

#[test]
fn the_command_finds_a_mesh_that_is_ready() {
    let lab = Lab::new();
    let script = format!(
        "{} status && echo gateway=$LOCAL_MESH_GATEWAY",
        env!("CARGO_BIN_EXE_local-mesh")
    );
    let manifest = echo(2, "") + &gateway(&[80]);
    let answer = lab.run(
        &manifest,
        &["--gateway", "127.0.0.1:0", "--", "sh", "-c", &script],
    );
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(answer.out.contains("2 of 2 ready"), "{}", answer.out);
    assert!(answer.out.contains("gateway=127.0.0.1:"), "{}", answer.out);
    let answer = lab.run("", &["--", "sh", "-c", "echo gateway=$LOCAL_MESH_GATEWAY."]);
    assert!(answer.out.contains("gateway=."), "{}", answer.out);
}

#[test]
fn the_command_has_our_standard_streams() {
    let lab = Lab::new();
    let mut command = lab.command(
        "",
        &["--", "sh", "-c", "read line; echo out-$line; echo err-$line >&2"],
    );
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"hello\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "out-hello\n");
    assert!(String::from_utf8_lossy(&output.stderr).contains("err-hello"));
}

#[test]
fn what_the_command_leaves_behind_is_ended() {
    let lab = Lab::new();
    let script = format!(
        "APP_HOST=127.0.0.1 APP_PORT=0 setsid {} >/dev/null 2>&1 &",
        lab.path("bin").join("echo-v1").display()
    );
    let answer = lab.run("", &["--", "sh", "-c", &script]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(lab.processes().is_empty(), "{:?}", lab.processes());
}

#[test]
fn the_command_does_not_start_when_pods_do_not_get_ready() {
    let lab = Lab::new();
    let file = lab.path("ran");
    let script = format!("touch {}", file.display());
    let manifest = echo(1, "env: [{name: CRASH, value: '1'}]");
    let answer = lab.run(&manifest, &["--ready-timeout", "1", "--", "sh", "-c", &script]);
    assert_eq!(answer.code, 2, "{answer:?}");
    for expected in ["0 of 1 pods ready", "exit code 3", "| cannot start: CRASH is set"] {
        assert!(answer.err.contains(expected), "{expected}: {}", answer.err);
    }
    assert!(!file.exists());
}

#[test]
fn a_signal_ends_command_and_mesh() {
    let lab = Lab::new();
    let pid = lab.path("pid");
    let script = format!(
        "trap 'exit 5' TERM; echo $$ > {}; while true; do sleep 0.1; done",
        pid.display()
    );
    let up = lab.start(&echo(1, ""), &["--", "sh", "-c", &script]);
    until("the command runs", || {
        std::fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n'))
    });
    let (code, took) = up.end(Signal::SIGTERM);
    assert_eq!(code, 5);
    assert!(took.as_secs_f64() < 5.0, "{took:?}");
    assert!(lab.processes().is_empty());
}
