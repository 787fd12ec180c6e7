//! Talking to a running mesh.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::admin::wire::Failure;
use crate::exchange::{ExchangeError, exchange};

/// A change is in force after milliseconds; beyond this something is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// There is no answer, or not the one that was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoteError {
    #[error(
        "no local-mesh at {0}: start one with `local-mesh up -f ...`, or say where it is with --admin or LOCAL_MESH_ADMIN"
    )]
    Nobody(SocketAddr),
    #[error("local-mesh at {0} did not answer within {PATIENCE:?}")]
    Silent(SocketAddr),
    #[error("what listens at {0} is no local-mesh of this version: {1}")]
    Stranger(SocketAddr, String),
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Refused(String),
}

impl RemoteError {
    /// What was asked for does not exist.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, RemoteError::NotFound(_))
    }
}

/// A running mesh.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mesh(pub(crate) SocketAddr);

impl Mesh {
    /// GET, the answer as JSON.
    pub(crate) async fn get<T: DeserializeOwned>(self, path: &str) -> Result<T, RemoteError> {
        let body = self.send(Method::GET, path, Bytes::new()).await?;
        self.read(&body)
    }

    /// GET, the answer as text.
    pub(crate) async fn text(self, path: &str) -> Result<String, RemoteError> {
        let body = self.send(Method::GET, path, Bytes::new()).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// POST, both ways JSON.
    pub(crate) async fn post<T: DeserializeOwned>(
        self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, RemoteError> {
        let body = serde_json::to_vec(body).map_err(|error| RemoteError::Refused(error.to_string()))?;
        let body = self.send(Method::POST, path, body.into()).await?;
        self.read(&body)
    }

    fn read<T: DeserializeOwned>(self, body: &[u8]) -> Result<T, RemoteError> {
        serde_json::from_slice(body).map_err(|error| RemoteError::Stranger(self.0, error.to_string()))
    }

    async fn send(self, method: Method, path: &str, body: Bytes) -> Result<Bytes, RemoteError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.0.to_string())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| RemoteError::Refused(error.to_string()))?;
        let answer = match timeout(PATIENCE, exchange(self.0, request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(ExchangeError::Connect(_))) => return Err(RemoteError::Nobody(self.0)),
            Ok(Err(error)) => return Err(RemoteError::Stranger(self.0, error.to_string())),
            Err(_) => return Err(RemoteError::Silent(self.0)),
        };
        let (status, body) = (answer.status(), answer.into_body());
        if status == StatusCode::OK {
            return Ok(body);
        }
        let Failure { error, .. } = serde_json::from_slice(&body)
            .map_err(|_| RemoteError::Stranger(self.0, format!("it answers {status}")))?;
        Err(if status == StatusCode::NOT_FOUND {
            RemoteError::NotFound(error)
        } else {
            RemoteError::Refused(error)
        })
    }
}
