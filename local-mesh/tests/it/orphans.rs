use nix::sys::signal::Signal;

use crate::kit::{Lab, echo, pid_of, send, until};

#[test]
fn nothing_is_left_when_local_mesh_is_killed() {
    let lab = Lab::new();
    let up = lab.up(&echo(3, ""), &[]);
    // A guard and a program each.
    until("all run", || lab.processes().len() == 6);
    let (code, _) = up.end(Signal::SIGKILL);
    assert_eq!(code, 137);
    until("nothing is left", || lab.processes().is_empty());
}

#[test]
fn grandchildren_in_sessions_of_their_own_go_as_well() {
    let lab = Lab::new();
    let child = lab.path("bin").join("echo-v2");
    let script = format!(
        "setsid sh -c 'exec {0}' & export APP_PORT=0; setsid {0} & wait",
        child.display()
    );
    let up = lab.up(
        &echo(
            1,
            &format!("command: [sh, -c, \"{script}\"]\nenv: [{{name: APP_HOST, value: 127.0.0.1}}]"),
        ),
        &[],
    );
    until("all run", || {
        lab.processes()
            .iter()
            .filter(|line| line.contains("echo-v2") && !line.contains("sh -c"))
            .count()
            >= 2
    });
    up.end(Signal::SIGKILL);
    until("nothing is left", || lab.processes().is_empty());
}

#[test]
fn a_program_dies_with_its_guard_and_is_started_again() {
    let lab = Lab::new();
    let up = lab.up(&echo(1, ""), &[]);
    let pod = &up.pods()[0];
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid_of(pod))).unwrap();
    let guard: u32 = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    send(guard, Signal::SIGKILL);
    until("the program is gone", || {
        !std::path::Path::new(&format!("/proc/{}", pid_of(pod))).exists()
    });
    until("it runs again", || {
        let now = &up.pods()[0];
        now["status"]["ready"] == true && now["status"]["pid"] != pod["status"]["pid"]
    });
    assert_eq!(lab.processes().len(), 2);
}

#[test]
fn sigterm_ends_everything_within_five_seconds_even_stubborn_pods() {
    let lab = Lab::new();
    let stubborn = "command: [sh, -c, 'trap \"\" TERM; while true; do sleep 1; done']\nports: []";
    let manifest = echo(2, stubborn).replace("        ports: [{name: web, containerPort: 8080}]\n", "");
    let up = lab.up(&manifest, &[]);
    let (code, took) = up.end(Signal::SIGTERM);
    assert_eq!(code, 0);
    assert!(took.as_secs_f64() < 5.0, "{took:?}");
    assert!(lab.processes().is_empty());
}
