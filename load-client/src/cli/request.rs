//! The flags that every command shares: what to send, how fast, how to read the version.

use std::time::Duration;

use anyhow::Context;
use clap::Args;
use http::Method;
use load_client::load::{Header, Load, RequestSpec, Target};
use load_client::shard::Shard;
use load_client::token::TokenSource;
use load_client::version::VersionSource;

use super::values;

/// What is sent.
#[derive(Args, Debug)]
pub(super) struct RequestArgs {
    /// Where to send requests; http:// only
    #[arg(long, value_name = "URL", help_heading = "Request")]
    pub(super) url: String,
    /// Method; GET, or POST with --body, unless given
    #[arg(short = 'X', long, value_name = "METHOD", value_parser = values::method, help_heading = "Request")]
    method: Option<Method>,
    /// Header, may repeat. {uuid} in it is fresh for each request; n in the same braces is its number, from 0
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = values::header, help_heading = "Request")]
    headers: Vec<Header>,
    /// Body: text, or the content of a file. The same two placeholders; other braces stay
    #[arg(long, value_name = "TEXT|@FILE", help_heading = "Request")]
    body: Option<String>,
    /// Send through this HTTP proxy. Proxy variables of the environment are ignored
    #[arg(long, value_name = "URL", help_heading = "Request")]
    proxy: Option<String>,
    /// Where an answer says its version: header:x-served-by (service/version/instance of each hop), header:NAME
    /// (the whole value), json:/POINTER, or regex:RE (first group, in the body)
    #[arg(
        long,
        value_name = "SOURCE",
        default_value = "header:x-served-by",
        help_heading = "Request"
    )]
    version_from: VersionSource,
    /// Connections, each with one request at a time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Load")]
    connections: u16,
    /// Requests per second, however fast the answers come (open loop). Without it each connection sends as soon as
    /// it has its answer (closed loop)
    #[arg(long, value_name = "R", value_parser = values::rate, help_heading = "Load")]
    rate: Option<f64>,
    /// Time for one request, connecting included
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = values::duration, help_heading = "Load")]
    timeout: Duration,
    /// Seed of the {uuid}s, for runs that can be repeated; random unless given
    #[arg(long, value_name = "N", help_heading = "Load")]
    seed: Option<u64>,
    #[command(flatten)]
    token: TokenArgs,
}

/// A token that is fetched before the load and sent as `Authorization: Bearer ...`.
#[derive(Args, Debug)]
struct TokenArgs {
    /// Fetch a token from here once and send it as `authorization: Bearer ...`
    #[arg(long, value_name = "URL", help_heading = "Token")]
    token_url: Option<String>,
    /// POST this JSON to get the token (GET without it)
    #[arg(long, value_name = "JSON", requires = "token_url", help_heading = "Token")]
    token_body: Option<String>,
    /// Where the token is in the JSON answer
    #[arg(
        long,
        value_name = "POINTER",
        default_value = "/token",
        help_heading = "Token"
    )]
    token_pointer: String,
}

impl RequestArgs {
    /// The plain request of the mix, without a token.
    pub(super) fn spec(&self) -> anyhow::Result<RequestSpec> {
        let body = self.body.as_deref().map(body).transpose()?;
        let default = if body.is_some() { Method::POST } else { Method::GET };
        Ok(RequestSpec {
            method: self.method.clone().unwrap_or(default),
            headers: self.headers.clone(),
            body: body.unwrap_or_default(),
        })
    }

    /// The load of one plain request; fetches the token.
    pub(super) async fn load(&self) -> anyhow::Result<Load> {
        let target = Target::new(&self.url, self.proxy.as_deref())?;
        let mut spec = self.spec()?;
        if let Some(source) = self.token_source() {
            let token = source.fetch(self.timeout).await?;
            spec = spec.overlaid(&[(http::header::AUTHORIZATION, format!("Bearer {token}"))]);
        }
        Ok(Load {
            target,
            requests: vec![spec],
            connections: self.connections.into(),
            rate: self.rate,
            timeout: self.timeout,
            version_source: self.version_from.clone(),
            seed: self.seed.unwrap_or_else(rand::random),
            shard: Shard::default(),
            per_unit: None,
        })
    }

    /// Themselves again, for somebody who sends the same to another address; without proxy and seed.
    pub(super) fn flags(&self, url: &str, token_url: Option<&str>) -> anyhow::Result<Vec<String>> {
        let spec = self.spec()?;
        let mut flags = vec![
            ("--url", url.to_owned()),
            ("--method", spec.method.to_string()),
            ("--version-from", self.version_from.to_string()),
            ("--connections", self.connections.to_string()),
            ("--timeout", format!("{}ms", self.timeout.as_millis().max(1))),
        ];
        let header = |(name, value): &Header| ("--header", format!("{name}: {value}"));
        flags.extend(spec.headers.iter().map(header));
        if !spec.body.is_empty() {
            flags.push(("--body", words_of(spec.body)?));
        }
        flags.extend(self.rate.map(|rate| ("--rate", rate.to_string())));
        if let Some(token_url) = token_url {
            flags.push(("--token-url", token_url.to_owned()));
            flags.push(("--token-pointer", self.token.token_pointer.clone()));
            flags.extend(self.token.token_body.clone().map(|body| ("--token-body", body)));
        }
        // With `=`, so that a value that begins with a hyphen is a value.
        Ok(flags
            .into_iter()
            .map(|(flag, value)| format!("{flag}={value}"))
            .collect())
    }

    /// The proxy to send through, if one is given.
    pub(super) fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// The seed, if one is given.
    pub(super) fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// Where the token comes from, if one is asked for.
    pub(super) fn token_url(&self) -> Option<&str> {
        self.token.token_url.as_deref()
    }

    fn token_source(&self) -> Option<TokenSource> {
        Some(TokenSource {
            url: self.token.token_url.clone()?,
            body: self.token.token_body.clone(),
            pointer: self.token.token_pointer.clone(),
            proxy: self.proxy.clone(),
        })
    }
}

/// A body as the value of --body.
fn words_of(body: Vec<u8>) -> anyhow::Result<String> {
    let text = String::from_utf8(body).context("--inside cannot hand on a --body that is not text")?;
    anyhow::ensure!(
        !text.starts_with('@'),
        "--inside cannot hand on a --body that begins with `@`"
    );
    Ok(text)
}

fn body(text: &str) -> anyhow::Result<Vec<u8>> {
    match text.strip_prefix('@') {
        Some(file) => std::fs::read(file).with_context(|| format!("--body: cannot read `{file}`")),
        None => Ok(text.as_bytes().to_vec()),
    }
}
