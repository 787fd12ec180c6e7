//! Injected faults: before anything else, never retried, not part of a timeout. Source: Envoy's `fault_filter.cc`.

use mesh_config::Fault;

use super::body::Payload;
use super::flags::Flag;
use super::plane::Shared;
use super::record::Record;
use super::reply::LocalReply;

/// Waits if the delay is drawn; the answer if the abort is, by a draw of its own.
pub(super) async fn inject(
    fault: &Fault,
    shared: &Shared,
    record: &mut Record,
    payload: Option<&Payload>,
) -> Option<LocalReply> {
    let delay = fault.delay.filter(|delay| delay.share.contains(shared.random()));
    let abort = fault.abort.filter(|abort| abort.share.contains(shared.random()));
    if let Some(delay) = delay {
        record.flags.add(Flag::DelayInjected);
        let wait = tokio::time::sleep(delay.time);
        // A body that has come by the time of the answer does not end the connection.
        match (payload, abort) {
            (Some(payload), Some(_)) => tokio::select! {
                () = wait => {}
                never = payload.gather() => match never {},
            },
            _ => wait.await,
        }
    }
    abort.map(|abort| LocalReply::fault(abort.status))
}
