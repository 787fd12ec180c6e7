//! Lines of an access log in JSON: Istio's names for the fields, which local-mesh uses, too.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::target::Logged;

/// A line.
///
/// # Errors
/// It is not one.
pub(crate) fn logged(line: &str) -> Result<Logged> {
    let line: Value = serde_json::from_str(line).with_context(|| format!("not a line of JSON: {line}"))?;
    let logged = || {
        Some(Logged {
            path: line["path"].as_str().unwrap_or_default().to_owned(),
            status: u16::try_from(line["response_code"].as_u64()?).ok()?,
            flags: line["response_flags"].as_str()?.to_owned(),
        })
    };
    logged().with_context(|| format!("not a line of an access log: {line}"))
}
