//! The machine: disk, limits of the kernel, ports, and the cluster that may be there already.

use super::Finding;
use super::docker::gib;
use super::facts::{Container, Facts, Holder, Inotify, PortFact};

const GIB: u64 = 1 << 30;

/// Node image and Istio's images are 2 GB, what compiling inside Docker leaves behind is as much again.
const DISK_WANTED: u64 = 8 * GIB;
const DISK_NEEDED: u64 = 3 * GIB;

/// What most distributions have; seen to be enough for one node with nine sidecars.
const INOTIFY_FOR_ONE: Inotify = Inotify {
    watches: 65_536,
    instances: 128,
};
/// What kind's page on known issues recommends.
const INOTIFY_FOR_MANY: Inotify = Inotify {
    watches: 524_288,
    instances: 512,
};

pub(super) fn examine(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(facts.free_disk.map(disk));
    findings.extend(facts.inotify.map(|limits| inotify(limits, facts)));
    if facts.docker.is_ok() {
        findings.push(cluster(facts));
    }
    findings.extend(facts.ports.iter().map(|fact| port(fact, facts)));
    findings
}

fn disk(free: u64) -> Finding {
    let (check, room) = ("disk", gib(free));
    let fix = "docker system prune    # removes what no container uses";
    if free < DISK_NEEDED {
        Finding::problem(
            check,
            format!("{room} free where Docker keeps images; at least 3 GiB are needed"),
            fix,
        )
    } else if free < DISK_WANTED {
        let text = format!("{room} free where Docker keeps images; 8 GiB leave room for builds");
        Finding::warning(check, text, fix)
    } else {
        Finding::ok(check, format!("{room} free where Docker keeps images"))
    }
}

/// When they are used up, pods fail with "too many open files", and never say that it is these.
fn inotify(limits: Inotify, facts: &Facts) -> Finding {
    let others = facts
        .containers
        .iter()
        .filter(|node| {
            node.running
                && node
                    .cluster
                    .as_ref()
                    .is_some_and(|name| *name != facts.wanted.cluster)
        })
        .count();
    let enough = if others > 0 {
        INOTIFY_FOR_MANY
    } else {
        INOTIFY_FOR_ONE
    };
    let text = format!("{} instances, {} watches", limits.instances, limits.watches);
    if limits.instances >= enough.instances && limits.watches >= enough.watches {
        return Finding::ok("inotify", text);
    }
    let beside = if others > 0 {
        format!(", and {others} nodes of other clusters run")
    } else {
        String::new()
    };
    Finding::warning(
        "inotify",
        format!("{text}{beside}: pods may fail with `too many open files`"),
        format!(
            "sudo sysctl fs.inotify.max_user_instances={} fs.inotify.max_user_watches={}",
            INOTIFY_FOR_MANY.instances, INOTIFY_FOR_MANY.watches
        ),
    )
}

fn cluster(facts: &Facts) -> Finding {
    let (check, name) = ("cluster", &facts.wanted.cluster);
    let again = format!("kind delete cluster --name {name}    # make demo makes it anew");
    match facts.node() {
        None => Finding::ok(check, format!("{name} does not exist yet; make demo makes it")),
        Some(node) if !node.running => Finding::ok(
            check,
            format!("{name} exists and is stopped; make demo starts it"),
        ),
        Some(node) => {
            let lacking = facts
                .wanted
                .ports
                .iter()
                .find(|wanted| !node.ports.contains(&wanted.port));
            if let Some(wanted) = lacking {
                let text = format!(
                    "{name} runs, but does not listen on port {}: it was made with another configuration",
                    wanted.port
                );
                return Finding::problem(check, text, again);
            }
            match &facts.wanted.image {
                Some(image) if tag(image) != tag(&node.image) => {
                    let text = format!("{name} runs {}, not {}", tag(&node.image), tag(image));
                    Finding::warning(check, text, again)
                }
                _ => Finding::ok(check, format!("{name} runs; make demo uses it")),
            }
        }
    }
}

fn tag(image: &str) -> &str {
    image.split('@').next().unwrap_or(image)
}

fn port(fact: &PortFact, facts: &Facts) -> Finding {
    let port = fact.port.port;
    let check = format!("port {port}");
    let Some(holder) = &fact.holder else {
        return Finding::ok(&check, format!("free on {}", fact.port.address));
    };
    let holds = |container: &&Container| container.running && container.ports.contains(&port);
    let node = facts.wanted.node();
    match facts.containers.iter().find(holds) {
        Some(container) if container.name == node => Finding::ok(&check, "held by the cluster itself"),
        Some(container) => Finding::problem(
            &check,
            format!("held by the container {}", container.name),
            format!("docker stop {}", container.name),
        ),
        None => {
            let (who, fix) = match holder {
                Holder::Process(name, id) => (format!("{name} (process {id})"), format!("kill {id}")),
                Holder::Unknown => (
                    "another process".to_owned(),
                    format!("sudo ss -ltnp 'sport = :{port}'    # shows which; end it"),
                ),
            };
            let text = format!(
                "held by {who}; the cluster is to listen on {}:{port}",
                fact.port.address
            );
            Finding::problem(&check, text, fix)
        }
    }
}
