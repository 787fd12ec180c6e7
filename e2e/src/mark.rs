//! Names that nothing had before.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// `PREFIX-...`: another one each time, in each process that ever ran here. Good for names of Kubernetes.
pub fn unique(prefix: &str) -> String {
    static DRAWN: AtomicUsize = AtomicUsize::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let number = DRAWN.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}-{:x}-{:x}-{number}", now.as_millis(), std::process::id())
}
