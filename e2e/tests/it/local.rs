//! Every scenario on local-mesh, each with a mesh of its own.

use anyhow::{Context, Result};
use e2e::scenario::Scenario;
use e2e::{Effort, LocalMesh, run};

use crate::scenario::{
    canary, causes, changes, clients, crash, errors, payments, promise, scenarios, split, walk,
};

#[tokio::test]
async fn the_walk_over_all_stages_confirms_every_edge_without_an_error() -> Result<()> {
    walk::every_stage_is_confirmed(&LocalMesh::start("10-stable").await?, &Effort::LOCAL).await
}

#[tokio::test]
async fn a_walk_ends_at_a_stage_that_is_not_as_declared_and_rolls_back() -> Result<()> {
    walk::a_wrong_stage_is_rolled_back(&LocalMesh::start("10-stable").await?, &Effort::LOCAL).await
}

#[tokio::test]
async fn a_walk_tells_that_weights_are_ignored_inside_the_mesh() -> Result<()> {
    let mesh = LocalMesh::start("10-stable").await?;
    walk::weights_that_are_ignored_inside_are_told_by_the_path_inside(&mesh, &Effort::LOCAL).await
}

#[tokio::test]
async fn a_canary_that_fails_more_than_the_rest_is_rolled_back() -> Result<()> {
    errors::a_bad_canary_is_rolled_back(&LocalMesh::start("10-stable").await?, &Effort::LOCAL).await
}

#[tokio::test]
async fn a_canary_that_fails_as_the_rest_does_is_promoted() -> Result<()> {
    errors::a_canary_that_fails_no_more_than_the_rest_is_promoted(&LocalMesh::start("10-stable").await?).await
}

#[tokio::test]
async fn a_wrong_split_is_refuted_in_the_promised_number_of_requests() -> Result<()> {
    split::a_wrong_split_is_refuted(&LocalMesh::start("30-canary-10").await?).await
}

#[tokio::test]
async fn what_to_expect_is_read_from_the_manifests() -> Result<()> {
    split::the_expectation_comes_from_the_manifests(&LocalMesh::start("40-canary-50").await?).await
}

#[tokio::test]
async fn several_clients_make_one_run_with_one_verdict() -> Result<()> {
    clients::the_job_of_several_clients_has_one_verdict(&LocalMesh::start("10-stable").await?).await
}

#[tokio::test]
async fn of_20_verdicts_on_a_right_split_at_most_1_is_wrong() -> Result<()> {
    let mesh = LocalMesh::start("30-canary-10").await?;
    promise::a_right_split_is_confirmed(&mesh, 20, 1, "5pp").await
}

#[tokio::test]
async fn of_60_verdicts_on_80_20_instead_of_90_10_half_come_within_300_requests() -> Result<()> {
    promise::a_wrong_split_is_found_soon(&LocalMesh::start("30-canary-10").await?, 60).await
}

/// Minutes: `make promise`.
#[tokio::test]
#[ignore = "at full length: make promise"]
async fn of_200_verdicts_on_a_right_split_at_most_2_are_wrong() -> Result<()> {
    let mesh = LocalMesh::start("30-canary-10").await?;
    promise::a_right_split_is_confirmed(&mesh, 200, 2, "2pp").await
}

#[tokio::test]
#[ignore = "at full length: make promise"]
async fn of_200_verdicts_on_80_20_instead_of_90_10_half_come_within_300_requests() -> Result<()> {
    promise::a_wrong_split_is_found_soon(&LocalMesh::start("30-canary-10").await?, 200).await
}

#[tokio::test]
async fn no_request_fails_during_200_changes() -> Result<()> {
    changes::no_request_fails_because_of_a_change(&LocalMesh::start("10-stable").await?, 200).await
}

#[tokio::test]
async fn a_bad_file_is_refused_whole_and_the_old_split_stays() -> Result<()> {
    changes::a_bad_file_changes_nothing(&LocalMesh::start("10-stable").await?).await
}

#[tokio::test]
async fn the_header_reaches_v2_on_both_hops_and_nothing_else_does() -> Result<()> {
    canary::header_canary(&LocalMesh::start("20-header-canary").await?).await
}

