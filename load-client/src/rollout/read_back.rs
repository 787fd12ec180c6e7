//! What the proxies hold at a stage, read while the answers are judged.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use crate::expect::{NotDeclared, Question};
use crate::mesh_state::{Counters, MeshState, MeshTools, ReadError, Reading, Seen, reconcile};
use crate::report::{EdgeReport, EdgeVerdict, Held};
use crate::stats::Verdict;

/// No longer than this is waited for proxies that do not hold what is declared: istiod tells them within a second or two.
const AGREE_WITHIN: Duration = Duration::from_secs(15);

/// Reads back what the proxies hold.
#[derive(Debug)]
pub(super) struct ReadBack<'a> {
    tools: &'a MeshTools,
    within: Duration,
    /// Whether the proxies count requests; those of a mesh do or do not, so the first stage tells.
    count: Cell<bool>,
}

/// What was read at one stage.
pub(super) struct StageReading {
    questions: Vec<Question>,
    /// What the proxies had counted when the judgement began.
    before: BTreeMap<String, Counters>,
    reading: Reading,
}

/// The proxies were not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotRead {
    /// kubectl or istioctl, say.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is nothing to ask.
    #[error(transparent)]
    NotDeclared(#[from] NotDeclared),
    /// What was in force is to be undone at once.
    #[error("the error gate ended the stage first")]
    Alarm,
}

impl<'a> ReadBack<'a> {
    /// `within`: how long after a stage is in force for the client all proxies may take to hold it.
    pub(super) fn new(tools: &'a MeshTools, within: Duration) -> Self {
        ReadBack {
            tools,
            within: within.min(AGREE_WITHIN),
            count: Cell::new(true),
        }
    }

    /// Judges, and reads meanwhile what the proxies hold. If they do not all hold what is declared, goes on reading for
    /// a while after the verdict, but not when `alarm` says that there is none to wait for.
    ///
    /// # Errors
    /// The proxies were not read; it was judged all the same.
    pub(super) async fn during(
        &self,
        questions: Result<Vec<Question>, NotDeclared>,
        judge: impl Future<Output = ()>,
        alarm: impl Fn() -> bool,
    ) -> Result<StageReading, NotRead> {
        let begun = async {
            let questions = questions?;
            let before = self.counters(&questions).await?;
            self.count.set(!before.is_empty());
            Ok::<_, NotRead>((questions, before))
        };
        let (questions, before) = match begun.await {
            Ok(begun) => begun,
            Err(error) => {
                judge.await;
                return Err(error);
            }
        };
        let reading = {
            let mut reading = pin!(self.tools.read_until_agreed(&questions, self.within));
            let mut judge = pin!(judge);
            tokio::select! {
                reading = &mut reading => {
                    judge.await;
                    reading
                }
                () = &mut judge => {
                    if alarm() {
                        return Err(NotRead::Alarm);
                    }
                    reading.await
                }
            }
        };
        Ok(StageReading {
            reading: reading?,
            questions,
            before,
        })
    }

    /// What was read beside what the client found on these edges.
    pub(super) async fn held(&self, read: Result<StageReading, NotRead>, edges: &[EdgeReport]) -> Held {
        let concluded = match read {
            Ok(read) => self.conclude(read, edges).await,
            Err(reason) => Err(reason),
        };
        match concluded {
            Ok(state) => Held::Known(state),
            Err(reason) => Held::Unknown {
                reason: reason.to_string(),
            },
        }
    }

    async fn conclude(&self, stage: StageReading, edges: &[EdgeReport]) -> Result<MeshState, NotRead> {
        let mut reading = stage.reading;
        for (proxy, after) in self.counters(&stage.questions).await? {
            let before = stage.before.get(&proxy).cloned().unwrap_or_default();
            reading.counted.insert(proxy, after.since(&before));
        }
        let seen: Vec<Seen> = edges.iter().map(seen).collect();
        Ok(reconcile(&stage.questions, &reading, &seen))
    }

    async fn counters(&self, questions: &[Question]) -> Result<BTreeMap<String, Counters>, ReadError> {
        if self.count.get() {
            self.tools.counters(questions).await
        } else {
            Ok(BTreeMap::new())
        }
    }
}

fn seen(edge: &EdgeReport) -> Seen {
    Seen {
        edge: edge.edge.clone(),
        as_declared: match edge.verdict {
            EdgeVerdict::Used(Verdict::Confirmed) => Some(true),
            EdgeVerdict::Used(Verdict::Violation | Verdict::Leak) => Some(false),
            EdgeVerdict::Used(Verdict::Undecided) | EdgeVerdict::NotUsed => None,
        },
        requests: edge.n,
    }
}
