//! What is held against the answers: stated on the command line, or declared in manifests.

use std::path::PathBuf;

use load_client::cause::{Knowledge, Other};
use load_client::expect::{Chain, Claim, Expected, Variant, claims, other_path, siblings, variants};
use load_client::load::Load;
use mesh_config::Mesh;

use super::judge::{ChainArgs, unix_now};
use super::request::RequestArgs;

/// Where expectations come from.
pub(super) struct Expectation<'a> {
    /// `--expect`; it comes before manifests.
    pub(super) stated: Option<&'a Expected>,
    /// `--manifests`.
    pub(super) manifests: &'a [PathBuf],
    /// What is in them.
    pub(super) declared: &'a Mesh,
}

impl Expectation<'_> {
    /// What is declared for the load, which gets the requests that prove it, and what else could be in force.
    pub(super) fn claims(
        &self,
        chain: &ChainArgs,
        request: &RequestArgs,
        load: &mut Load,
    ) -> anyhow::Result<(Vec<Claim>, Knowledge)> {
        match self.stated {
            Some(expected) => {
                let claim = Claim::stated(&load.target.address(), expected.clone());
                Ok((vec![claim], Knowledge::default()))
            }
            None => self.of_manifests(&chain.chain(request, load)?, load),
        }
    }

    fn of_manifests(&self, chain: &Chain, load: &mut Load) -> anyhow::Result<(Vec<Claim>, Knowledge)> {
        let variants = variants(self.declared, chain)?;
        let plain = load.requests[0].clone();
        let varied = variants.iter().map(|variant| plain.overlaid(&variant.headers));
        load.requests.extend(varied);
        let claims = claims(self.declared, chain, &variants)?;
        let stages = siblings(self.manifests, self.declared, unix_now()).into_iter();
        let stages =
            stages.filter_map(|(name, mesh)| Some((Other::Stage(name), claims_of(&mesh, chain, &variants)?)));
        let mut others: Vec<(Other, Vec<Claim>)> = stages.collect();
        others.extend(
            other_path(self.declared, chain, &variants).map(|(who, claims)| (Other::Path(who), claims)),
        );
        let knowledge = Knowledge::new(&claims, &others);
        Ok((claims, knowledge))
    }
}

/// What another stage declares, if it declares anything.
fn claims_of(mesh: &Mesh, chain: &Chain, variants: &[Variant]) -> Option<Vec<Claim>> {
    claims(mesh, chain, variants).ok()
}
