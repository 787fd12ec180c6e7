//! A headless Chromium, driven by chromedriver: both are looked for in the PATH.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{free_ports, until};
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use thirtyfour::{ChromiumLikeCapabilities, LoggingPrefsLogLevel};
use tokio::process::{Child, Command};

const START: Duration = Duration::from_secs(60);

/// A browser with one window; it ends with it.
pub(super) struct Browser {
    pub(super) window: WebDriver,
    _driver: Child,
}

fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

impl Browser {
    /// Does something with a browser, and ends it however that ends. Says so and does nothing where there is none.
    pub(super) async fn with(test: impl AsyncFnOnce(&Browser) -> Result<()>) -> Result<()> {
        let Some(browser) = Browser::start().await? else {
            return Ok(());
        };
        let seen = test(&browser).await;
        // Without this it would outlive the test.
        browser.window.quit().await?;
        seen
    }

    async fn start() -> Result<Option<Self>> {
        let chromium = ["chromium", "google-chrome"].into_iter().find_map(found);
        let (Some(chromium), Some(chromedriver)) = (chromium, found("chromedriver")) else {
            skip();
            return Ok(None);
        };
        let port = free_ports(1)?[0];
        let driver = Command::new(chromedriver)
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot run chromedriver")?;
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary(&chromium.to_string_lossy())?;
        wanted.set_headless()?;
        // Nothing is opened but the project's own pages, and a container's root has no sandbox.
        for argument in [
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-dev-shm-usage",
        ] {
            wanted.add_arg(argument)?;
        }
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        let url = format!("http://127.0.0.1:{port}");
        let connect = async || Ok(WebDriver::new(&url, wanted.clone()).await.ok());
        let window = until("chromedriver starts a browser", START, connect).await?;
        Ok(Some(Browser {
            window,
            _driver: driver,
        }))
    }

    /// As wide and as high as a screen, in a colour scheme.
    pub(super) async fn shown_as(&self, width: u32, height: u32, scheme: &str) -> Result<()> {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        let tools = self.window.cdp();
        tools.send_raw("Emulation.setEmulatedMedia", features).await?;
        tools.send_raw("Emulation.setDeviceMetricsOverride", size).await?;
        Ok(())
    }

    /// What a script returns.
    pub(super) async fn run(&self, script: &str) -> Result<Value> {
        Ok(self.window.execute(script, Vec::new()).await?.json().clone())
    }

    /// The whole page as a picture.
    pub(super) async fn picture(&self, file: &Path) -> Result<()> {
        std::fs::create_dir_all(file.parent().context("a folder")?)?;
        Ok(self.window.screenshot(file).await?)
    }

    /// Presses a key where the focus is.
    pub(super) async fn press(&self, key: Key) -> Result<()> {
        Ok(self.window.action_chain().send_keys(key).perform().await?)
    }

    /// Nothing has been written to its console.
    pub(super) async fn has_nothing_to_complain_of(&self) -> Result<()> {
        let log = self.window.browser_log().await?;
        ensure!(log.is_empty(), "the console of the browser: {log:#?}");
        Ok(())
    }
}

fn skip() {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("a test");
    eprintln!(
        "skipped: {name}; it needs chromium and chromedriver: scripts/browser-test installs them and runs it"
    );
}
