//! The relay that dials from inside a pod, here without a pod.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Result;
use e2e::{Call, Connection, LocalMesh, Target, Way, free_ports, until};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

const START: Duration = Duration::from_secs(30);

async fn relay() -> Result<(Child, String)> {
    let address = format!("127.0.0.1:{}", free_ports(1)?[0]);
    let relay = Command::new(env!("CARGO_BIN_EXE_relay"))
        .arg(&address)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    until("the relay listens", START, async || {
        Ok(TcpStream::connect(&address).await.ok())
    })
    .await?;
    Ok((relay, address))
}

#[tokio::test]
async fn what_goes_through_the_relay_arrives_unaltered() -> Result<()> {
    let (_relay, address) = relay().await?;
    let mesh = LocalMesh::start("10-stable").await?;
    let mut connection = Connection::new(Way::through(&address, mesh.gateway()));
    for number in 0..3 {
        let call = Call::get("/headers").header("x-number", number.to_string());
        let told = connection.send(&call).await?.json()?;
        assert_eq!(told["headers"]["x-number"][0], number.to_string());
        assert_eq!(told["headers"]["host"][0], mesh.gateway(), "{told:#}");
    }
    Ok(())
}

#[tokio::test]
async fn a_dial_that_fails_is_told_with_its_reason() -> Result<()> {
    let (_relay, address) = relay().await?;
    let nobody = format!("127.0.0.1:{}", free_ports(1)?[0]);
    let error = Way::through(&address, &nobody).open().await.unwrap_err();
    let text = format!("{error:#}");
    assert!(
        text.contains("502 Bad Gateway") && text.contains(&nobody),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn a_probe_is_answered_and_nothing_else_is() -> Result<()> {
    let (_relay, address) = relay().await?;
    assert_eq!(
        Connection::new(&*address).send(&Call::get("/")).await?.status,
        200
    );
    assert_eq!(
        Connection::new(&*address).send(&Call::delete("/")).await?.status,
        405
    );
    Ok(())
}
