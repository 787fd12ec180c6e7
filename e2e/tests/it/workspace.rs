//! Crates, Makefile and CI: what other files say about them holds.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use e2e::{Lab, run};
use serde_json::Value;
use tokio::process::Command;

/// Who may use whom; in tests services may use each other.
const ALLOWED: [(&str, &str); 5] = [
    ("e2e", "conformance"),
    ("auth-service", "service-kit"),
    ("payment-service", "service-kit"),
    ("local-mesh", "mesh-config"),
    ("load-client", "mesh-config"),
];

/// Crates with which a library could do I/O, ask for the time or draw without being given a generator.
const IMPURE: [&str; 12] = [
    "tokio",
    "mio",
    "socket2",
    "hyper",
    "reqwest",
    "actix_web",
    "nix",
    "rustix",
    "tempfile",
    "getrandom",
    "tracing_subscriber",
    "uuid",
];

/// What a public CI runs.
const WORKFLOW: &str = ".github/workflows/ci.yaml";

#[tokio::test]
async fn dependencies_between_crates_point_one_way() -> Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--offline", "--no-deps", "--format-version", "1"]);
    let metadata = run(cargo.current_dir(Lab::find()?.root()))
        .await?
        .expect(0)?
        .json()?;
    let mut found = BTreeSet::new();
    for package in metadata["packages"].as_array().context("packages")? {
        for dependency in package["dependencies"].as_array().context("dependencies")? {
            if !dependency["path"].is_null() && dependency["kind"].is_null() {
                let name = |value: &Value| value.as_str().map(str::to_owned).context("a name");
                found.insert((name(&package["name"])?, name(&dependency["name"])?));
            }
        }
    }
    let allowed = ALLOWED.map(|(from, to)| (from.to_owned(), to.to_owned()));
    assert_eq!(found, BTreeSet::from(allowed));
    Ok(())
}

#[tokio::test]
async fn mesh_config_links_nothing_that_does_io() -> Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "tree",
        "--offline",
        "--package",
        "mesh-config",
        "--edges",
        "normal,no-proc-macro",
    ]);
    cargo
        .args(["--prefix", "none", "--format", "{lib}"])
        .current_dir(Lab::find()?.root());
    let tree = run(&mut cargo).await?.expect(0)?.stdout;
    let linked: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    ensure!(
        linked.contains("serde_saphyr"),
        "these are not the crates of mesh-config: {linked:?}"
    );
    let impure: Vec<&&str> = linked.iter().filter(|name| IMPURE.contains(name)).collect();
    assert!(impure.is_empty(), "mesh-config links {impure:?}");
    Ok(())
}

#[tokio::test]
async fn a_bare_make_shows_every_target_that_is_spoken_of() -> Result<()> {
    let lab = Lab::find()?;
    let help = run(Command::new("make").current_dir(lab.root()))
        .await?
        .expect(0)?
        .stdout;
    let shown: BTreeSet<&str> = help
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    for file in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        ".ci/run",
        WORKFLOW,
    ] {
        let text = fs::read_to_string(lab.root().join(file))?;
        for (_, after) in text
            .match_indices("make ")
            .map(|(at, found)| text[at..].split_at(found.len()))
        {
            let target: String = after
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '-')
                .collect();
            // A command, not the verb: in backticks, in a block, or a line of a script.
            let before = &text[..text.len() - after.len() - "make ".len()];
            let command = before.ends_with(['`', '\n'])
                || ["$ ", "step ", "run: "]
                    .iter()
                    .any(|start| before.ends_with(start));
            assert!(
                !command || shown.contains(&*target),
                "{file} speaks of `make {target}`; make shows {shown:?}"
            );
        }
    }
    ensure!(shown.contains("demo-local") && shown.contains("test"), "{help}");
    Ok(())
}

/// The steps of all jobs, and what holds for each job.
#[test]
fn the_workflow_pins_its_actions_and_asks_for_no_rights() -> Result<()> {
    let text = fs::read_to_string(Lab::find()?.root().join(WORKFLOW))?;
    let workflow: Value = serde_saphyr::from_str(&text)?;
    assert_eq!(workflow["permissions"], serde_json::json!({"contents": "read"}));
    let mut used = 0;
    for (name, job) in workflow["jobs"].as_object().context("jobs")? {
        assert!(job["timeout-minutes"].is_u64(), "the job {name} has no timeout");
        assert!(job["permissions"].is_null(), "the job {name} asks for rights");
        for step in job["steps"].as_array().context("steps")? {
            let Some(action) = step["uses"].as_str() else {
                continue;
            };
            let (_, commit) = action.split_once('@').context("a version")?;
            let is_commit = commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit());
            assert!(is_commit, "{name}: {action} is not pinned by a commit");
            used += 1;
        }
    }
    assert!(
        used > 0,
        "no action is used at all, not even to check the sources out"
    );
    Ok(())
}

/// Whoever has run `.ci/run` knows what the public job will say.
#[test]
fn the_workflow_runs_what_the_script_runs() -> Result<()> {
    let root = Lab::find()?;
    let (script, workflow) = (
        fs::read_to_string(root.root().join(".ci/run"))?,
        fs::read_to_string(root.root().join(WORKFLOW))?,
    );
    let steps: Vec<&str> = script
        .lines()
        .filter_map(|line| line.trim().strip_prefix("step "))
        .collect();
    ensure!(steps.contains(&"make test"), "{steps:?}");
    for step in steps {
        assert!(
            workflow.contains(&format!("run: {step}\n")),
            "{WORKFLOW} does not run `{step}`"
        );
    }
    Ok(())
}