#[tokio::test]
async fn the_second_hop_is_routed_by_the_mesh() -> Result<()> {
    canary::second_hop(&LocalMesh::start("10-stable").await?).await
}

#[tokio::test]
async fn a_payment_is_charged_once_per_instance_and_ledgers_show_it() -> Result<()> {
    payments::charged_once_per_instance(&LocalMesh::start("10-stable").await?).await
}

#[tokio::test]
async fn payments_are_reconciled_with_the_ledgers() -> Result<()> {
    payments::reconciled_with_the_ledgers(&LocalMesh::start("10-stable").await?).await
}

#[tokio::test]
async fn payments_that_are_retried_are_charged_once() -> Result<()> {
    payments::retried_and_charged_once(&LocalMesh::start("10-stable").await?).await
}

#[tokio::test]
async fn a_killed_payment_process_fails_only_requests_in_flight() -> Result<()> {
    killed("payment-service").await
}

#[tokio::test]
async fn a_killed_auth_process_fails_only_requests_in_flight() -> Result<()> {
    killed("auth-service").await
}

/// The scenario, and what a person sees of it.
async fn killed(app: &str) -> Result<()> {
    let mesh = LocalMesh::start("40-canary-50").await?;
    let pod = crash::only_requests_in_flight_fail(&mesh, app).await?;
    let shown = run(&mut mesh.verb(&["get", "pods"])).await?.expect(0)?.stdout;
    let heading: Vec<&str> = shown
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let column = heading
        .iter()
        .position(|name| *name == "RESTARTS")
        .context("no RESTARTS")?;
    let row = shown
        .lines()
        .find(|line| line.contains(&pod.name))
        .context("the pod is not listed")?;
    assert_eq!(
        row.split_whitespace().nth(column),
        Some(&*pod.restarts.to_string()),
        "{shown}"
    );
    Ok(())
}

/// On one mesh, one after the other: so that each also finds what the one before it has put back.
#[tokio::test]
async fn every_scenario_is_confirmed() -> Result<()> {
    let mesh = LocalMesh::start("10-stable").await?;
    for scenario in Scenario::ALL {
        scenarios::is_confirmed(&mesh, scenario).await?;
    }
    Ok(())
}

#[tokio::test]
async fn no_scenario_is_confirmed_while_its_manifests_are_not_in_force() -> Result<()> {
    let mesh = LocalMesh::start("20-header-canary").await?;
    for scenario in Scenario::ALL {
        scenarios::is_refuted_without_its_manifests(&mesh, scenario).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_stage_that_was_not_applied_is_told_to_be_the_previous_one() -> Result<()> {
    causes::a_previous_stage(&LocalMesh::start("10-stable").await?).await
}

#[tokio::test]
async fn a_rule_that_does_not_hold_inside_is_told_from_the_pods() -> Result<()> {
    causes::a_replica_ratio(&LocalMesh::start("10-stable").await?).await
}

#[tokio::test]
async fn one_pod_that_calls_by_other_rules_is_told_by_name() -> Result<()> {
    causes::a_stale_proxy(&LocalMesh::start("10-stable").await?).await
}

#[tokio::test]
async fn one_key_for_all_requests_is_told() -> Result<()> {
    causes::sticky_sessions(&LocalMesh::start("10-stable").await?).await
}

#[tokio::test]
async fn keys_stay_with_a_version_without_weights_and_not_with_them() -> Result<()> {
    causes::keys_stay_with_their_version(&LocalMesh::start("10-stable").await?).await
}

#[tokio::test]
async fn a_version_without_endpoints_is_told() -> Result<()> {
    causes::endpoints_that_are_out(&LocalMesh::start("10-stable").await?).await
}

#[tokio::test]
async fn another_service_that_answers_is_told() -> Result<()> {
    causes::a_wrong_host(&LocalMesh::start("10-stable").await?).await
}

#[tokio::test]
async fn failures_that_are_sent_to_another_version_are_told() -> Result<()> {
    causes::retries_elsewhere(&LocalMesh::start("10-stable").await?).await
}

#[tokio::test]
async fn pods_that_report_another_version_are_told() -> Result<()> {
    causes::a_wrong_label(&LocalMesh::start("10-stable").await?).await
}
