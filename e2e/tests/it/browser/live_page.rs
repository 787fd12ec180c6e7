//! A rollout, watched; and a split that is not as declared.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{LocalMesh, Target, until};
use serde_json::{Value, json};
use thirtyfour::Key;

use super::client::Client;
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
/// The verdict on each stage.
const STAGES: &str =
    "return [...document.querySelectorAll('#stages .state')].map((state) => state.textContent)";

async fn text(browser: &Browser, id: &str) -> Result<String> {
    let found = browser
        .run(&format!("return document.getElementById('{id}').textContent"))
        .await?;
    Ok(found.as_str().unwrap_or_default().to_owned())
}

/// What the live region says when all is over.
async fn announced(browser: &Browser) -> Result<String> {
    let headline = async || {
        let headline = text(browser, "headline").await?;
        Ok(headline.contains("This is the end").then_some(headline))
    };
    let headline = until("the end is announced", PATIENCE, headline).await?;
    let region = browser
        .run("return document.getElementById('headline').role")
        .await?;
    ensure!(region == "status", "it is announced in a {region}");
    Ok(headline)
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
    Browser::with(watch_a_rollout).await
}

/// Wide tolerances, so that the walk is short: about a thousand requests in a stage. One walk in 50,000 ends without being
/// confirmed although nothing is wrong.
async fn watch_a_rollout(browser: &Browser) -> Result<()> {
    let mesh = LocalMesh::start("10-stable").await?;
    let lab = mesh.lab();
    let stages = tempfile::tempdir()?;
    for stage in ["10-stable", "30-canary-10"] {
        symlink(lab.stage(stage), stages.path().join(stage))?;
    }
    let mut command = lab.program("load-client");
    command.args(["rollout", "--apply", &mesh.apply_command(), "--stages"]);
    command.arg(stages.path()).arg("--manifests").arg(lab.base());
    command.args(["--url", &mesh.url("/version"), "--alpha", "0.00001"]);
    command.args(["--tolerance", "5pp", "--budget", "100000"]);
    let mut client = Client::start(&mut command).await?;
    browser.window.goto(&client.page).await?;

    let both = async || Ok((browser.run(SQUARES).await? == json!([true, true])).then_some(()));
    until("squares of both versions", PATIENCE, both).await?;
    let headline = announced(browser).await?;
    ensure!(
        headline.starts_with("CONFIRMED 2 of 2 stages confirmed, 0 errors"),
        "{headline}"
    );
    let stages = browser.run(STAGES).await?;
    ensure!(stages == json!(["CONFIRMED", "CONFIRMED"]), "{stages}");
    figures_agree(&browser.run(FIGURES).await?)?;

    looks_well(browser, lab, "live").await?;
    the_keyboard_works(browser).await?;
    browser.has_nothing_to_complain_of().await?;
    client.done().await?;
    client.end(0).await
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

#[tokio::test]
async fn a_violation_is_seen_with_its_cause_and_so_it_is_in_the_report() -> Result<()> {
    Browser::with(watch_a_violation).await
}

/// All requests go to v1, and a tenth are declared to go to v2: certain after some hundred.
async fn watch_a_violation(browser: &Browser) -> Result<()> {
    let mesh = LocalMesh::start("10-stable").await?;
    let lab = mesh.lab();
    let folder = tempfile::tempdir()?;
    let report = folder.path().join("report.html");
    let mut command = lab.program("load-client");
    command.args(["verify", "--url", &mesh.url("/version"), "--manifests"]);
    command.arg(lab.base()).arg(lab.stage("30-canary-10"));
    command.arg("--report").arg(&report);
    let mut client = Client::start(&mut command).await?;
    browser.window.goto(&client.page).await?;
    let headline = announced(browser).await?;
    ensure!(headline.starts_with("VIOLATION"), "{headline}");
    let causes = text(browser, "causes").await?;
    ensure!(
        causes.contains("10-stable"),
        "the stage that is in force: {causes}"
    );
    looks_well(browser, lab, "violation").await?;
    client.done().await?;
    the_report_looks_well(browser, &mesh, &report).await?;
    client.end(1).await
}

/// The page that stays of it, opened as a file.
async fn the_report_looks_well(browser: &Browser, mesh: &LocalMesh, report: &Path) -> Result<()> {
    browser
        .window
        .goto(&format!("file://{}", report.display()))
        .await?;
    let all = browser.run("return document.body.textContent").await?;
    ensure!(all.as_str().is_some_and(|all| all.contains("VIOLATION")), "{all}");
    looks_well(browser, mesh.lab(), "report").await?;
    browser.has_nothing_to_complain_of().await
}
