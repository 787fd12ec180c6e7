//! A rollout, watched.

use std::os::unix::fs::symlink;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Lab, LocalMesh, Target, until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use thirtyfour::Key;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr};

use super::driver::Browser;
use super::{looks_well, the_keyboard_reaches_everything};

/// On a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// Of every edge: who, version, observed, interval, verdict, as they stand in the table.
const FIGURES: &str = "return [...document.querySelectorAll('#facts tbody')].flatMap((edge) => {
    const [who, verdict] = ['th[scope=rowgroup]', '.state'].map((what) => edge.querySelector(what).textContent);
    return [...edge.rows].map((row) => {
        const [, observed, interval] = [...row.querySelectorAll('td.figures')].map((cell) => cell.textContent);
        return { who, version: row.querySelector('th[scope=row]').textContent, observed, interval, verdict };
    });
})";

/// The latest squares: whether there are any of each version.
const SQUARES: &str = "return ['v1', 'v2'].map((version) => document.querySelector(`#field .squares path.${version}`) !== null)";

/// A rollout over two stages that serves a page.
struct Rollout {
    child: Child,
    stderr: Lines<BufReader<ChildStderr>>,
    page: String,
    _stages: TempDir,
}

impl Rollout {
    /// Wide tolerances, so that the walk is short: about a thousand requests in each stage. One walk in 50,000 ends
    /// without being confirmed although nothing is wrong.
    async fn start(mesh: &LocalMesh) -> Result<Self> {
        let lab = mesh.lab();
        let stages = tempfile::tempdir()?;
        for stage in ["10-stable", "30-canary-10"] {
            symlink(lab.stage(stage), stages.path().join(stage))?;
        }
        let mut command = lab.program("load-client");
        command
            .args(["rollout", "--apply", &mesh.apply_command(), "--stages"])
            .arg(stages.path());
        command.arg("--manifests").arg(lab.base());
        command.args(["--url", &mesh.url("/version")]);
        command.args(["--alpha", "0.00001", "--tolerance", "5pp", "--budget", "100000"]);
        command.args(["--dashboard", "127.0.0.1:0", "--dashboard-hold", "forever"]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let stderr = child.stderr.take().context("its standard error")?;
        let mut stderr = BufReader::new(stderr).lines();
        let line = stderr.next_line().await?.context("load-client has ended")?;
        let page = line.strip_prefix("live page: ").context(line.clone())?.to_owned();
        Ok(Rollout {
            child,
            stderr,
            page,
            _stages: stages,
        })
    }

    /// Ctrl-C while the page stays.
    async fn end(mut self) -> Result<()> {
        while let Some(line) = self.stderr.next_line().await? {
            if line.contains("Ctrl-C ends it") {
                break;
            }
        }
        let pid = self.child.id().context("load-client has ended")?;
        kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGINT)?;
        let status = self.child.wait().await?;
        ensure!(status.code() == Some(0), "load-client ended with {status}");
        Ok(())
    }
}

async fn text(browser: &Browser, id: &str) -> Result<String> {
    let found = browser
        .run(&format!("return document.getElementById('{id}').textContent"))
        .await?;
    Ok(found.as_str().unwrap_or_default().to_owned())
}

/// Every observed share lies in its interval, and every edge is confirmed.
fn figures_agree(figures: &Value) -> Result<()> {
    let rows = figures.as_array().context("no figures")?;
    ensure!(rows.len() == 2, "v1 and v2 of one edge: {figures:#}");
    for row in rows {
        let number = |text: &str| {
            text.trim_end_matches([' ', '%'])
                .parse::<f64>()
                .context(row.to_string())
        };
        let word = |name: &str| row[name].as_str().context(row.to_string());
        let (low, high) = word("interval")?.split_once('–').context(row.to_string())?;
        let observed = number(word("observed")?)?;
        ensure!(number(low)? <= observed && observed <= number(high)?, "{row}");
        ensure!(word("verdict")? == "CONFIRMED", "{row}");
    }
    Ok(())
}

#[tokio::test]
async fn a_rollout_is_watched_from_its_first_squares_to_its_verdict() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let watched = watch(&browser).await;
    browser.quit().await?;
    watched
}

async fn watch(browser: &Browser) -> Result<()> {
    let lab = Lab::find()?;
    let mesh = LocalMesh::start("10-stable").await?;
    let rollout = Rollout::start(&mesh).await?;
    browser.window.goto(&rollout.page).await?;

    let both = async || Ok((browser.run(SQUARES).await? == serde_json::json!([true, true])).then_some(()));
    until("squares of both versions", PATIENCE, both).await?;
    let announced = async || {
        let headline = text(browser, "headline").await?;
        Ok(headline.contains("This is the end").then_some(headline))
    };
    let headline = until("the end is announced", PATIENCE, announced).await?;
    ensure!(
        headline.starts_with("CONFIRMED 2 of 2 stages confirmed, 0 errors"),
        "{headline}"
    );
    let region = browser
        .run("return document.getElementById('headline').role")
        .await?;
    ensure!(region == "status", "it is announced in a {region}");
    let stages = browser
        .run("return [...document.querySelectorAll('#stages .state')].map((state) => state.textContent)")
        .await?;
    ensure!(
        stages == serde_json::json!(["CONFIRMED", "CONFIRMED"]),
        "{stages}"
    );
    figures_agree(&browser.run(FIGURES).await?)?;

    looks_well(browser, &lab, "live").await?;
    the_keyboard_works(browser).await?;
    browser.has_nothing_to_complain_of().await?;
    rollout.end().await
}

/// The pause button and the explanation, without a mouse.
async fn the_keyboard_works(browser: &Browser) -> Result<()> {
    the_keyboard_reaches_everything(browser).await?;
    browser.run("document.querySelector('summary').focus()").await?;
    browser.press(Key::Enter).await?;
    ensure!(
        browser
            .run("return document.querySelector('details').open")
            .await?
            == true
    );
    // What has been unfolded is reached as well.
    the_keyboard_reaches_everything(browser).await?;
    browser.run("document.getElementById('pause').focus()").await?;
    browser.press(Key::Space).await?;
    ensure!(text(browser, "connection").await? == "paused");
    browser.press(Key::Space).await?;
    ensure!(text(browser, "connection").await? == "ended");
    Ok(())
}
