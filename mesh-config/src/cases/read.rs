//! Reading files of cases.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::case::{Caller, Case, CaseFile, Expected, Wanted};
use crate::check::schema;
use crate::path::normalise_path;
use crate::problem::{Placed, Problems, Source};
use crate::text::{Document, Fields, Value};

/// Fields of a rule that a case may ask for: those of an `HTTPRoute` besides `match` and `route`.
const RULE: &[&str] = &[
    "name",
    "redirect",
    "directResponse",
    "delegate",
    "rewrite",
    "timeout",
    "retries",
    "fault",
    "mirror",
    "mirrors",
    "mirrorPercentage",
    "corsPolicy",
    "headers",
];

/// Reads a file of cases: `testCases`, and `manifests` that they are about.
///
/// # Errors
/// Every mistake, with line and column.
pub fn parse(source: &Source) -> Result<CaseFile, Problems> {
    let mut file = CaseFile {
        manifests: Vec::new(),
        source: source.clone(),
        cases: Vec::new(),
    };
    let mut problems = Vec::new();
    for document in Document::split(source) {
        if let Some(tree) = document.tree() {
            read_file(&document.root(&tree), &mut file);
        }
        problems.extend(document.into_problems());
    }
    if file.cases.is_empty() && problems.is_empty() {
        let advice = "write `testCases:` with a list of cases".to_owned();
        let mark = crate::problem::Mark {
            line: 1,
            column: 1,
            length: 1,
        };
        problems.push(file.problem(
            &schema::NO_OBJECTS,
            mark,
            "there is no case here".to_owned(),
            advice,
        ));
    }
    match Problems::from_vec(problems) {
        Some(problems) => Err(problems),
        None => Ok(file),
    }
}

fn read_file(root: &Value<'_>, file: &mut CaseFile) {
    root.fields(|fields| {
        file.manifests
            .extend(fields.get("manifests").map(|v| texts(&v)).unwrap_or_default());
        let cases = fields.required("testCases").map(|v| v.list()).unwrap_or_default();
        for value in cases {
            let number = file.cases.len() + 1;
            file.cases
                .extend(value.fields(|fields| read_case(fields, number)).flatten());
        }
    });
}

fn read_case(fields: &mut Fields<'_>, number: usize) -> Option<Case> {
    let description = fields.get("description").and_then(|v| v.text());
    let want_match = fields.get("wantMatch").and_then(|v| v.boolean());
    let expected = read_expected(fields);
    let mark = fields.value().mark();
    let case = Case {
        description: description.unwrap_or_else(|| format!("case {number}")),
        mark,
        want_match: want_match.unwrap_or(true),
        callers: Vec::new(),
        ports: Vec::new(),
        authorities: Vec::new(),
        methods: Vec::new(),
        uris: Vec::new(),
        headers: Vec::new(),
        expected,
    };
    fields
        .required("request")?
        .fields(|fields| read_request(fields, case))
}

fn read_request(fields: &mut Fields<'_>, mut case: Case) -> Case {
    case.callers = given(fields.get("from")).iter().filter_map(read_caller).collect();
    case.ports = given(fields.get("port")).iter().filter_map(Value::port).collect();
    case.authorities = fields
        .required("authority")
        .map(|v| texts(&v))
        .unwrap_or_default();
    case.methods = given(fields.get("method"))
        .iter()
        .filter_map(read_method)
        .collect();
    case.uris = given(fields.get("uri")).iter().filter_map(read_uri).collect();
    case.headers = given(fields.get("headers")).iter().map(read_headers).collect();
    let or = |list: &mut Vec<String>, default: &str| {
        if list.is_empty() {
            list.push(default.to_owned());
        }
    };
    or(&mut case.methods, "GET");
    or(&mut case.uris, "/");
    if case.headers.is_empty() {
        case.headers.push(HeaderMap::new());
    }
    case
}

/// What a field has, one or many.
fn given(value: Option<Value<'_>>) -> Vec<Value<'_>> {
    value.map(|value| one_or_many(&value)).unwrap_or_default()
}

/// The entries of a list, or the value itself.
fn one_or_many<'d>(value: &Value<'d>) -> Vec<Value<'d>> {
    if value.is_list() {
        value.list()
    } else {
        vec![value.clone()]
    }
}

fn texts(value: &Value<'_>) -> Vec<String> {
    one_or_many(value).iter().filter_map(Value::text).collect()
}

