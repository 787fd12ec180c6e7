//! What a route does besides choosing a destination.

use serde::Serialize;

use crate::route::matching::RequestHead;
use crate::route::{Action, Forward, Route};

/// One thing that happens to the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedAction {
    /// `redirect`, `answer`, `fault`, `cors`, `rewrite`, `headers`, `mirror`.
    pub what: String,
    /// What it does to this request.
    pub text: String,
}

fn action(what: &str, text: String) -> ExplainedAction {
    ExplainedAction {
        what: what.to_owned(),
        text,
    }
}

/// In the order in which they happen.
pub(super) fn of(route: &Route, request: &RequestHead<'_>) -> Vec<ExplainedAction> {
    match &route.action {
        Action::Redirect(redirect) => {
            let location = redirect.location(&route.matcher, request);
            vec![action("redirect", format!("{} to {location}", redirect.status))]
        }
        Action::DirectResponse(answer) => {
            let size = answer.body.len();
            let body = if size == 0 {
                "no body".to_owned()
            } else {
                format!("a body of {size} bytes")
            };
            vec![action(
                "answer",
                format!("{} with {body}, by the proxy", answer.status),
            )]
        }
        Action::Forward(forward) => of_forward(route, forward, request),
    }
}

fn of_forward(route: &Route, forward: &Forward, request: &RequestHead<'_>) -> Vec<ExplainedAction> {
    let fault = forward
        .fault
        .as_ref()
        .map(|fault| action("fault", fault.to_string()));
    let cors = forward.cors.as_ref().map(|cors| action("cors", cors.to_string()));
    let path = forward.rewrite_path(&route.matcher, request.path);
    let path = path.map(|path| action("rewrite", format!("the path becomes {path}")));
    let changed = |rules: &crate::HeaderRules| !rules.is_empty();
    let headers = changed(&forward.headers) || forward.destinations.iter().any(|d| changed(&d.headers));
    let headers = headers.then(|| action("headers", "changed on the way, see the rule".to_owned()));
    let mirrors = forward.mirrors.iter().map(|mirror| {
        let subset = mirror.subset.as_ref().map(|subset| format!(" subset {subset}"));
        let subset = subset.unwrap_or_default();
        let to = if mirror.cluster.is_some() {
            ""
        } else {
            ", which does not exist: none is sent"
        };
        action(
            "mirror",
            format!(
                "{} copied to {}{subset} port {}{to}",
                mirror.share, mirror.host, mirror.port
            ),
        )
    });
    let all = fault.into_iter().chain(cors).chain(path).chain(headers);
    all.chain(mirrors).collect()
}
