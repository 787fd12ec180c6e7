//! Tokens: `base64url(claims) . base64url(HMAC-SHA256(key, base64url(claims)))`, the claims as JSON.
//!
//! The idea of a JWT without its header: there is one algorithm, so nothing is negotiated that could be talked down.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Shortest key, in bytes: the 128 bits below which guessing it gets easier than forging a signature should be.
const SHORTEST_KEY: usize = 16;

/// How long a token is good: longer than any load test, since a load client fetches one token for all its requests.
pub const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Whose token it is.
    #[serde(rename = "sub")]
    pub user: String,
    /// When it ends, in seconds since 1970.
    #[serde(rename = "exp")]
    pub expires_at: u64,
}

/// Why a token is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// Not two parts in base64 (URL alphabet, without padding).
    #[error("The token is damaged; send the `token` of `POST /tokens` as it was given.")]
    Malformed,
    /// Made with another key, or changed since.
    #[error(
        "The token's signature is wrong: it was changed, or signed with another key. \
         Get a new one with `POST /tokens`; if that does not help, give every auth-service the same APP_TOKEN_KEY."
    )]
    Signature,
    /// Its time is over.
    #[error("The token expired {0} seconds ago; get a new one with `POST /tokens`.")]
    Expired(u64),
}

/// Signs and verifies with one key, which it never shows. The time is an argument.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Signer {
    /// Keyed once; a clone starts each signature.
    mac: Hmac<Sha256>,
}

impl TryFrom<String> for Signer {
    type Error = String;

    fn try_from(key: String) -> Result<Self, String> {
        if key.len() < SHORTEST_KEY {
            let length = key.len();
            return Err(format!(
                "{length} bytes are too short for a signing key, use at least {SHORTEST_KEY}"
            ));
        }
        // HMAC takes a key of any length.
        Hmac::new_from_slice(key.as_bytes())
            .map(|mac| Self { mac })
            .map_err(|error| error.to_string())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

impl Signer {
    /// A token for `user`, good from `now` for [`LIFETIME`], with its claims.
    pub fn sign(&self, user: &str, now: SystemTime) -> (String, Claims) {
        let claims = Claims {
            user: user.to_owned(),
            expires_at: seconds(now + LIFETIME),
        };
        // A string and a number always have a JSON form.
        let payload = BASE64.encode(serde_json::to_vec(&claims).unwrap_or_default());
        let signature = self.mac.clone().chain_update(&payload).finalize().into_bytes();
        (format!("{payload}.{}", BASE64.encode(signature)), claims)
    }

    /// The claims of a token that was signed with this key and is still good at `now`.
    ///
    /// # Errors
    /// The first check that fails; nothing inside the token is read before its signature is verified, in constant time.
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Claims, InvalidToken> {
        let (payload, signature) = token.split_once('.').ok_or(InvalidToken::Malformed)?;
        let signature = BASE64.decode(signature).map_err(|_| InvalidToken::Malformed)?;
        let mac = self.mac.clone().chain_update(payload);
        mac.verify_slice(&signature)
            .map_err(|_| InvalidToken::Signature)?;
        let claims = BASE64.decode(payload).map_err(|_| InvalidToken::Malformed)?;
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| InvalidToken::Malformed)?;
        match seconds(now).checked_sub(claims.expires_at) {
            Some(ago) => Err(InvalidToken::Expired(ago)),
            None => Ok(claims),
        }
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
