//! The flags of the live page.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use load_client::dashboard::{Board, Dashboard, Live, PageAddress};
use tokio::signal::unix::{SignalKind, signal};

use super::values;

/// Where the live page is, and for how long.
#[derive(Args, Debug)]
pub(super) struct PageArgs {
    /// Serve a page of the traffic as it happens at this address, such as 127.0.0.1:9090; PORT alone is for this machine
    /// only, port 0 is a free one
    #[arg(long, value_name = "ADDRESS", help_heading = "Live page")]
    dashboard: Option<PageAddress>,
    /// How long the page stays after the end: 30s, or `forever`, until Ctrl-C
    #[arg(long, value_name = "TIME", value_parser = hold, requires = "dashboard", help_heading = "Live page")]
    dashboard_hold: Option<Hold>,
}

/// How long the page stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    For(Duration),
    Forever,
}

fn hold(text: &str) -> Result<Hold, String> {
    if text == "forever" {
        return Ok(Hold::Forever);
    }
    let time = values::duration(text).map(Hold::For);
    time.map_err(|error| format!("{error}, or `forever`"))
}

/// The page, if there is one.
pub(super) struct Page<'a> {
    args: &'a PageArgs,
    dashboard: Option<Dashboard>,
}

impl PageArgs {
    /// Serves the page of `command`, which sends to `url`, and says where it is.
    pub(super) fn open(&self, command: &str, url: &str) -> anyhow::Result<Page<'_>> {
        let open = |PageAddress(address)| Dashboard::open(address, Board::new(command, url), rand::random());
        let dashboard = self.dashboard.map(open).transpose()?;
        if let Some(dashboard) = &dashboard {
            let address = dashboard.address();
            let others = if address.ip().is_loopback() {
                ""
            } else {
                " (for everybody who can reach this address)"
            };
            say(&format!("live page: http://{address}/{others}"));
        }
        Ok(Page {
            args: self,
            dashboard,
        })
    }
}

impl Page<'_> {
    /// What to tell.
    pub(super) fn live(&self) -> Live {
        self.dashboard.as_ref().map(Dashboard::live).unwrap_or_default()
    }

    /// Keeps it as long as was asked for, or until Ctrl-C.
    pub(super) async fn hold(self) -> anyhow::Result<()> {
        let Some(dashboard) = self.dashboard else {
            return Ok(());
        };
        let address = dashboard.address();
        let time = match self.args.dashboard_hold {
            None => Duration::ZERO,
            Some(Hold::For(time)) => time,
            Some(Hold::Forever) => Duration::MAX,
        };
        if !time.is_zero() {
            // Listened for before it is offered.
            let mut interrupt = signal(SignalKind::interrupt())?;
            say(&format!("the live page http://{address}/ stays; Ctrl-C ends it"));
            // Either is the end.
            let _ = tokio::time::timeout(time, interrupt.recv()).await;
        }
        dashboard.close();
        Ok(())
    }
}

/// A closed stderr does not stop a measurement.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_stays_for_a_time_or_forever() {
        assert_eq!(hold("30s"), Ok(Hold::For(Duration::from_secs(30))));
        assert_eq!(hold("forever"), Ok(Hold::Forever));
        assert!(hold("30").unwrap_err().contains("forever"));
    }
}
