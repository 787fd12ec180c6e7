//! Documents, objects, places: what is read, and where problems are shown.

use crate::kit::{SHOP, istio, objects, problems, rules, source, to};
use mesh_config::{ObjectKey, Spec, parse, parse_keys};

#[test]
fn lines_are_counted_and_shown_as_yaml_breaks_them() {
    // Carriage returns alone, in front of a line feed, and both in front of the second document.
    let good = "kind: Namespace\rapiVersion: v1\r\nmetadata: {name: a}\n";
    let text = format!("{good}---\r\nkind: Namespace\rapiVersion: v1\rmetadata: {{nam: b}}\n");
    let problems = problems(&text);
    let problem = problems
        .iter()
        .find(|problem| problem.message.starts_with("unknown field"))
        .unwrap();
    assert_eq!((problem.line, problem.column), (7, 12));
    assert!(
        problem.to_string().contains("7 | metadata: {nam: b}\n"),
        "{problem}"
    );
}

#[test]
fn a_problem_shows_file_line_column_caret_and_advice() {
    let text = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: auth}\nspec:\n  hots: [auth]\n  http: [{route: [{destination: {host: auth}}]}]\n";
    let problems = problems(text);
    let shown = problems.to_string();
    let unknown = problems
        .iter()
        .find(|problem| problem.message.contains("hots"))
        .unwrap();
    assert_eq!((unknown.line, unknown.column), (5, 3), "{shown}");
    assert_eq!(unknown.message, "unknown field `spec.hots`");
    assert_eq!(unknown.advice.as_deref(), Some("did you mean `hosts`?"));
    let expected = "\
error: unknown field `spec.hots`
 --> test.yaml:5:3
  |
5 |   hots: [auth]
  |   ^^^^ did you mean `hosts`?";
    assert!(shown.contains(expected), "{shown}");
}

#[test]
fn every_problem_of_every_document_of_every_source_is_listed() {
    let bad = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports: [{prot: 1, port: x}]\n";
    let two =
        format!("{bad}---\napiVersion: v1\nkind: Servcie\nmetadata: {{name: b}}\n---\na: [\n---\n{bad}");
    let Err(problems) = parse(&[
        source(&two),
        mesh_config::Source {
            name: "other.yaml".to_owned(),
            text: bad.to_owned(),
        },
    ]) else {
        panic!("taken");
    };
    let places: Vec<_> = problems.iter().map(|p| (p.file.as_str(), p.line)).collect();
    for place in [
        ("test.yaml", 5),
        ("test.yaml", 8),
        ("test.yaml", 17),
        ("other.yaml", 5),
    ] {
        assert!(places.contains(&place), "{place:?} is missing in\n{problems}");
    }
    assert!(
        problems
            .iter()
            .any(|p| p.message.contains("not YAML") && (11..=12).contains(&p.line)),
        "{problems}"
    );
}

#[test]
fn a_duplicate_key_is_a_problem_where_it_is_repeated() {
    let text = rules("- timeout: 1s\n  timeout: 2s\n  route: [{destination: {host: auth}}]");
    let problems = problems(&text);
    let problem = problems.iter().next().unwrap();
    assert_eq!(problem.message, "duplicate key `spec.http[0].timeout`");
    assert_eq!((problem.line, problem.column), (8, 7));
}

#[test]
fn a_wrong_kind_or_version_is_a_problem_and_other_kinds_are_taken() {
    for (head, message) in [
        (
            "apiVersion: networking.istio.io/v1\nkind: VirtualServce",
            "there is no kind `VirtualServce`",
        ),
        (
            "apiVersion: networking.istio.io/v7\nkind: Gateway",
            "there is no `networking.istio.io/v7` for Gateway",
        ),
        ("kind: Gateway", "`apiVersion` is missing"),
    ] {
        let shown = problems(&format!("{head}\nmetadata: {{name: a}}\nspec: {{anything: 1}}\n")).to_string();
        assert!(shown.contains(message), "{shown}");
        assert!(!shown.contains("unknown field"), "{shown}");
    }
    let others = objects(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: y}\n---\n# nothing\n---\napiVersion: example.com/v1\nkind: Thing\nmetadata: {name: b}\n",
    );
    assert!(
        others
            .iter()
            .all(|object| matches!(object.spec, Spec::NotEnforced))
    );
    assert_eq!(others.len(), 2);
}

