//! What a route does besides choosing a destination.

use serde::Serialize;

use super::rule_with;
use crate::mesh::Mesh;
use crate::object::virtual_service::HttpRoute;
use crate::origin::Origin;
use crate::route::matching::RequestHead;
use crate::route::mirror::Mirror;
use crate::route::{Action, Forward, Route};

/// One thing that happens to the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedAction {
    /// `redirect`, `answer`, `fault`, `cors`, `rewrite`, `headers`, `mirror`.
    pub what: String,
    /// What it does to this request.
    pub text: String,
    /// The rule that says so; `None`: the Gateway does.
    pub from: Option<Origin>,
}

/// In the order in which they happen.
pub(super) fn of(mesh: &Mesh, route: &Route, request: &RequestHead<'_>) -> Vec<ExplainedAction> {
    let action = |what: &str, text: String, has: fn(&HttpRoute) -> bool| ExplainedAction {
        what: what.to_owned(),
        text,
        from: rule_with(mesh, route, has),
    };
    match &route.action {
        Action::Redirect(redirect) => {
            let location = redirect.location(&route.matcher, request);
            let text = format!("{} to {location}", redirect.status);
            vec![action("redirect", text, |http| http.redirect.is_some())]
        }
        Action::DirectResponse(answer) => {
            let body = match answer.body.len() {
                0 => "no body".to_owned(),
                size => format!("a body of {size} bytes"),
            };
            let text = format!("{} with {body}, by the proxy", answer.status);
            vec![action("answer", text, |http| http.direct_response.is_some())]
        }
        Action::Forward(forward) => {
            let fault = forward.fault.as_ref().map(ToString::to_string);
            let fault = fault.map(|text| action("fault", text, |http| http.fault.is_some()));
            let cors = forward.cors.as_ref().map(ToString::to_string);
            let cors = cors.map(|text| action("cors", text, |http| http.cors.is_some()));
            let path = forward.rewrite_path(&route.matcher, request.path);
            let path = path.map(|path| format!("the path becomes {path}"));
            let path = path.map(|text| action("rewrite", text, |http| http.rewrite.is_some()));
            let headers = changed_headers(forward).then(|| {
                let text = "changed on the way, see the rule".to_owned();
                action("headers", text, changes_headers)
            });
            let mirrors = forward
                .mirrors
                .iter()
                .map(|mirror| action("mirror", copies(mirror), mirrors));
            let all = fault.into_iter().chain(cors).chain(path).chain(headers);
            all.chain(mirrors).collect()
        }
    }
}

fn changed_headers(forward: &Forward) -> bool {
    !forward.headers.is_empty() || forward.destinations.iter().any(|one| !one.headers.is_empty())
}

fn changes_headers(http: &HttpRoute) -> bool {
    http.headers.is_some() || http.route.iter().any(|one| !one.headers.is_empty())
}

fn mirrors(http: &HttpRoute) -> bool {
    http.mirroring.mirror.is_some() || !http.mirroring.mirrors.is_empty()
}

fn copies(mirror: &Mirror) -> String {
    let subset = mirror.subset.as_ref().map(|subset| format!(" subset {subset}"));
    let absent = match mirror.cluster {
        Some(_) => "",
        None => ", which does not exist: none is sent",
    };
    format!(
        "{} copied to {}{} port {}{absent}",
        mirror.share,
        mirror.host,
        subset.unwrap_or_default(),
        mirror.port
    )
}
