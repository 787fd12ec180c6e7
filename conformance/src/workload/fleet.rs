//! All workloads of a case.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use super::listening::Listening;
use super::{Log, Workload};
use crate::case::Behaviour;

/// The workloads of a case and, in order, all requests they have received. Dropped, it closes everything, but not at
/// once: `stop` says when.
#[derive(Debug, Default)]
pub struct Fleet {
    /// What was received.
    pub log: Log,
    members: BTreeMap<String, Member>,
}

#[derive(Debug)]
struct Member {
    address: SocketAddrV4,
    workload: Arc<Workload>,
    listening: Option<Listening>,
}

/// Why a workload cannot be as the case has it.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// Somebody else listens there, or the address is not of this machine.
    #[error("workload {name} cannot listen on {address}: {source}; does another program use the address?")]
    Listen {
        /// Which workload.
        name: String,
        /// Where.
        address: SocketAddrV4,
        /// Why not.
        source: std::io::Error,
    },
    /// A step names a workload that the case does not have.
    #[error("the case has no workload {0}")]
    Unknown(String),
}

// === impl Fleet ===

impl Fleet {
    /// Starts a workload.
    pub async fn start(
        &mut self,
        name: &str,
        address: SocketAddrV4,
        behaviour: Behaviour,
    ) -> Result<(), FleetError> {
        let workload = Arc::new(Workload {
            name: name.to_owned(),
            behaviour: Mutex::default(),
            received: AtomicUsize::new(0),
            accepted: AtomicUsize::new(0),
            log: self.log.clone(),
        });
        let member = Member {
            address,
            workload,
            listening: None,
        };
        self.members.insert(name.to_owned(), member);
        self.change(name, behaviour).await
    }

    /// From now on a workload behaves like this; its requests are counted anew.
    pub async fn change(&mut self, name: &str, behaviour: Behaviour) -> Result<(), FleetError> {
        let member = self
            .members
            .get_mut(name)
            .ok_or_else(|| FleetError::Unknown(name.to_owned()))?;
        member.set(behaviour).await.map_err(|source| FleetError::Listen {
            name: name.to_owned(),
            address: member.address,
            source,
        })
    }

    /// Closes everything and frees all addresses; waits until that is done.
    pub async fn stop(mut self) {
        for member in std::mem::take(&mut self.members).into_values() {
            if let Some(listening) = member.listening {
                listening.close().await;
            }
        }
    }
}

// === impl Member ===

impl Member {
    async fn set(&mut self, behaviour: Behaviour) -> std::io::Result<()> {
        let (refuse, blackhole) = (behaviour.refuse, behaviour.blackhole);
        let stays = behaviour.accepts() && matches!(self.listening, Some(Listening::Server(..)));
        self.workload.set(behaviour);
        if stays {
            return Ok(());
        }
        if let Some(old) = self.listening.take() {
            old.close().await;
        }
        self.listening = match (refuse, blackhole) {
            (true, _) => None,
            (false, true) => Some(Listening::hole(self.address).await?),
            (false, false) => Some(Listening::serve(self.address, self.workload.clone())?),
        };
        Ok(())
    }
}
