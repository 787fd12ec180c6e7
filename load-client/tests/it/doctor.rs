//! `doctor`: what the facts of a machine mean.

use load_client::doctor::{
    Container, Docker, DoctorReport, Facts, Finding, Holder, HostPort, Inotify, Level, NoDocker, NoTool,
    PortFact, Version, Wanted, examine,
};

const GIB: u64 = 1 << 30;
const NAME: &str = "traffic";

/// A machine with which nothing is wrong and that has no cluster yet.
fn good() -> Facts {
    let port = HostPort {
        address: "127.0.0.1".to_owned(),
        port: 8080,
    };
    Facts {
        wanted: Wanted {
            cluster: NAME.to_owned(),
            image: Some("kindest/node:v1.34.3@sha256:08497e".to_owned()),
            ports: vec![port.clone()],
        },
        docker: Ok(Docker {
            version: "28.2.2".to_owned(),
            memory: 16 * GIB,
            cpus: 8,
            architecture: "x86_64".to_owned(),
            cgroup_version: 2,
        }),
        containers: Vec::new(),
        ports: vec![PortFact { port, holder: None }],
        inotify: Some(Inotify {
            watches: 65_536,
            instances: 128,
        }),
        available_memory: Some(9 * GIB),
        free_disk: Some(60 * GIB),
        kind: Ok("v0.33.0".parse().unwrap()),
        kubectl: Ok("v1.34.1".parse().unwrap()),
        istioctl: Ok("1.31-lab".parse().unwrap()),
    }
}

/// With the cluster of the demo running.
fn running() -> Facts {
    let mut facts = good();
    facts.containers.push(Container {
        name: format!("{NAME}-control-plane"),
        image: "kindest/node:v1.34.3@sha256:08497e".to_owned(),
        running: true,
        ports: vec![41567, 8080],
        cluster: Some(NAME.to_owned()),
    });
    facts.ports[0].holder = Some(Holder::Unknown);
    facts
}

fn docker(change: impl Fn(&mut Docker)) -> Facts {
    let mut facts = good();
    change(facts.docker.as_mut().unwrap());
    facts
}

fn with(mut facts: Facts, change: impl Fn(&mut Facts)) -> Facts {
    change(&mut facts);
    facts
}

/// The finding of one check; all others are ok.
fn only(facts: &Facts, check: &str) -> Finding {
    let findings = examine(facts);
    for finding in &findings {
        assert!(
            finding.check == check || finding.level == Level::Ok,
            "besides {check}: {finding:?}"
        );
        assert_eq!(finding.fix.is_some(), finding.level > Level::Ok, "{finding:?}");
    }
    let found = findings.into_iter().find(|finding| finding.check == check);
    found.unwrap_or_else(|| panic!("no finding on {check}"))
}

#[test]
fn a_good_machine_has_no_findings_with_or_without_the_cluster() {
    for facts in [good(), running()] {
        let report = DoctorReport::new(examine(&facts));
        assert!(report.ready);
        assert!(
            report.findings.iter().all(|finding| finding.level == Level::Ok),
            "{report:?}"
        );
        assert_eq!(
            report.headline(),
            "Nothing here stops the demo on a cluster: make demo"
        );
    }
    assert_eq!(only(&running(), "port 8080").text, "held by the cluster itself");
}

#[test]
fn docker_is_judged_by_what_the_demo_needs() {
    let table = [
        ("memory", docker(|d| d.memory = GIB), Level::Problem, "1.0 GiB"),
        (
            "memory",
            docker(|d| d.memory = 3 * GIB),
            Level::Warning,
            "3.0 GiB of the 4 GiB",
        ),
        // What Docker Desktop reports when it was given 4 GiB.
        (
            "memory",
            docker(|d| d.memory = 4 * GIB - 200 * (1 << 20)),
            Level::Ok,
            "3.8 GiB",
        ),
        (
            "memory",
            with(good(), |f| f.available_memory = Some(GIB)),
            Level::Warning,
            "1.0 GiB of 16.0 GiB are free",
        ),
        // What is not free may be the cluster's own.
        (
            "memory",
            with(running(), |f| f.available_memory = Some(GIB)),
            Level::Ok,
            "16.0 GiB",
        ),
        ("cpus", docker(|d| d.cpus = 1), Level::Warning, "1 of the 2"),
        (
            "architecture",
            docker(|d| d.architecture = "aarch64".to_owned()),
            Level::Ok,
            "arm64",
        ),
        (
            "architecture",
            docker(|d| d.architecture = "riscv64".to_owned()),
            Level::Problem,
            "riscv64",
        ),
    ];
    for (check, facts, level, text) in table {
        let finding = only(&facts, check);
        assert_eq!(finding.level, level, "{finding:?}");
        assert!(finding.text.contains(text), "{finding:?}");
    }
}

