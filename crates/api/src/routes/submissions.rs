use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use api_types::{FaultBody, StoredMessage, StoredReply, SubmissionBody};
use chrono::DateTime;
use domain::requests::{Fault, Faults, Field, FieldPath, Input, Submission, ValidSubmission};
use domain::template::RawVariables;
use domain::usecases::IntakeError;
use domain::values::{BodyFingerprint, Once};
use paperclip::actix::api_v2_operation;
use serde_json::{Map, Value};

use super::item::item;
use crate::access::Caller;
use crate::http::{Answered, CallOrigin, Fields, JsonBody, KeyHeader, Prefer, canonical, input};
use crate::observe::SubmissionResult;
use crate::problem::Problem;
use crate::state::Api;
use crate::validation::{of_key, wire_name};
use callers::in_time;

/// Store a submission and queue its WhatsApp message
///
/// Answers as soon as both are stored durably; whether WhatsApp works plays no part. `status` is 0
/// when nothing was stored because the dealer is unknown, inactive or without a usable account.
///
/// With an `Idempotency-Key` it can be repeated safely: for 24 hours the same key of the same dealer
/// with the same body is answered as the first time, and nothing more is stored or sent.
#[api_v2_operation(operation_id = "validate_customer", tags(customer))]
pub(crate) async fn validate_customer(
    caller: Caller,
    api: Data<Api>,
    prefer: Prefer,
    key: KeyHeader,
    body: JsonBody<SubmissionBody>,
    origin: CallOrigin,
) -> Result<Answered<StoredReply>, Problem> {
    let refused = |problem: &Problem| api.observer.submitted(SubmissionResult::of(problem));
    let (mut submitted, once) = read(&api, key, &body).inspect_err(refused)?;
    submitted.origin = origin.0;
    let seen = caller.visibility();
    // Boxed on its own: heap allocations below a kilobyte are much cheaper.
    let storing = Box::pin(api.intake.accept_once(submitted, once, seen));
    let received = in_time(storing, IntakeError::NotStored)
        .await
        .map_err(|error| match error {
            IntakeError::Invalid(faults) => match body.fields() {
                Ok(fields) => Problem::Invalid(described(&faults, fields)),
                Err(problem) => problem,
            },
            other => other.into(),
        })
        .inspect_err(refused)?;
    api.observer.submitted(if received.replayed {
        SubmissionResult::Replayed
    } else {
        SubmissionResult::Stored
    });
    if let Some(origin) = received.template {
        api.observer.made_from(origin, 1);
    }
    let request = received.request;
    tracing::info!(
        request.id = %request.id,
        dealer.id = request.dealer_id,
        request.replayed = received.replayed,
        "request stored"
    );
    let mut response = HttpResponse::Ok();
    response.insert_header((LOCATION, request_path(request.id)));
    if received.replayed {
        response.insert_header(("Idempotent-Replayed", "true"));
    }
    if prefer.representation {
        response.insert_header(("Preference-Applied", "return=representation"));
    }
    Ok(Answered::with(response.json(StoredReply {
        status: 1,
        message: StoredMessage {
            confirmation: "Data berhasil disimpan".into(),
        },
        data: prefer.representation.then(|| item(request)),
    })))
}

/// The submission, and its idempotency. A malformed key is reported before the body's faults.
fn read(
    api: &Api,
    key: KeyHeader,
    body: &JsonBody<SubmissionBody>,
) -> Result<(Submission, Option<Once>), Problem> {
    let given = match key {
        KeyHeader::Absent => {
            let submitted = match body.plain::<SubmissionBody>() {
                Some(plain) => plain_submission(plain),
                None => submission(&body.fields()?),
            };
            return Ok((submitted, None));
        }
        KeyHeader::Key(key) => {
            let fields = body.fields()?;
            // The body is JSON: its fields were just read.
            let text = canonical(body.bytes()).map_err(|_| Problem::UnforeseenInIntake)?;
            let submission = submission(&fields);
            let once = Once {
                key,
                body: BodyFingerprint::of(&text),
                // A row of a bulk call may have had this key.
                alike: Some(submission.fingerprint()),
            };
            return Ok((submission, Some(once)));
        }
        KeyHeader::Malformed(given) => given,
    };
    let mut faults = vec![of_key(&given, false)];
    match body.fields() {
        Ok(fields) => {
            let broken = api.intake.faults(submission(&fields));
            faults.extend(described(&broken, fields));
        }
        Err(Problem::Invalid(more)) => faults.extend(more),
        Err(other) => return Err(other),
    }
    Err(Problem::Invalid(faults))
}

