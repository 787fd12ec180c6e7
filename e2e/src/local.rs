//! The target without a cluster: a `local-mesh up` of its own, on ports of its own.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::lab::Lab;
use crate::logged::logged;
use crate::port::free_ports;
use crate::process::Process;
use crate::run::{Ended, run};
use crate::target::{Caller, Logged, Pod, Target};
use crate::wait::until;
use crate::way::Way;

/// Eight pods, on a machine that may compile something else.
const START: Duration = Duration::from_secs(60);

/// A running local-mesh. Dropping it ends it, and with it everything that it started.
#[derive(Debug)]
pub struct LocalMesh {
    lab: Lab,
    up: Child,
    admin: String,
    gateway: String,
    /// Proxy of the workload load-client.
    client: String,
    /// Its standard error and its access log.
    log: TempDir,
}

impl LocalMesh {
    /// Starts `manifests/base` with this stage, and waits until `status` says that all is ready.
    ///
    /// # Errors
    /// It ends, or does not get ready within a minute; the error has what it said.
    pub async fn start(stage: &str) -> Result<Self> {
        let lab = Lab::find()?;
        let ports = free_ports(3)?;
        let [admin, gateway, client] = [ports[0], ports[1], ports[2]].map(|port| format!("127.0.0.1:{port}"));
        let log = tempfile::tempdir()?;
        let stderr = std::fs::File::create(log.path().join("stderr"))?;
        let up = lab
            .program("local-mesh")
            .args(["up", "--admin", &admin, "--gateway", &gateway, "-f"])
            .arg(lab.base())
            .arg("-f")
            .arg(lab.stage(stage))
            .args([
                "--client",
                &format!("traffic-lab/load-client,app=load-client@{client}"),
            ])
            .arg("--access-log")
            .arg(log.path().join("access"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()?;
        let mut mesh = LocalMesh {
            lab,
            up,
            admin,
            gateway,
            client,
            log,
        };
        let ready = until("local-mesh gets ready", START, async || mesh.is_ready().await).await;
        ready.with_context(|| format!("local-mesh said:\n{}", mesh.said()))?;
        Ok(mesh)
    }

    async fn is_ready(&mut self) -> Result<Option<()>> {
        if let Some(status) = self.up.try_wait()? {
            bail!("local-mesh ended with {status}");
        }
        let status = run(&mut self.verb(&["status"])).await?;
        Ok((status.code == Some(0)).then_some(()))
    }

    /// What it has written to its standard error.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.log.path().join("stderr")).unwrap_or_default()
    }

    /// The proxy of a client inside the mesh.
    pub fn inside_proxy(&self) -> String {
        format!("http://{}", self.client)
    }

    /// A verb of local-mesh that talks to this mesh.
    pub fn verb(&self, words: &[&str]) -> Command {
        let mut command = self.lab.program("local-mesh");
        command.args(words).args(["--admin", &self.admin]);
        command
    }

    /// Everything that it started: guards and pods.
    ///
    /// # Errors
    /// It has ended.
    pub fn processes(&self) -> Result<Vec<Process>> {
        Ok(Process::descendants(self.pid()?.as_raw()))
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// It has ended.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(self.pid()?, signal)?)
    }

    fn pid(&self) -> Result<Pid> {
        let pid = self.up.id().context("local-mesh has ended")?;
        Ok(Pid::from_raw(i32::try_from(pid)?))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It does not come within the limit.
    pub async fn ended(&mut self, limit: Duration) -> Result<ExitStatus> {
        let ended = tokio::time::timeout(limit, self.up.wait()).await;
        Ok(ended.with_context(|| format!("local-mesh runs for {limit:?} after its end was asked for"))??)
    }

    /// The pods as `get pods -o json` shows them.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn pod_objects(&self) -> Result<Vec<Value>> {
        let listed = run(&mut self.verb(&["get", "pods", "-o", "json"]))
            .await?
            .expect(0)?
            .json()?;
        Ok(listed["items"]
            .as_array()
            .context("`get pods -o json` prints no list")?
            .clone())
    }

    async fn pod_object(&self, name: &str) -> Result<Value> {
        let pods = self.pod_objects().await?.into_iter();
        let mut named = pods.filter(|object| object["metadata"]["name"] == name);
        named.next().with_context(|| format!("there is no pod {name}"))
    }

    /// The process of a pod, as `get pods -o json` names it.
    ///
    /// # Errors
    /// There is no such pod, or it does not run.
    pub async fn process_of(&self, pod: &str) -> Result<Process> {
        let pod = self.pod_object(pod).await?;
        let pid = pod["status"]["pid"].as_i64().context("the pod does not run")?;
        Process::of(i32::try_from(pid)?).context("the pod's process is gone")
    }
}

impl Target for LocalMesh {
    fn name(&self) -> &str {
        "local-mesh"
    }

    fn lab(&self) -> &Lab {
        &self.lab
    }

    fn gateway(&self) -> &str {
        &self.gateway
    }

    fn way(&self, caller: Caller, service: &str) -> Way {
        match caller {
            Caller::Gateway => Way::from(&*self.gateway),
            Caller::Inside => Way::new(&self.client, &format!("{service}:8080")),
        }
    }

    async fn direct(&self, pod: &Pod) -> Result<Way> {
        let object = self.pod_object(&pod.name).await?;
        let port = object["status"]["port"]
            .as_u64()
            .context("the pod does not run")?;
        Ok(Way::from(&*format!("127.0.0.1:{port}")))
    }

    async fn access_log(&self, _caller: Caller) -> Result<Vec<Logged>> {
        let text = tokio::fs::read_to_string(self.log.path().join("access")).await?;
        // The last line may not be whole yet.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(logged).collect()
    }

    fn manifests(&self) -> Vec<PathBuf> {
        vec![self.lab.base()]
    }

    fn apply_command(&self) -> String {
        format!(
            "'{}' apply --admin {} -f",
            self.lab.bin().join("local-mesh").display(),
            self.admin
        )
    }

    fn inside_command(&self) -> String {
        format!(
            "'{}' verify --proxy {}",
            self.lab.bin().join("load-client").display(),
            self.inside_proxy()
        )
    }

    async fn apply(&self, path: &Path) -> Result<Ended> {
        run(self.verb(&["apply"]).arg("-f").arg(path)).await
    }

    async fn delete(&self, path: &Path) -> Result<Ended> {
        run(self.verb(&["delete"]).arg("-f").arg(path)).await
    }

    async fn pods(&self) -> Result<Vec<Pod>> {
        let objects = self.pod_objects().await?;
        objects
            .iter()
            .map(|object| pod(object).with_context(|| format!("not a pod: {object}")))
            .collect()
    }

    async fn kill(&self, pod: &Pod) -> Result<()> {
        let process = self.process_of(&pod.name).await?;
        Ok(kill(Pid::from_raw(process.pid), Signal::SIGKILL)?)
    }
}

fn pod(object: &Value) -> Option<Pod> {
    let label = |name: &str| Some(object["metadata"]["labels"][name].as_str()?.to_owned());
    Some(Pod {
        name: object["metadata"]["name"].as_str()?.to_owned(),
        app: label("app")?,
        version: label("version")?,
        ready: object["status"]["ready"].as_bool()?,
        restarts: object["status"]["restarts"].as_u64()?,
    })
}