#[test]
fn without_docker_the_rest_is_still_looked_at() {
    let table = [
        (NoDocker::Missing, "not installed", "https://docs.docker.com"),
        (NoDocker::Denied, "you may not use it", "usermod"),
        (
            NoDocker::NotRunning("no socket".to_owned()),
            "no socket",
            "systemctl start docker",
        ),
    ];
    for (reason, text, fix) in table {
        let mut facts = good();
        facts.docker = Err(reason);
        let finding = only(&facts, "docker");
        assert_eq!(finding.level, Level::Problem);
        assert!(finding.text.contains(text) && finding.fix.unwrap().contains(fix));
        let checks: Vec<String> = examine(&facts).into_iter().map(|finding| finding.check).collect();
        assert!(checks.contains(&"kubectl".to_owned()), "{checks:?}");
        assert!(!checks.contains(&"memory".to_owned()), "{checks:?}");
    }
}

#[test]
fn cgroup_v1_is_a_problem_for_the_kubernetes_that_refuses_it() {
    let old = |image: Option<&str>| {
        let mut facts = docker(|d| d.cgroup_version = 1);
        facts.wanted.image = image.map(str::to_owned);
        facts.kubectl = Ok("v1.35.0".parse().unwrap());
        only(&facts, "cgroups")
    };
    assert_eq!(old(Some("kindest/node:v1.34.3")).level, Level::Ok);
    let refused = old(Some("kindest/node:v1.35.0@sha256:452d"));
    assert_eq!(refused.level, Level::Problem);
    assert!(refused.fix.unwrap().starts_with("KIND_IMAGE=kindest/node:v1.34"));
    assert_eq!(old(Some("node:latest")).level, Level::Warning);
    assert_eq!(old(None).level, Level::Warning);
}

#[test]
fn what_holds_the_port_decides_and_is_named() {
    let held = |holder: Holder| with(good(), |f| f.ports[0].holder = Some(holder.clone()));
    let process = only(&held(Holder::Process("local-mesh".to_owned(), 4711)), "port 8080");
    assert_eq!(process.level, Level::Problem);
    assert!(process.text.contains("local-mesh (process 4711)"), "{process:?}");
    assert_eq!(process.fix.unwrap(), "kill 4711");
    let unknown = only(&held(Holder::Unknown), "port 8080");
    assert!(unknown.fix.unwrap().contains("sport = :8080"));
    let mut other = held(Holder::Process("docker-proxy".to_owned(), 1));
    other.containers.push(Container {
        name: "jenkins".to_owned(),
        running: true,
        ports: vec![8080],
        ..Container::default()
    });
    assert_eq!(only(&other, "port 8080").fix.unwrap(), "docker stop jenkins");
}

#[test]
fn a_cluster_that_is_there_is_used_if_it_fits() {
    let stopped = with(running(), |f| {
        f.containers[0].running = false;
        f.containers[0].ports.clear();
        f.ports[0].holder = None;
    });
    let finding = only(&stopped, "cluster");
    assert_eq!(
        (finding.level, finding.text.contains("stopped")),
        (Level::Ok, true)
    );
    let elsewhere = with(running(), |f| {
        f.containers[0].ports = vec![41567];
        f.ports[0].holder = None;
    });
    let finding = only(&elsewhere, "cluster");
    assert_eq!(finding.level, Level::Problem);
    assert!(
        finding
            .fix
            .unwrap()
            .starts_with("kind delete cluster --name traffic")
    );
    let another = with(running(), |f| {
        f.wanted.image = Some("kindest/node:v1.33.7".to_owned())
    });
    let finding = only(&another, "cluster");
    assert_eq!(finding.level, Level::Warning);
    assert!(
        finding
            .text
            .contains("runs kindest/node:v1.34.3, not kindest/node:v1.33.7"),
        "{finding:?}"
    );
}

