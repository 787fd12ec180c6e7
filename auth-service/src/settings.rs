//! What this service alone is told.

use serde::Deserialize;

use crate::Signer;

/// `APP_*` variables of auth-service besides those of [`service_kit::Config`].
#[derive(Debug, Clone, Deserialize)]
pub struct Settings {
    /// `APP_TOKEN_KEY`, required, at least 16 bytes: the same for every instance of every version. It is kept only as
    /// the signer it makes, so it cannot be printed.
    pub token_key: Signer,
}
