//! Pages in a real browser: skipped by name where there is none (`scripts/browser-test` installs one).

mod client;
mod driver;
mod live_page;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use e2e::Lab;
use serde_json::{Value, json};
use thirtyfour::Key;

use driver::Browser;

/// Everything that can have the focus and is to be seen, in the order of the page.
const CONTROLS: &str =
    "return [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex=\"0\"]')]
    .filter((element) => element.checkVisibility()).map((element) => element.outerHTML.slice(0, 60))";
const FOCUSED: &str = "return document.activeElement.outerHTML.slice(0, 60)";

/// The next key goes on from the beginning of the page.
const FROM_THE_START: &str =
    "const body = document.body; body.tabIndex = -1; body.focus(); body.removeAttribute('tabindex')";

/// Where pictures are kept.
fn pictures(lab: &Lab) -> PathBuf {
    lab.bin().with_file_name("screenshots")
}

/// Contrast, texts of pictures, width, origin of all that is loaded: on a screen in both schemes, and on a phone. Leaves
/// `NAME-light.png`, `NAME-dark.png` and `NAME-phone.png`.
async fn looks_well(browser: &Browser, lab: &Lab, name: &str) -> Result<()> {
    let shown = [
        ("light", 1280, "light"),
        ("dark", 1280, "dark"),
        ("phone", 390, "light"),
    ];
    for (how, width, scheme) in shown {
        browser.shown_as(width, 800, scheme).await?;
        let height = browser
            .run("return document.documentElement.scrollHeight")
            .await?;
        let height = u32::try_from(height.as_u64().unwrap_or(800))?;
        browser.shown_as(width, height, scheme).await?;
        let problems = browser.run(include_str!("checks.js")).await?;
        browser
            .picture(&pictures(lab).join(format!("{name}-{how}.png")))
            .await?;
        ensure!(problems == json!([]), "{name}, {how}: {problems:#}");
    }
    Ok(())
}

/// The tabulator key goes to every control, in the order in which they stand.
async fn the_keyboard_reaches_everything(browser: &Browser) -> Result<()> {
    let controls = browser.run(CONTROLS).await?;
    let controls = controls.as_array().cloned().unwrap_or_default();
    ensure!(!controls.is_empty(), "there is nothing to reach");
    browser.run(FROM_THE_START).await?;
    let mut reached: Vec<Value> = Vec::new();
    for _ in &controls {
        browser.press(Key::Tab).await?;
        reached.push(browser.run(FOCUSED).await?);
    }
    ensure!(
        reached == controls,
        "reached {reached:#?} instead of {controls:#?}"
    );
    Ok(())
}