#[test]
fn inotify_limits_are_shared_by_all_clusters() {
    let few = with(good(), |f| f.inotify.as_mut().unwrap().instances = 64);
    let finding = only(&few, "inotify");
    assert_eq!(finding.level, Level::Warning);
    assert!(finding.fix.unwrap().contains("max_user_instances=512"));
    let mut crowded = good();
    for name in ["one-control-plane", "two-control-plane"] {
        crowded.containers.push(Container {
            name: name.to_owned(),
            running: true,
            cluster: name.split_once('-').map(|(cluster, _)| cluster.to_owned()),
            ..Container::default()
        });
    }
    let finding = only(&crowded, "inotify");
    assert_eq!(finding.level, Level::Warning);
    assert!(finding.text.contains("2 nodes of other clusters"), "{finding:?}");
    let plenty = Inotify {
        watches: 524_288,
        instances: 512,
    };
    assert_eq!(
        only(&with(crowded, |f| f.inotify = Some(plenty)), "inotify").level,
        Level::Ok
    );
}

/// A machine with another kind, kubectl or istioctl.
fn tool(text: &str, place: impl Fn(&mut Facts) -> &mut Result<Version, NoTool>) -> Facts {
    with(good(), |facts| {
        *place(facts) = match text {
            "missing" => Err(NoTool::Missing),
            "odd" => Err(NoTool::Odd("usage: ...".to_owned())),
            version => Ok(version.parse().unwrap()),
        }
    })
}

#[test]
fn kind_has_to_know_the_containerd_of_the_node_image() {
    let newer_node = |version: &str| {
        let mut facts = tool(version, |f| &mut f.kind);
        facts.wanted.image = Some("kindest/node:v1.36.1".to_owned());
        facts.kubectl = Ok("1.36.0".parse().unwrap());
        facts
    };
    for (facts, level) in [
        (tool("missing", |f| &mut f.kind), Level::Problem),
        (tool("odd", |f| &mut f.kind), Level::Warning),
        (tool("0.26.0", |f| &mut f.kind), Level::Problem),
        (tool("0.27.0", |f| &mut f.kind), Level::Ok),
        (newer_node("0.31.0"), Level::Problem),
        (newer_node("0.32.0"), Level::Ok),
    ] {
        let finding = only(&facts, "kind");
        assert_eq!(finding.level, level, "{finding:?}");
    }
}

#[test]
fn kubectl_and_istioctl_have_to_go_with_the_cluster() {
    for (version, level) in [
        ("missing", Level::Problem),
        ("1.33.0", Level::Ok),
        ("1.35.0", Level::Ok),
        ("1.32.4", Level::Warning),
        ("1.36.0", Level::Warning),
    ] {
        let finding = only(&tool(version, |f| &mut f.kubectl), "kubectl");
        assert_eq!(finding.level, level, "{finding:?}");
    }
    for (version, level) in [
        ("missing", Level::Problem),
        ("1.21.6", Level::Problem),
        ("1.22.0", Level::Ok),
    ] {
        let finding = only(&tool(version, |f| &mut f.istioctl), "istioctl");
        assert_eq!(finding.level, level, "{finding:?}");
    }
}

#[test]
fn room_on_the_disk_is_for_images_and_builds() {
    for (room, level) in [(60, Level::Ok), (5, Level::Warning), (2, Level::Problem)] {
        let finding = only(&with(good(), |f| f.free_disk = Some(room * GIB)), "disk");
        assert_eq!(finding.level, level, "{finding:?}");
    }
}

#[test]
fn text_keeps_within_80_columns_and_offers_the_way_without_a_cluster() {
    let mut facts = docker(|d| d.memory = GIB);
    facts.kind = Err(NoTool::Missing);
    facts.istioctl = Err(NoTool::Missing);
    facts.kubectl = Ok("1.30.0".parse().unwrap());
    facts.ports[0].holder = Some(Holder::Process("local-mesh".to_owned(), 4711));
    facts.inotify = Some(Inotify {
        watches: 8192,
        instances: 64,
    });
    let report = DoctorReport::new(examine(&facts));
    assert!(!report.ready);
    let mut text = Vec::new();
    report.write_table(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    for line in text.lines().filter(|line| !line.contains("-> ")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(text.contains("4 problems, 2 warnings"), "{text}");
    assert!(text.ends_with("make demo-local\n"), "{text}");
}
