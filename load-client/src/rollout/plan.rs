//! What each stage declares, worked out before anything is sent.

use mesh_config::Mesh;

use super::stages::Stage;
use crate::cause::{Knowledge, Other};
use crate::expect::{
    self, Chain, Claim, LoadError, NotDeclared, Path, Question, Variant, load_manifests, variants,
};
use crate::load::RequestSpec;

/// The stages to walk, and the mix of requests that proves them.
#[derive(Debug)]
pub struct Plan {
    chain: Chain,
    inside: Option<Chain>,
    /// In the order of their names.
    pub(super) stages: Vec<PlannedStage>,
    /// Request i + 1 of the mix; each is sent only in the stages that treat it otherwise than the plain request.
    variants: Vec<Variant>,
}

/// A stage and what is declared when it is in force.
#[derive(Debug)]
pub(super) struct PlannedStage {
    pub(super) stage: Stage,
    mesh: Mesh,
    variants: Vec<Variant>,
    pub(super) claims: Vec<Claim>,
    /// For a client inside the mesh; empty if nobody asks.
    inside_variants: Vec<Variant>,
    pub(super) inside_claims: Vec<Claim>,
}

/// A stage cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPlan {
    /// Its manifests cannot be used.
    #[error(transparent)]
    Manifests(#[from] LoadError),
    /// Its manifests declare no split.
    #[error("stage {stage}, {path}: {reason}")]
    NotDeclared {
        /// Name of the stage.
        stage: String,
        /// For whom.
        path: Path,
        /// Why.
        reason: NotDeclared,
    },
}

impl Plan {
    /// Reads each stage on top of `base`, as the mesh has it after applying the stage: objects of the same name are
    /// replaced, whatever the stages before it were. `inside`: what a client inside the mesh sends. `now` (Unix
    /// seconds) is the age of new objects.
    ///
    /// # Errors
    /// Manifests that cannot be used, or that declare no split for the requests of a chain.
    pub fn new(
        base: &Mesh,
        chain: Chain,
        inside: Option<Chain>,
        stages: Vec<Stage>,
        now: i64,
    ) -> Result<Self, InvalidPlan> {
        let mut plan = Plan {
            chain,
            inside,
            stages: Vec::new(),
            variants: Vec::new(),
        };
        for stage in stages {
            let mesh = load_manifests(base, std::slice::from_ref(&stage.path), now)?;
            let planned = plan.stage(stage, mesh)?;
            plan.stages.push(planned);
        }
        Ok(plan)
    }

    fn stage(&mut self, stage: Stage, mesh: Mesh) -> Result<PlannedStage, InvalidPlan> {
        let not_declared = |path| {
            let stage = stage.name.clone();
            move |reason| InvalidPlan::NotDeclared { stage, path, reason }
        };
        let outside = self.chain.caller.path();
        let varied = variants(&mesh, &self.chain).map_err(not_declared(outside))?;
        for variant in &varied {
            if !self.variants.contains(variant) {
                self.variants.push(variant.clone());
            }
        }
        let claims = self.claims(&mesh, &varied).map_err(not_declared(outside))?;
        let (mut inside_variants, mut inside_claims) = (Vec::new(), Vec::new());
        if let Some(chain) = &self.inside {
            let path = chain.caller.path();
            inside_variants = variants(&mesh, chain).map_err(not_declared(path))?;
            inside_claims = expect::claims(&mesh, chain, &inside_variants).map_err(not_declared(path))?;
        }
        Ok(PlannedStage {
            stage,
            mesh,
            variants: varied,
            claims,
            inside_variants,
            inside_claims,
        })
    }

    /// The mix: the plain request, then its variants.
    #[must_use]
    pub fn requests(&self, plain: &RequestSpec) -> Vec<RequestSpec> {
        let varied = self
            .variants
            .iter()
            .map(|variant| plain.overlaid(&variant.headers));
        [plain.clone()].into_iter().chain(varied).collect()
    }

    /// What `previous` declares for the edges that `next` is judged by; `None` if it declares nothing for them.
    pub(super) fn claims_before(&self, previous: usize, next: usize) -> Option<Vec<Claim>> {
        self.claims(&self.stages[previous].mesh, &self.stages[next].variants)
            .ok()
    }

    /// What could be in force instead of a stage: the other ones, `before` first of all.
    pub(super) fn knowledge(&self, stage: usize, before: Option<usize>) -> Knowledge {
        let other = |(index, other): (usize, &PlannedStage)| {
            let name = other.stage.name.clone();
            let of = if before == Some(index) {
                Other::PreviousStage(name)
            } else {
                Other::Stage(name)
            };
            Some((of, self.claims_before(index, stage)?))
        };
        let others = self
            .stages
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != stage);
        let mut others: Vec<_> = others.filter_map(other).collect();
        let planned = &self.stages[stage];
        let path = expect::other_path(&planned.mesh, &self.chain, &planned.variants);
        others.extend(path.map(|(who, claims)| (Other::Path(who), self.in_mix(claims, &planned.variants))));
        Knowledge::new(&planned.claims, &others)
    }

    /// The same for a client inside the mesh.
    pub(super) fn inside_claims_before(&self, previous: usize, next: usize) -> Option<Vec<Claim>> {
        let (before, after) = (&self.stages[previous], &self.stages[next]);
        expect::claims(&before.mesh, self.inside.as_ref()?, &after.inside_variants).ok()
    }

    /// What the proxies that decide about the requests of the load are asked.
    pub(super) fn questions(&self, stage: usize) -> Result<Vec<Question>, NotDeclared> {
        let planned = &self.stages[stage];
        expect::questions(&planned.mesh, &self.chain, &planned.variants)
    }

    /// Whether there is a client inside the mesh.
    pub(super) fn asks_inside(&self) -> bool {
        self.inside.is_some()
    }

    /// Where the requests of the load enter the mesh.
    pub(super) fn path(&self) -> Path {
        self.chain.caller.path()
    }

    /// The same for the client inside; in the mesh, if there is none.
    pub(super) fn inside_path(&self) -> Path {
        self.inside
            .as_ref()
            .map_or(Path::InMesh, |chain| chain.caller.path())
    }

    /// Claims whose `variant` is the index in the mix rather than in `variants`.
    fn claims(&self, mesh: &Mesh, variants: &[Variant]) -> Result<Vec<Claim>, NotDeclared> {
        let claims = expect::claims(mesh, &self.chain, variants)?;
        Ok(self.in_mix(claims, variants))
    }

    fn in_mix(&self, mut claims: Vec<Claim>, variants: &[Variant]) -> Vec<Claim> {
        for claim in &mut claims {
            let variant = claim.variant.checked_sub(1).map(|index| &variants[index]);
            let in_mix = self.variants.iter().position(|other| Some(other) == variant);
            claim.variant = in_mix.map_or(0, |index| index + 1);
        }
        claims
    }
}
