//! A declared split, prepared for evaluation.

use super::ln_gamma;

/// Concentrations of the slab's Dirichlet priors, in equal parts: no single one has to fit the deviation.
pub(super) const CONCENTRATIONS: [f64; 4] = [10.0, 100.0, 1_000.0, 10_000.0];

/// What is declared: a probability per version.
///
/// Versions with probability 0 are not active: they have no part in the prior, and one answer from them decides.
#[derive(Clone, Debug)]
pub struct Split {
    weights: Vec<f64>,
    active: Vec<Active>,
}

/// A version with a positive probability, with what does not depend on counts.
#[derive(Clone, Debug)]
pub(super) struct Active {
    pub(super) index: usize,
    pub(super) weight: f64,
    pub(super) ln_weight: f64,
    /// Dirichlet parameter and its `ln Γ`, per concentration.
    pub(super) prior: [(f64, f64); CONCENTRATIONS.len()],
}

/// Why weights are not a split.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum InvalidSplit {
    /// Nothing could be observed.
    #[error("no version has a weight above 0; give at least one version a share")]
    AllZero,
    /// Not a share of anything.
    #[error("{0} is not a weight; use a number from 0 up")]
    NotAWeight(f64),
}

impl Split {
    /// Weights are relative, as in a VirtualService.
    ///
    /// # Errors
    /// A weight that is negative or not finite; no weight above 0.
    pub fn new(weights: &[f64]) -> Result<Self, InvalidSplit> {
        if let Some(bad) = weights
            .iter()
            .find(|weight| !weight.is_finite() || **weight < 0.0)
        {
            return Err(InvalidSplit::NotAWeight(*bad));
        }
        let largest = weights.iter().copied().fold(0.0, f64::max);
        if largest <= 0.0 {
            return Err(InvalidSplit::AllZero);
        }
        let mut weights = weights.to_vec();
        let mut total: f64 = weights.iter().sum();
        if total.is_infinite() {
            weights.iter_mut().for_each(|weight| *weight /= largest);
            total = weights.iter().sum();
        }
        // Probabilities that were written down are read as the same ones, although their sum is rounded.
        if (total - 1.0).abs() > super::evidence::float(weights.len() as u64) * f64::EPSILON {
            weights.iter_mut().for_each(|weight| *weight /= total);
        }
        let active = weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0);
        let active = active
            .map(|(index, weight)| Active::new(index, *weight))
            .collect();
        Ok(Self { weights, active })
    }

    /// Probability of each version; they sum to 1.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Adds a version that is declared to get nothing. Evidence about the others stays what it was.
    pub fn add_unused(&mut self) {
        self.weights.push(0.0);
    }

    pub(super) fn active(&self) -> &[Active] {
        &self.active
    }
}

impl Active {
    fn new(index: usize, weight: f64) -> Self {
        let prior = CONCENTRATIONS.map(|c| (c * weight, ln_gamma(c * weight)));
        Self {
            index,
            weight,
            ln_weight: weight.ln(),
            prior,
        }
    }
}
