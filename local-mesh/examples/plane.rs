#![allow(missing_docs, clippy::unwrap_used)]
use local_mesh::proxy::*;
use mesh_config::*;
use std::sync::Arc;
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let port: u16 = std::env::args().nth(2).unwrap().parse().unwrap();
    let (mesh, _) = Mesh::new()
        .apply(
            parse(&[Source {
                name: "x".into(),
                text,
            }])
            .unwrap(),
            1,
        )
        .unwrap();
    let client = Client {
        namespace: "istio-system".into(),
        name: "gw".into(),
        labels: [("istio".to_owned(), "ingressgateway".to_owned())].into(),
        locality: None,
        role: Role::Gateway,
    };
    let socket = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    socket.set_nonblocking(true).unwrap();
    let plane = DataPlane::start(Options::default()).unwrap();
    plane
        .install(vec![ProxyConfig {
            name: "gw".into(),
            view: Arc::new(mesh.view(&client, &[])),
            client,
            listeners: vec![Listener {
                socket: Arc::new(socket),
                port: Dialled::Port(80),
            }],
        }])
        .await;
    std::future::pending::<()>().await;
}
