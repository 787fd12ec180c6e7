//! The scenarios on a real cluster, with `KIND_LAB=1` and after `make demo-up client`; skipped by name otherwise.

use anyhow::Result;
use e2e::scenario::{Scenario, go_home};
use e2e::{Cluster, Effort};
use tokio::sync::Mutex;

use crate::scenario::{canary, changes, crash, errors, payments, scenarios, split, walk};

/// There is one cluster: one test at a time.
static TURN: Mutex<()> = Mutex::const_new(());

/// Runs a test on the cluster, and leaves it with the first stage in force.
pub(crate) async fn on_cluster(test: impl AsyncFnOnce(&Cluster) -> Result<()>) -> Result<()> {
    if std::env::var("KIND_LAB").as_deref() != Ok("1") {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("a test");
        eprintln!("skipped: {name}; KIND_LAB=1 runs it on the cluster of `make demo-up client`");
        return Ok(());
    }
    let _turn = TURN.lock().await;
    let cluster = Cluster::connect().await?;
    let seen = test(&cluster).await;
    go_home(&cluster).await?;
    seen
}

#[tokio::test]
async fn the_walk_over_all_stages_confirms_every_edge_without_an_error() -> Result<()> {
    on_cluster(async |cluster| walk::every_stage_is_confirmed(cluster, &Effort::CLUSTER).await).await
}

#[tokio::test]
async fn a_walk_ends_at_a_stage_that_is_not_as_declared_and_rolls_back() -> Result<()> {
    on_cluster(async |cluster| walk::a_wrong_stage_is_rolled_back(cluster, &Effort::CLUSTER).await).await
}

#[tokio::test]
async fn a_walk_tells_that_weights_are_ignored_inside_the_mesh() -> Result<()> {
    on_cluster(async |cluster| {
        walk::weights_that_are_ignored_inside_are_told_by_the_path_inside(cluster, &Effort::CLUSTER).await
    })
    .await
}

#[tokio::test]
async fn a_canary_that_fails_more_than_the_rest_is_rolled_back() -> Result<()> {
    on_cluster(async |cluster| errors::a_bad_canary_is_rolled_back(cluster, &Effort::CLUSTER).await).await
}

#[tokio::test]
async fn a_canary_that_fails_as_the_rest_does_is_promoted() -> Result<()> {
    on_cluster(async |cluster| errors::a_canary_that_fails_no_more_than_the_rest_is_promoted(cluster).await)
        .await
}

#[tokio::test]
async fn a_wrong_split_is_refuted_in_the_promised_number_of_requests() -> Result<()> {
    on_cluster(async |cluster| split::a_wrong_split_is_refuted(cluster).await).await
}

#[tokio::test]
async fn what_to_expect_is_read_from_the_manifests() -> Result<()> {
    on_cluster(async |cluster| split::the_expectation_comes_from_the_manifests(cluster).await).await
}

#[tokio::test]
async fn no_request_fails_during_10_changes() -> Result<()> {
    on_cluster(async |cluster| changes::no_request_fails_because_of_a_change(cluster, 10).await).await
}

#[tokio::test]
async fn a_bad_file_is_refused_whole_and_the_old_split_stays() -> Result<()> {
    on_cluster(async |cluster| changes::a_bad_file_changes_nothing(cluster).await).await
}

#[tokio::test]
async fn the_header_reaches_v2_on_both_hops_and_nothing_else_does() -> Result<()> {
    on_cluster(async |cluster| canary::header_canary(cluster).await).await
}

#[tokio::test]
async fn the_second_hop_is_routed_by_the_mesh() -> Result<()> {
    on_cluster(async |cluster| canary::second_hop(cluster).await).await
}

#[tokio::test]
async fn a_payment_is_charged_once_per_instance_and_ledgers_show_it() -> Result<()> {
    on_cluster(async |cluster| payments::charged_once_per_instance(cluster).await).await
}

#[tokio::test]
async fn a_deleted_pod_fails_only_requests_in_flight() -> Result<()> {
    on_cluster(async |cluster| {
        for app in ["payment-service", "auth-service"] {
            crash::only_requests_in_flight_fail(cluster, app).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn every_scenario_is_confirmed() -> Result<()> {
    on_cluster(async |cluster| {
        for scenario in Scenario::ALL {
            scenarios::is_confirmed(cluster, scenario).await?;
        }
        Ok(())
    })
    .await
}
