//! `POST /payments`, `GET /payments/{id}`, `GET /ledger`.

use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::http::header::{HeaderMap, LOCATION};
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use service_kit::{Instance, Problem, Version, bearer, get, resource};

use crate::order::OrderRequest;
use crate::{AuthClient, Charge, Currency, Fees, Ledger, Payment};

/// Longest `Idempotency-Key`, in bytes.
const LONGEST_KEY: usize = 255;

/// Says that a payment was made by an earlier request.
const REPLAYED: (&str, &str) = ("idempotency-replayed", "true");

pub(crate) fn routes(service: &mut ServiceConfig) {
    service
        .service(resource("/payments", "POST").route(web::post().to(create)))
        .service(resource("/payments/{id}", "GET, HEAD").route(get().to(show)))
        .service(resource("/ledger", "GET, HEAD").route(get().to(ledger)));
}

#[derive(Serialize)]
struct PaymentView<'a> {
    id: &'a str,
    status: &'static str,
    amount_cents: u64,
    currency: Currency,
    to: &'a str,
    user: &'a str,
    /// Seconds since 1970.
    created_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    fees: Option<Fees>,
}

impl<'a> PaymentView<'a> {
    fn new(payment: &'a Payment, version: Version) -> Self {
        let entry = &payment.entry;
        Self {
            id: &payment.id,
            status: "charged",
            amount_cents: entry.order.amount_cents,
            currency: entry.order.currency,
            to: &entry.order.to,
            user: &entry.user,
            created_at: entry.created_at,
            fees: (version == Version::V2).then(|| Fees::of(&entry.order)),
        }
    }
}

/// `POST /payments` with a token and an `Idempotency-Key`: 201 with the payment. A duplicate gets the same answer, with
/// `idempotency-replayed: true`; the token of each attempt is verified.
async fn create(
    request: HttpRequest,
    instance: Data<Instance>,
    auth: Data<AuthClient>,
    ledger: Data<Ledger>,
    body: Json<OrderRequest>,
) -> Result<HttpResponse, Problem> {
    if bearer(request.headers()).is_none() {
        let detail = "There is no token; get one with `POST /tokens` of auth-service and send it as \
                      `Authorization: Bearer TOKEN`.";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, detail));
    }
    let key = idempotency_key(request.headers())?;
    let order = body.into_inner().check()?;
    let user = auth.user_of(&request).await?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let mut response = HttpResponse::Created();
    let payment = match ledger.charge(key, &user, order, now) {
        Charge::Made(payment) => payment,
        Charge::Replayed(payment) => {
            response.insert_header(REPLAYED);
            payment
        }
        Charge::Conflict => {
            let detail =
                "This Idempotency-Key was used for another payment; send a new key for a new payment.";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
        }
    };
    response.insert_header((LOCATION, format!("/payments/{}", payment.id)));
    Ok(response.json(PaymentView::new(&payment, instance.version())))
}

fn idempotency_key(headers: &HeaderMap) -> Result<&str, Problem> {
    let name = header::HeaderName::from_static("idempotency-key");
    let mut lines = headers.get_all(&name);
    let key = match (lines.next(), lines.next()) {
        (Some(key), None) => key.to_str().unwrap_or_default(),
        _ => "",
    };
    if (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(key);
    }
    let detail = format!(
        "A payment needs one header `Idempotency-Key` of 1 to {LONGEST_KEY} visible ASCII characters, such as a UUID; \
         send a new one for each payment, and the same one when a payment is sent again."
    );
    Err(Problem::new(StatusCode::BAD_REQUEST, detail))
}

/// `GET /payments/{id}`.
async fn show(
    instance: Data<Instance>,
    ledger: Data<Ledger>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let payment = ledger.find(&id).ok_or_else(|| {
        let detail = format!(
            "This instance ({}) has no payment with this id. It knows only what it charged itself, and of that the \
             newest {}; ask the instance that made the payment.",
            instance.name(),
            ledger.capacity()
        );
        Problem::new(StatusCode::NOT_FOUND, detail)
    })?;
    Ok(HttpResponse::Ok().json(PaymentView::new(&payment, instance.version())))
}

/// The body of `GET /ledger`.
#[derive(Serialize)]
struct LedgerView<'a> {
    note: &'static str,
    instance: &'a str,
    capacity: usize,
    charges: u64,
    duplicates: u64,
    dropped: u64,
    entries: Vec<EntryView<'a>>,
}

/// Little, because there are many: [`PaymentView`] says the rest.
#[derive(Serialize)]
struct EntryView<'a> {
    key: &'a str,
    id: &'a str,
    amount_cents: u64,
    currency: Currency,
    user: &'a str,
    duplicates: u32,
}

/// `GET /ledger`: what this instance charged, oldest first, to be compared with that of others.
async fn ledger(instance: Data<Instance>, ledger: Data<Ledger>) -> HttpResponse {
    let kept = ledger.snapshot();
    let entries = kept.payments.iter().map(|Payment { id, entry }| EntryView {
        key: &entry.key,
        id,
        amount_cents: entry.order.amount_cents,
        currency: entry.order.currency,
        user: &entry.user,
        duplicates: entry.duplicates,
    });
    HttpResponse::Ok().json(LedgerView {
        note: "In memory of this instance alone, gone when it ends; the newest payments, up to `capacity`, are kept.",
        instance: instance.name(),
        capacity: ledger.capacity(),
        charges: kept.charges,
        duplicates: kept.duplicates,
        dropped: kept.dropped,
        entries: entries.collect(),
    })
}