/// A body on the fast path, without JSON values in between.
fn plain_submission(body: SubmissionBody) -> Submission {
    Submission {
        customer_name: body.nama_pembawa.into(),
        phone: body.no_telp.into(),
        unit_type: body.tipe_unit.into(),
        license_plate: body.no_pol.into(),
        created_time: body.created_time.into(),
        modified_time: body.modified_time.into(),
        dealer_id: body.dealer_id.into(),
        template: body.template.map_or(Input::Absent, Input::Text),
        variables: body.variables.map_or(RawVariables::Absent, |texts| {
            let texts = texts.into_iter();
            RawVariables::Given(texts.map(|(name, text)| (name, text.into())).collect())
        }),
        send_at: body.send_at.map_or(Input::Absent, Input::Text),
        origin: None,
    }
}

/// Any other body, field by field.
pub(crate) fn submission(fields: &Fields) -> Submission {
    let input = |field| fields.input(wire_name(field));
    Submission {
        customer_name: input(Field::CustomerName),
        phone: input(Field::Phone),
        unit_type: input(Field::UnitType),
        license_plate: input(Field::LicensePlate),
        created_time: input(Field::CreatedTime),
        modified_time: input(Field::ModifiedTime),
        dealer_id: input(Field::DealerId),
        template: input(Field::Template),
        variables: variables(fields.value(wire_name(Field::Variables))),
        send_at: input(Field::SendAt),
        origin: None,
    }
}

/// The faults of a submission, each with what was sent.
pub(crate) fn described(faults: &Faults, mut fields: Fields) -> Vec<FaultBody> {
    for (path, fault) in faults {
        let field = wire_name(path.field());
        match path {
            FieldPath::Field(_) => fields.refuse(&[field], *fault),
            FieldPath::Variable(name) => fields.refuse(&[field, name], *fault),
        }
    }
    fields.into_faults()
}

/// What was given for the variables of a template.
pub(super) fn variables(value: Option<&Value>) -> RawVariables {
    match value {
        None | Some(Value::Null) => RawVariables::Absent,
        Some(Value::Object(texts)) => {
            let texts = texts.iter();
            RawVariables::Given(
                texts
                    .map(|(name, text)| (name.clone(), input(Some(text))))
                    .collect(),
            )
        }
        Some(_) => RawVariables::Other,
    }
}

/// The values of a template that is tried out: those of `sample`, else those of the example of a submission.
/// None where one is faulty.
pub(super) fn sample(fields: &mut Fields) -> Option<ValidSubmission> {
    let given = match fields.value("sample") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(given)) => given.clone(),
        Some(_) => {
            fields.refuse(&["sample"], Fault::NotObject);
            return None;
        }
    };
    let value = |field: Field| match given.get(wire_name(field)) {
        None | Some(Value::Null) => Input::from(example(field)),
        given => input(given),
    };
    let sampled = Submission {
        customer_name: value(Field::CustomerName),
        unit_type: value(Field::UnitType),
        license_plate: value(Field::LicensePlate),
        created_time: value(Field::CreatedTime),
        variables: variables(given.get(wire_name(Field::Variables))),
        phone: example(Field::Phone).into(),
        modified_time: example(Field::ModifiedTime).into(),
        dealer_id: example(Field::DealerId).into(),
        ..Submission::default()
    };
    // Nothing is scheduled, so that the time plays no part.
    let faults = match sampled.validate(DateTime::UNIX_EPOCH) {
        Ok(valid) => return Some(valid),
        Err(faults) => faults,
    };
    for (path, fault) in faults {
        let field = wire_name(path.field());
        match path {
            FieldPath::Field(_) => fields.refuse(&["sample", field], fault),
            FieldPath::Variable(name) => fields.refuse(&["sample", field, &name], fault),
        }
    }
    None
}

/// The example of the contract.
const fn example(field: Field) -> &'static str {
    match field {
        Field::CustomerName => "Adit",
        Field::Phone => "082148523421",
        Field::UnitType => "BeAT Street",
        Field::LicensePlate => "D 123 AD",
        Field::CreatedTime | Field::ModifiedTime => "31/12/2019 15:40:50",
        Field::DealerId => "0009999",
        Field::Template | Field::Variables | Field::SendAt => "",
    }
}

/// The path of a request, for `Location`.
fn request_path(id: domain::requests::RequestId) -> String {
    format!("/api/v1/customer/request/{id}")
}
