//! Applying while requests run.

use anyhow::{Result, ensure};
use e2e::{Connection, Load, Target};

use super::{apply, pay, payment, token};

const CONNECTIONS: usize = 8;

/// Changes between all-v1 and all-v2 under payments: none fails, and the first request after each `apply` is
/// already served by the new version, on both hops.
pub(crate) async fn no_request_fails_because_of_a_change(target: &impl Target, applies: usize) -> Result<()> {
    let stages = [("50-promoted", "v2 v2"), ("10-stable", "v1 v1")];
    let token = token(target).await?;
    let payer = token.clone();
    let load = Load::start(target.gateway(), CONNECTIONS, move |number| {
        payment(&payer, &format!("load-{number}"))
    });
    let mut connection = Connection::new(target.gateway());
    for (number, (stage, versions)) in stages.iter().cycle().take(applies).enumerate() {
        apply(target, &target.lab().stage(stage)).await?;
        let answer = pay(&mut connection, &payment(&token, &format!("probe-{number}"))).await?;
        assert_eq!(answer.versions(), *versions, "after apply {number} ({stage})");
        // So that every change meets requests in flight.
        load.more(CONNECTIONS as u64).await?;
    }
    let tally = load.finish().await;
    assert_eq!(tally.bad(), 0, "{tally:?}");
    for versions in ["v1 v1", "v2 v2"] {
        ensure!(
            tally.answers.contains_key(versions),
            "the load never saw {versions}: {tally:?}"
        );
    }
    Ok(())
}

/// A file with a mistake is refused whole, in a right document before it, too; requests go where they went.
pub(crate) async fn a_bad_file_changes_nothing(target: &impl Target) -> Result<()> {
    apply(target, &target.lab().stage("10-stable")).await?;
    // The gateway's object, the last of the file, gets a misspelt field; the two before it are right and say v2.
    let mut objects = target.lab().objects_of_stage("50-promoted")?;
    objects[2] = objects[2].replace("weight: 100", "wieght: 100");
    let bad = e2e::folder_with("bad.yaml", &objects.join("---\n"))?;
    let refused = target.apply(bad.path()).await?;
    ensure!(refused.code != Some(0), "accepted: {}", refused.stdout);
    ensure!(
        refused.stderr.contains("wieght"),
        "the field is not named: {}",
        refused.stderr
    );

    let token = token(target).await?;
    let mut connection = Connection::new(target.gateway());
    for number in 0..50 {
        let answer = pay(&mut connection, &payment(&token, &format!("still-{number}"))).await?;
        assert_eq!(answer.versions(), "v1 v1");
    }
    Ok(())
}
