//! What is done, one thing after the other.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::behaviour::Behaviour;
use super::observed::Observed;
use super::send::Send;
use super::{Nack, Refusal};

/// One step of a case.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Keys")]
pub struct Step {
    /// What is done.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Requests are sent.
    Send(Box<Asked>),
    /// Objects are applied; `refused` if the real thing did not take them and the old ones stayed.
    Apply {
        /// The objects, as text.
        text: String,
        /// Whether the API server, istiod or Envoy refused them.
        refused: bool,
    },
    /// Objects are deleted.
    Delete(String),
    /// Endpoints leave, join or behave otherwise, by name.
    Workloads(BTreeMap<String, Change>),
    /// Seconds pass.
    Wait(f64),
}

/// Requests and what came of them.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The request.
    pub send: Send,
    /// How often.
    pub times: usize,
    /// How many senders at once, each with a connection.
    pub parallel: usize,
    /// The n-th sender starts n times this many seconds late and has its own share of the requests.
    pub stagger: Option<f64>,
    /// The counts, or with one request the choice of the workload, are one draw.
    pub random: bool,
    /// What the real thing did.
    pub observed: Observed,
}

/// A change of one workload.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    /// It leaves (true) or joins (false) the mesh.
    pub gone: Option<bool>,
    /// From now on it behaves so; its requests are counted anew.
    pub behaviour: Option<Behaviour>,
}

/// The keys a step may have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    send: Option<Send>,
    times: Option<usize>,
    parallel: Option<usize>,
    stagger: Option<f64>,
    #[serde(default)]
    random: bool,
    observed: Option<Observed>,
    apply: Option<String>,
    delete: Option<String>,
    workloads: Option<BTreeMap<String, Change>>,
    wait: Option<f64>,
    refused: Option<Refusal>,
    nack: Option<Nack>,
    // For the recorder and the reader; a replay does not need them.
    #[serde(rename = "about")]
    _about: Option<String>,
    #[serde(rename = "timed", default)]
    _timed: bool,
    #[serde(rename = "replies", default)]
    _replies: bool,
}

impl TryFrom<Keys> for Step {
    type Error = &'static str;

    fn try_from(keys: Keys) -> Result<Self, Self::Error> {
        let refused = keys.refused.is_some() || keys.nack.is_some();
        let action = match (keys.send, keys.apply, keys.delete, keys.workloads, keys.wait) {
            (Some(send), None, None, None, None) => Action::Send(Box::new(Asked {
                send,
                times: keys.times.unwrap_or(1),
                parallel: keys.parallel.unwrap_or(1),
                stagger: keys.stagger,
                random: keys.random,
                observed: keys
                    .observed
                    .ok_or("`send` without `observed`: record the case first")?,
            })),
            (None, Some(text), None, None, None) => Action::Apply { text, refused },
            (None, None, Some(text), None, None) => Action::Delete(text),
            (None, None, None, Some(changes), None) => Action::Workloads(changes),
            (None, None, None, None, Some(seconds)) => Action::Wait(seconds),
            _ => return Err("a step is one of send, apply, delete, workloads, wait"),
        };
        Ok(Step { action })
    }
}
