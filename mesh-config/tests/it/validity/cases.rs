//! Recorded verdicts: a manifest, what kubectl and the API server said, and what istiod's webhook said.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// One manifest with its verdicts.
#[derive(Deserialize)]
pub(super) struct Case {
    pub(super) name: String,
    /// The input is Istio's own.
    istio: Option<Value>,
    manifest: Option<Value>,
    text: Option<String>,
    #[serde(default)]
    expand: BTreeMap<String, Repeat>,
    crd: Schema,
    webhook: Webhook,
}

/// A token of the text that stands for a long one.
#[derive(Deserialize)]
struct Repeat {
    repeat: String,
    times: usize,
}

/// Server-side apply; `create` where plain apply and create decide otherwise.
#[derive(Deserialize)]
struct Schema {
    accepted: bool,
    create: Option<Created>,
}

#[derive(Deserialize)]
struct Created {
    accepted: bool,
}

#[derive(Deserialize)]
struct Webhook {
    valid: bool,
    #[serde(default)]
    warnings: Vec<String>,
}

impl Case {
    /// The manifest as a file would have it. JSON is YAML.
    pub(super) fn text(&self) -> String {
        let mut text = match (&self.text, &self.manifest) {
            (Some(text), _) => text.clone(),
            (None, Some(manifest)) => manifest.to_string(),
            (None, None) => panic!("{} has no manifest", self.name),
        };
        for (token, repeat) in &self.expand {
            text = text.replace(token, &repeat.repeat.repeat(repeat.times));
        }
        text
    }

    pub(super) fn is_istios(&self) -> bool {
        self.istio.is_some()
    }

    /// Whether API server and webhook take it, by plain `kubectl apply`.
    pub(super) fn accepted(&self) -> bool {
        let schema = self
            .crd
            .create
            .as_ref()
            .map_or(self.crd.accepted, |create| create.accepted);
        schema && self.webhook.valid
    }

    /// What the webhook warns of.
    pub(super) fn warnings(&self) -> &[String] {
        &self.webhook.warnings
    }
}

/// All cases of a folder, with the name of their topic.
pub(super) fn read(folder: &Path) -> Vec<(String, Case)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let topic = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let cases: Vec<Case> =
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{topic}: {error}"));
        all.extend(cases.into_iter().map(|case| (topic.clone(), case)));
    }
    all
}
