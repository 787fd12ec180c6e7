//! The manifests of the project, and a mesh that is drawn from a hat instead of run.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use http::{HeaderName, Method};
use load_client::expect::{Call, Caller, Chain, Claim, Expected, claims, load_manifests, variants};
use load_client::judge::{Decision, Judge, Terms};
use load_client::outcome::{Answer, Failure, Hop, Outcome};
use load_client::stats::FailOn;
use mesh_config::{Mesh, Source, parse};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

pub(crate) const STAGES: [&str; 5] = [
    "10-stable",
    "20-header-canary",
    "30-canary-10",
    "40-canary-50",
    "50-promoted",
];

/// A folder of the project's manifests.
pub(crate) fn manifests(folder: &str) -> String {
    format!("{}/../manifests/{folder}", env!("CARGO_MANIFEST_DIR"))
}

/// Base and one stage.
pub(crate) fn stage(name: &str) -> Mesh {
    let paths = [manifests("base"), manifests(&format!("stages/{name}"))].map(PathBuf::from);
    load_manifests(&Mesh::new(), &paths, 0).unwrap()
}

/// The mesh with these objects added or replaced.
pub(crate) fn with(mesh: &Mesh, text: &str) -> Mesh {
    let source = Source {
        name: "test.yaml".to_owned(),
        text: text.to_owned(),
    };
    let objects = parse(&[source]).unwrap_or_else(|problems| panic!("{problems}"));
    mesh.apply(objects, 1).unwrap().0
}

/// Payments through the gateway, which call auth-service.
pub(crate) fn payments() -> Chain {
    Chain {
        caller: Caller::Gateway,
        call: Call::new(Method::POST, "http://127.0.0.1:8080/payments", &[]).unwrap(),
        then: Some(Call::from_words("POST http://auth-service:8080/verify").unwrap()),
    }
}

pub(crate) fn header(name: &'static str, value: &str) -> (HeaderName, String) {
    (HeaderName::from_static(name), value.to_owned())
}

/// Every edge that the stage declares, for the plain request and for its variants.
pub(crate) fn declared(mesh: &Mesh) -> Vec<Claim> {
    let variants = variants(mesh, &payments()).unwrap();
    claims(mesh, &payments(), &variants).unwrap()
}

pub(crate) fn terms() -> Terms {
    Terms {
        alpha: 0.001,
        tolerance: 0.02,
        hop_tolerance: 0.05,
        fail_on: FailOn::AnyDeviation,
        budget: None,
        version_source: "header:x-served-by".to_owned(),
        per_unit: 1,
        sticky: None,
    }
}

/// A judge of one edge with a stated split.
pub(crate) fn stated(split: &str) -> Judge {
    Judge::new(vec![Claim::stated("shop", split.parse().unwrap())], &terms()).unwrap()
}

/// A judge of 90/10 that accepts what is within two points, whatever the evidence against exactly 90/10.
pub(crate) fn lenient() -> Judge {
    let terms = Terms {
        fail_on: FailOn::BeyondTolerance,
        budget: Some(1_000_000),
        ..terms()
    };
    Judge::new(
        vec![Claim::stated("shop", "v1=90,v2=10".parse().unwrap())],
        &terms,
    )
    .unwrap()
}

/// Answers of which exactly this many thousandths are v2, evenly spread.
pub(crate) fn spread(thousandths: u64) -> impl FnMut(usize) -> Outcome {
    let mut sum = 0;
    move |_| {
        sum += thousandths;
        let version = if sum >= 1_000 { "v2" } else { "v1" };
        sum %= 1_000;
        answered(0, 200, &[hop("shop", version)])
    }
}

/// Feeds the judge until it decides or its budget is used up.
pub(crate) fn feed(judge: &mut Judge, mut next: impl FnMut(usize) -> Outcome) -> Decision {
    let mut turn = 0;
    loop {
        let wanted = judge.wanted();
        turn += 1;
        let variant = wanted[turn % wanted.len()];
        if let Some(decision) = judge.take(&next(variant)) {
            return decision.clone();
        }
    }
}

pub(crate) fn hop(service: &str, version: &str) -> Hop {
    Hop {
        service: service.to_owned(),
        version: version.to_owned(),
        instance: "pod".to_owned(),
    }
}

pub(crate) fn answered(variant: usize, status: u16, hops: &[Hop]) -> Outcome {
    let served_by = (!hops.is_empty()).then(|| Rc::from(hops));
    result(variant, Ok(Answer { status, served_by }))
}

pub(crate) fn failed(failure: Failure) -> Outcome {
    result(0, Err(failure))
}

fn result(variant: usize, result: Result<Answer, Failure>) -> Outcome {
    let latency = Duration::from_millis(2);
    Outcome {
        variant,
        result,
        latency,
        from_intended: latency,
        attempts: 1,
        connection: 0,
        unit: 0,
    }
}

/// A mesh that does what some claims say.
pub(crate) struct Hat {
    claims: Vec<Claim>,
    rng: SmallRng,
}

impl Hat {
    pub(crate) fn new(claims: &[Claim], seed: u64) -> Self {
        Self {
            claims: claims.to_vec(),
            rng: SmallRng::seed_from_u64(seed),
        }
    }

    /// One request of this variant; a variant that the claims do not know is treated as the plain one.
    pub(crate) fn draw(&mut self, variant: usize) -> Outcome {
        let first = self.first(variant);
        let second = self.second(variant, &first);
        let hops: Vec<Hop> = [first].into_iter().chain(second).collect();
        answered(variant, 200, &hops)
    }

    /// Who takes the request: one of two pods of a version.
    pub(crate) fn first(&mut self, variant: usize) -> Hop {
        let mut hop = self.hop(self.known(variant), None).unwrap();
        hop.instance = format!("pod-{}", self.rng.random_range(0..2));
        hop
    }

    /// Whom that pod calls; `None` if the claims do not expect it to get requests.
    pub(crate) fn second(&mut self, variant: usize, first: &Hop) -> Option<Hop> {
        self.hop(self.known(variant), Some(first.version.clone()))
    }

    fn known(&self, variant: usize) -> usize {
        let known = self.claims.iter().any(|claim| claim.variant == variant);
        if known { variant } else { 0 }
    }

    fn hop(&mut self, variant: usize, given: Option<String>) -> Option<Hop> {
        let of = |claim: &&Claim| claim.variant == variant && claim.given == given;
        let expected = self.claims.iter().find(of)?.expected.clone()?;
        let service = expected.services().first().cloned().unwrap_or_default();
        Some(hop(&service, &pick(&expected, self.rng.random())))
    }
}

fn pick(expected: &Expected, at: f64) -> String {
    let versions: Vec<(&str, f64)> = expected.versions().filter(|(_, share)| *share > 0.0).collect();
    let mut sum = 0.0;
    let found = versions.iter().find(|(_, share)| {
        sum += share;
        at < sum
    });
    found.or(versions.last()).unwrap().0.to_owned()
}