#[test]
fn a_list_is_taken_apart_and_json_is_yaml() {
    let list = r#"{"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "auth"}, "spec": {"ports": [{"port": 80}]}}]}"#;
    let keys: Vec<String> = objects(list)
        .iter()
        .map(|object| object.key().to_string())
        .collect();
    assert_eq!(keys, ["Namespace shop", "Service default/auth"]);
}

#[test]
fn places_count_from_the_beginning_of_the_file() {
    let text = format!(
        "# first\n---\n{}---\n{}",
        rules("- route: [{destination: {host: a}}]"),
        rules("- route: [{destination: {host: ä}}]\n  timout: 1s").replace("ä", "a")
    );
    let problems = problems(&text);
    let problem = problems.iter().next().unwrap();
    assert_eq!((problem.line, problem.column), (18, 7), "{problems}");
    assert!(problem.message.contains("spec.http[0].timout"));
}

#[test]
fn a_creation_timestamp_is_read() {
    let text =
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, creationTimestamp: \"2026-01-01T00:00:00Z\"}\n";
    let mesh = mesh_config::Mesh::new().apply(objects(text), 5).unwrap().0;
    let key = ObjectKey {
        kind: "Namespace".to_owned(),
        namespace: String::new(),
        name: "a".to_owned(),
    };
    assert_eq!(mesh.created(&key), Some(1_767_225_600));
}

#[test]
fn the_manifests_of_this_repository_are_taken() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests");
    let mut pending = vec![root];
    let mut sources = Vec::new();
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                sources.push(mesh_config::Source {
                    name: path.display().to_string(),
                    text: std::fs::read_to_string(&path).unwrap(),
                });
            }
        }
    }
    assert!(sources.len() > 5);
    let objects = parse(&sources).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(
        mesh_config::Mesh::new()
            .apply(objects, 0)
            .unwrap()
            .0
            .dangling()
            .is_empty()
    );
}

#[test]
fn objects_to_delete_need_no_more_than_what_identifies_them() {
    let text = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a, namespace: shop}\n---\n\
                apiVersion: v1\nkind: Namespace\nmetadata: {name: b}\nspec: {anything: at all}\n";
    let keys: Vec<String> = parse_keys(&[source(text)])
        .unwrap()
        .iter()
        .map(ObjectKey::to_string)
        .collect();
    assert_eq!(keys, ["VirtualService shop/a", "Namespace b"]);
    let Err(problems) = parse_keys(&[source(&text.replace("VirtualService", "VirtualServce"))]) else {
        panic!("taken");
    };
    assert!(
        problems.to_string().contains("did you mean `VirtualService`?"),
        "{problems}"
    );
}

#[test]
fn what_is_dangling_is_said_together_with_what_is_misspelt() {
    use mesh_config::Mesh;
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: auth, namespace: shop}\nspec:\n  selector: {matchLabels: {app: auth}}\n  template:\n    metadata: {labels: {app: auth}}\n    spec: {containers: [{name: a, image: a:v1}]}\n";
    let rule = |name: &str, rest: &str| {
        istio(
            "VirtualService",
            name,
            &format!("hosts: [auth]\nhttp:\n- {}\n{rest}", to("v9")),
        )
    };
    let place = |text: &str| {
        let refused = Mesh::new().apply_sources(&[source(text)], 0).unwrap_err();
        refused.iter().map(|problem| problem.line).collect::<Vec<_>>()
    };
    let (plain, misspelt) = (rule("shop/a", ""), rule("shop/b", "  timeuot: 1s\n"));
    let text = format!("{SHOP}---\n{deployment}---\n{plain}---\n{misspelt}");
    let line = |of: &str| 1 + text[..text.find(of).unwrap()].matches('\n').count();
    let (first, second) = (line("subset: v9"), line("timeuot"));
    // Also the misspelt rule goes to v9.
    assert_eq!(place(&text), [first, second - 1, second]);
    // A document that cannot be read might define v9: nothing is known then.
    assert_eq!(place(&format!("{text}---\n{{")).len(), 2);
}
