//! Who gets v2.

use std::collections::BTreeSet;

use anyhow::Result;
use e2e::{Connection, Target, folder_with};

use super::{apply, pay, payment, token};

/// Rules without weights leave nothing to chance: one stray answer is a failure, and a few requests show it.
const REQUESTS: usize = 50;

/// With the header of `20-header-canary` both hops are v2, without it v1.
pub(crate) async fn header_canary(target: &impl Target) -> Result<()> {
    apply(target, &target.lab().stage("20-header-canary")).await?;
    let token = token(target).await?;
    let mut connection = Connection::new(target.gateway());
    for number in 0..REQUESTS {
        let plain = payment(&token, &format!("plain-{number}"));
        let canary = payment(&token, &format!("canary-{number}")).header("x-canary", "true");
        let other = payment(&token, &format!("other-{number}")).header("x-canary", "false");
        assert_eq!(pay(&mut connection, &plain).await?.versions(), "v1 v1");
        assert_eq!(pay(&mut connection, &canary).await?.versions(), "v2 v2");
        assert_eq!(pay(&mut connection, &other).await?.versions(), "v1 v1");
    }
    Ok(())
}

/// Only the VirtualService of auth-service differs from the stable stage: payments stay v1, and what they call is v2.
/// payment-service knows one name for auth-service, so the mesh must have routed its call.
pub(crate) async fn second_hop(target: &impl Target) -> Result<()> {
    let (stable, promoted) = (
        target.lab().objects_of_stage("10-stable")?,
        target.lab().objects_of_stage("50-promoted")?,
    );
    assert!(
        promoted[0].contains("\n  name: auth\n"),
        "the first object of a stage is auth's:\n{}",
        promoted[0]
    );
    let mixed = [&promoted[0], &stable[1], &stable[2]]
        .map(String::as_str)
        .join("---\n");
    apply(target, folder_with("mixed.yaml", &mixed)?.path()).await?;

    let token = token(target).await?;
    let mut connection = Connection::new(target.gateway());
    let mut callers = BTreeSet::new();
    for number in 0..REQUESTS {
        let answer = pay(&mut connection, &payment(&token, &format!("hop-{number}"))).await?;
        let hops = answer.hops();
        let seen: Vec<&str> = hops
            .iter()
            .flat_map(|hop| [&*hop.service, &*hop.version])
            .collect();
        assert_eq!(seen, ["payment-service", "v1", "auth-service", "v2"]);
        callers.insert(hops[0].instance.clone());
    }
    // Each replica has a proxy of its own. With two drawn at random, one is missed in 2^-49 of the runs.
    assert_eq!(callers.len(), 2, "{callers:?}");
    Ok(())
}
