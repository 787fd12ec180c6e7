//! Copies of requests for other services.

use super::fraction::Fraction;
use crate::view::cluster::ClusterId;

/// One entry of `mirrors`, or `mirror` with its percentage, compiled.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// Full name.
    pub host: String,
    /// Name of the subset.
    pub subset: Option<String>,
    /// Port of the Service.
    pub port: u16,
    /// `None`: there is no such cluster, and no copy is sent.
    pub cluster: Option<ClusterId>,
    /// Which requests. Drawn with the number that chose the destination, as in Envoy: with `mirrorPercent` and weights
    /// the copied requests are those of the first destinations.
    pub share: Fraction,
}
