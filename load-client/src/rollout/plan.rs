//! What each stage declares, worked out before anything is sent.

use mesh_config::Mesh;

use super::stages::Stage;
use crate::expect::{Chain, Claim, LoadError, NotDeclared, Variant, claims, load_manifests, variants};
use crate::load::RequestSpec;

/// The stages to walk, and the mix of requests that proves them.
#[derive(Debug)]
pub struct Plan {
    chain: Chain,
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
}

/// A stage cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPlan {
    /// Its manifests cannot be used.
    #[error(transparent)]
    Manifests(#[from] LoadError),
    /// Its manifests declare no split.
    #[error("stage {stage}: {reason}")]
    NotDeclared {
        /// Name of the stage.
        stage: String,
        /// Why.
        reason: NotDeclared,
    },
}

impl Plan {
    /// Reads each stage on top of `base`, as the mesh has it after applying the stage: objects of the same name are
    /// replaced, whatever the stages before it were. `now` (Unix seconds) is the age of new objects.
    ///
    /// # Errors
    /// Manifests that cannot be used, or that declare no split for the requests of `chain`.
    pub fn new(base: &Mesh, chain: Chain, stages: Vec<Stage>, now: i64) -> Result<Self, InvalidPlan> {
        let mut plan = Plan {
            chain,
            stages: Vec::new(),
            variants: Vec::new(),
        };
        for stage in stages {
            let mesh = load_manifests(base, std::slice::from_ref(&stage.path), now)?;
            let variants = variants(&mesh, &plan.chain).map_err(|reason| not_declared(&stage, reason))?;
            for variant in &variants {
                if !plan.variants.contains(variant) {
                    plan.variants.push(variant.clone());
                }
            }
            let claims = plan
                .claims(&mesh, &variants)
                .map_err(|reason| not_declared(&stage, reason))?;
            plan.stages.push(PlannedStage {
                stage,
                mesh,
                variants,
                claims,
            });
        }
        Ok(plan)
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

    /// Claims whose `variant` is the index in the mix rather than in `variants`.
    fn claims(&self, mesh: &Mesh, variants: &[Variant]) -> Result<Vec<Claim>, NotDeclared> {
        let mut claims = claims(mesh, &self.chain, variants)?;
        for claim in &mut claims {
            let variant = claim.variant.checked_sub(1).map(|index| &variants[index]);
            let in_mix = self.variants.iter().position(|other| Some(other) == variant);
            claim.variant = in_mix.map_or(0, |index| index + 1);
        }
        Ok(claims)
    }
}

fn not_declared(stage: &Stage, reason: NotDeclared) -> InvalidPlan {
    InvalidPlan::NotDeclared {
        stage: stage.name.clone(),
        reason,
    }
}
