//! No bytes make the parser panic, nor what follows it.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use mesh_config::{Mesh, explain, parse, parse_keys};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::generate::{clients, workloads};
use crate::kit::{Request, source};

/// The manifests of the demo.
static MANIFESTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests");
    let folders = fs::read_dir(root.join("stages"))
        .unwrap()
        .map(|folder| folder.unwrap().path());
    let files = folders
        .chain([root.join("base")])
        .flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 5, "{files:?}");
    files.iter().map(|file| fs::read(file).unwrap()).collect()
});

/// What is done with a piece of a manifest.
#[derive(Clone, Debug)]
enum Damage {
    Overwrite(Vec<u8>),
    Cut,
    Double,
    /// A piece of another manifest goes there.
    Graft(Index, Index),
}

fn damage() -> impl Strategy<Value = (Index, usize, Damage)> {
    let signs = prop::sample::select(&b"{}[]:,-&*!|>'\"%@`#?~\n\t \0\xff\xc3"[..]);
    let bytes = prop::collection::vec(prop_oneof![4 => signs, 1 => any::<u8>()], 0..4);
    let what = prop_oneof![
        3 => bytes.prop_map(Damage::Overwrite),
        1 => Just(Damage::Cut),
        1 => Just(Damage::Double),
        2 => any::<(Index, Index)>().prop_map(|(file, place)| Damage::Graft(file, place)),
    ];
    (any::<Index>(), 0..60_usize, what)
}

fn damaged(text: &mut Vec<u8>, place: Index, length: usize, what: &Damage) {
    let from = place.index(text.len() + 1);
    let piece = from..(from + length).min(text.len());
    let new = match what {
        Damage::Overwrite(bytes) => bytes.clone(),
        Damage::Cut => Vec::new(),
        Damage::Double => text[piece.clone()].repeat(2),
        Damage::Graft(file, place) => {
            let other = file.get(&MANIFESTS);
            let from = place.index(other.len());
            other[from..(from + length).min(other.len())].to_vec()
        }
    };
    text.splice(piece, new);
}

/// Those of YAML 1.1, by which the lines of problems are counted.
const LINE_ENDS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// Everything that is done with a text; problems have a place in it.
fn digest(text: &str) -> Result<(), TestCaseError> {
    let sources = [source(text)];
    if let Err(problems) = parse_keys(&sources) {
        prop_assert!(!problems.to_string().is_empty());
    }
    let objects = match parse(&sources) {
        Ok(objects) => objects,
        Err(problems) => {
            for problem in problems.iter() {
                prop_assert!(problem.line >= 1 && problem.column >= 1, "{}", problem);
                prop_assert!(problem.line <= text.split(LINE_ENDS).count(), "{}", problem);
            }
            prop_assert!(!problems.to_string().is_empty());
            return Ok(());
        }
    };
    let (mesh, _) = Mesh::new().apply(objects, 0).unwrap();
    let request = Request::new("GET http://auth-service:8080/verify?a=b x-canary: true");
    for client in clients() {
        for (port, table) in mesh.view(&client, &workloads()).ports {
            let _ = table.route(&request.head());
            prop_assert!(
                !explain(&mesh, &client, port, &request.head())
                    .to_string()
                    .is_empty()
            );
        }
    }
    prop_assert!(mesh.dangling().iter().all(|problem| problem.line >= 1));
    Ok(())
}

proptest! {
    #[test]
    fn no_bytes_make_parse_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        digest(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn no_text_makes_parse_panic(text in "\\PC{0,200}") {
        digest(&text)?;
    }

    #[test]
    fn no_damage_to_a_manifest_makes_anything_panic(
        file in any::<Index>(),
        damages in prop::collection::vec(damage(), 1..5),
    ) {
        let mut text = file.get(&MANIFESTS).clone();
        for (place, length, what) in &damages {
            damaged(&mut text, *place, *length, what);
        }
        digest(&String::from_utf8_lossy(&text))?;
    }
}