fn read_method(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if text.parse::<Method>().is_err() {
        value.say(&schema::FORMAT, format!("`{text}` is not a method"), None);
    }
    Some(text)
}

fn read_uri(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    let path = normalise_path(&text);
    if path.is_none() {
        let advice = "a path begins with `/`; a query may follow".to_owned();
        let message = format!("`{text}` is not a path that a proxy takes");
        value.say(&schema::FORMAT, message, Some(advice));
    }
    path.map(std::borrow::Cow::into_owned)
}

fn read_headers(value: &Value<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in value.entries() {
        let Some(text) = value.text() else { continue };
        match (name.value.parse::<HeaderName>(), text.parse::<HeaderValue>()) {
            (Ok(name), Ok(text)) => {
                headers.append(name, text);
            }
            _ => value.say(
                &schema::FORMAT,
                format!("`{}: {text}` is not a header", name.value),
                None,
            ),
        }
    }
    headers
}

/// `gateway`, `NAMESPACE/NAME` of a Deployment, or a mapping with `namespace` and `labels`.
fn read_caller(value: &Value<'_>) -> Option<Placed<Caller>> {
    let caller = if value.is_text() {
        let text = value.text()?;
        match (text.as_str(), text.split_once('/')) {
            ("gateway", _) => Caller::Gateway,
            (_, Some((namespace, name))) => Caller::Deployment {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            },
            _ => {
                let advice =
                    "write gateway, NAMESPACE/NAME of a Deployment, or {namespace: ..., labels: {...}}";
                let message = format!("`{text}` is nobody");
                value.say(&schema::FORMAT, message, Some(advice.to_owned()));
                return None;
            }
        }
    } else {
        value.fields(|fields| Caller::Workload {
            namespace: fields
                .required("namespace")
                .and_then(|v| v.text())
                .unwrap_or_default(),
            labels: fields.get("labels").map(|v| v.text_map()).unwrap_or_default(),
        })?
    };
    Some(Placed {
        value: caller,
        mark: value.mark(),
    })
}

fn read_expected(fields: &mut Fields<'_>) -> Expected {
    let mut expected = Expected {
        route: fields.get("route").map(|v| read_route(&v)),
        status: fields
            .get("status")
            .and_then(|v| v.whole(200..=599))
            .and_then(|status| u16::try_from(status).ok()),
        location: fields.get("location").and_then(|v| v.text()),
        ..Expected::default()
    };
    if let Some(sent) = fields.get("sent") {
        sent.fields(|fields| {
            expected.sent_uri = fields.get("uri").and_then(|v| v.text());
            expected.sent_authority = fields.get("authority").and_then(|v| v.text());
        });
    }
    for name in RULE {
        if let Some(value) = fields.get(name) {
            expected.rule.push(((*name).to_owned(), value.to_json()));
        }
    }
    let value = fields.value();
    let says = ["route", "status", "location", "sent"].iter().chain(RULE);
    if !says.clone().any(|name| value.has(name)) {
        let advice = "say `route`, `status`, `location`, `sent`, or a field of the rule such as `rewrite`";
        value.say(
            &schema::MISSING,
            "it does not say what is expected",
            Some(advice.to_owned()),
        );
    }
    expected
}

fn read_route(value: &Value<'_>) -> Vec<Wanted> {
    let entries = value.list();
    let single = entries.len() == 1;
    let read = |entry: &Value<'_>| {
        entry.fields(|fields| {
            let weight = fields.get("weight").and_then(|v| v.uint32());
            if weight.is_none() && !single {
                let advice = "of several destinations each needs one".to_owned();
                fields
                    .value()
                    .say(&schema::MISSING, "`weight` is missing", Some(advice));
            }
            let destination = fields.required("destination")?;
            destination.fields(|fields| read_destination(fields, weight.unwrap_or(1)))?
        })?
    };
    entries.iter().filter_map(read).collect()
}

fn read_destination(fields: &mut Fields<'_>, weight: u32) -> Option<Wanted> {
    let port = fields
        .get("port")
        .and_then(|v| v.fields(|fields| fields.required("number").and_then(|v| v.port()))?);
    Some(Wanted {
        subset: fields.get("subset").and_then(|v| v.text()),
        host: fields.required("host").and_then(|v| v.text())?,
        port,
        weight,
    })
}
