//! What this service alone is told.

use reqwest::Url;
use serde::Deserialize;

/// `APP_*` variables of payment-service besides those of [`service_kit::Config`].
#[derive(Debug, Clone, Deserialize)]
pub struct Settings {
    /// `APP_AUTH_URL`: where auth-service is, `http://auth-service:8080` by default. There is no version in it: which
    /// version answers is the mesh's business.
    #[serde(default)]
    pub auth_url: AuthUrl,
}

/// An `http` URL without query; a path is a prefix of the paths asked there.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct AuthUrl(String);

impl AuthUrl {
    /// The URL of `POST /verify` there.
    pub fn verify(&self) -> String {
        format!("{}/verify", self.0)
    }
}

impl Default for AuthUrl {
    fn default() -> Self {
        Self("http://auth-service:8080".to_owned())
    }
}

impl TryFrom<String> for AuthUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let expected = "use one such as http://auth-service:8080";
        let url =
            Url::parse(&text).map_err(|error| format!("{text:?} is not a URL ({error}), {expected}"))?;
        if url.scheme() != "http" || url.query().is_some() || url.fragment().is_some() {
            return Err(format!(
                "{text:?} is not a plain http URL (TLS is the mesh's business), {expected}"
            ));
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}
