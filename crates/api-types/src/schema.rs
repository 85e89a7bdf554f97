//! The OpenAPI 3.0 schemas of all types.

use schemars::generate::{Contract, SchemaSettings};
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::*;

/// Every body and answer by name: answers as they are written, bodies as they are read.
#[must_use]
pub fn schemas() -> Map<String, Value> {
    macro_rules! named {
        ($contract:ident: $($name:ty),* $(,)?) => {{
            let mut generator = generator(Contract::$contract);
            $(generator.subschema_for::<$name>();)*
            generator.take_definitions(true)
        }};
    }
    let mut all = named![Deserialize:
        SubmissionBody, ResendBody, TemplateBody, PreviewBody, TestBody, StatusReportBody, DeviceReportBody,
        MessageReportBody, OptOutBody, NewEndpointBody, EndpointChangeBody, SettingsBody, NewKeyBody,
        ErasureBody, ExportBody, BulkBody,
    ];
    all.extend(named![Serialize:
        StoredReply, NotStoredReply, RequestReply, MessagesReply, MessageReply, ListReply, StatsReply,
        QueueReply, AnalyticsReply, TemplatesReply, TemplateReply, SavedTemplateReply, RemovedTemplateReply,
        PreviewReply, TestReply, ReportReply, DealerListReply, DealerReply, KeysReply, KeyReply,
        MadeKeyReply, AuditReply, ErasureReply, ExportReply, RootReply, HealthReply,
        RepliesReply, OptOutsReply, OptOutReply, EndpointsReply, EndpointReply, MadeEndpointReply,
        DeliveriesReply, DeliveryReply, DetailedHealthReply, ErrorReply, ValidationReply, BulkReply,
    ]);
    all.sort_keys();
    all
}

/// The parameters of a type, in its order: each a name and a schema with description and example.
#[must_use]
pub fn parameters_of<T: JsonSchema>() -> Map<String, Value> {
    let schema = generator(Contract::Deserialize).into_root_schema_for::<T>();
    let mut properties = schema.get("properties").cloned().unwrap_or_default();
    let properties = properties.as_object_mut().map(std::mem::take);
    properties.unwrap_or_default()
}

fn generator(contract: Contract) -> SchemaGenerator {
    let mut settings = SchemaSettings::openapi3().with_transform(plain);
    settings.contract = contract;
    settings.into_generator()
}

/// Says what schemars says in the way that most tools for OpenAPI 3.0 understand.
fn plain(schema: &mut Schema) {
    transform_subschemas(&mut plain, schema);
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    schema.remove("$schema");
    schema.remove("title");
    // OpenAPI has no unsigned types, and a list of values needs no limits.
    let format = schema.get("format").and_then(Value::as_str);
    let signed = match format {
        Some("uint64" | "uint") => Some("int64"),
        Some("uint8" | "uint16" | "uint32") => Some("int32"),
        _ => None,
    };
    if let Some(signed) = signed {
        schema.insert("format".to_owned(), signed.into());
    }
    if schema.contains_key("enum") {
        schema.remove("minimum");
        schema.remove("maximum");
    }
    // A reference needs no description: what it refers to has one.
    if let Some(Value::Array(all)) = schema.get_mut("allOf")
        && let [one] = all.as_mut_slice()
        && one.get("$ref").is_some()
        && let Value::Object(reference) = one.take()
    {
        *schema = reference;
        return;
    }
    // Null has no type of its own in OpenAPI 3.0.
    let nothing = json!({ "type": "object", "nullable": true, "enum": [null] });
    if schema.get("enum") == Some(&json!([null])) && !schema.contains_key("type") {
        let description = schema.get("description").cloned();
        *schema = nothing.as_object().cloned().unwrap_or_default();
        schema.extend(description.map(|text| ("description".to_owned(), text)));
        return;
    }
    if let Some(any) = schema.remove("anyOf") {
        let nullable = any.as_array().is_some_and(|all| all.contains(&nothing));
        if nullable {
            schema.insert("nullable".to_owned(), true.into());
        }
        schema.insert("oneOf".to_owned(), any);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_null_and_what_is_required_depends_on_the_direction() {
        let all = schemas();
        let required = |name: &str| all[name]["required"].as_array().map_or(0, Vec::len);
        // Answers have every key, bodies may leave out what is optional.
        assert_eq!(
            Some(required("Item")),
            all["Item"]["properties"].as_object().map(Map::len)
        );
        assert_eq!(required("SubmissionBody"), 7);
        assert_eq!(required("SettingsBody"), 0);
        let item = &all["Item"]["properties"];
        assert_eq!(item["request_date"]["nullable"], true);
        assert!(item["id"].get("nullable").is_none());
        let nullable = &all["MessageItem"]["properties"]["waiting"];
        assert_eq!(nullable["nullable"], true);
        assert_eq!(
            nullable["oneOf"][0]["$ref"],
            "#/components/schemas/WaitingItem"
        );
    }

    #[test]
    fn limits_are_those_of_the_domain() {
        let all = schemas();
        let name = &all["SubmissionBody"]["properties"]["namaPembawa"];
        let (min, max) = domain::requests::Field::CustomerName.length().unwrap();
        assert_eq!(name["minLength"], min);
        assert_eq!(name["maxLength"], max);
        assert_eq!(
            parameters_of::<ListQuery>()["page_size"]["maximum"],
            MAX_PAGE_SIZE
        );
    }
}
