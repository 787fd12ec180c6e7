//! Paths.

use mesh_config::normalise_path;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_normalised_path_begins_with_a_slash_and_has_no_dot_segments(path in "/[a-z./%\\\\?#0-9A-F]{0,20}") {
        let Some(normal) = normalise_path(&path) else { return Ok(()) };
        let alone = normal.split('?').next().unwrap();
        prop_assert!(alone.starts_with('/'));
        prop_assert!(alone.split('/').all(|segment| segment != "." && segment != ".."), "{}", normal);
        prop_assert!(!normal.contains('#'));
    }
}
