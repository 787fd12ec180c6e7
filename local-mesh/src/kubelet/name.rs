//! Names of pods: `auth-v1-1a2b3c4d5e-x2x9k`, as Kubernetes makes them.

use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::Value;

/// Kubernetes' alphabet for generated names: no vowels, nothing that looks like something else.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Ten hexadecimal digits that change when the template of a Deployment changes (FNV-1a of its JSON, whose keys are
/// sorted).
pub(crate) fn template_hash(template: &Value) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in template.to_string().bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{:010x}", (hash ^ (hash >> 40)) & 0xff_ffff_ffff)
}

/// The name of a new pod.
pub(crate) fn pod_name(deployment: &str, hash: &str, random: &mut impl Rng) -> String {
    let suffix: String = (0..5)
        .filter_map(|_| ALPHABET.choose(random))
        .map(|&letter| char::from(letter))
        .collect();
    format!("{deployment}-{hash}-{suffix}")
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_seed_gives_the_same_names_again() {
        let name = |seed| pod_name("auth-v1", "0123456789", &mut StdRng::seed_from_u64(seed));
        assert_eq!(name(7), name(7));
        assert_ne!(name(7), name(8));
        let suffix = name(7).strip_prefix("auth-v1-0123456789-").unwrap().to_owned();
        assert!(suffix.len() == 5 && suffix.bytes().all(|byte| ALPHABET.contains(&byte)));
    }

    #[test]
    fn the_hash_changes_with_the_template_only() {
        let template = json!({"spec": {"containers": [{"image": "auth:v1"}]}});
        let hash = template_hash(&template);
        assert!(hash.len() == 10 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(hash, template_hash(&template.clone()));
        assert_ne!(
            hash,
            template_hash(&json!({"spec": {"containers": [{"image": "auth:v2"}]}}))
        );
    }
}
