//! The operations of the OpenAPI document, under its names. One table, so that none is written twice: the
//! methods of [`Client`], those of `blocking::Client`, and a list that a test compares with the document.

use api_types::{
    AnalyticsData, AnalyticsQuery, AuditData, AuditQuery, DealerItem, DealerListData,
    DeliveriesData, DeliveryItem, DetailedHealthReply, DeviceReportBody, EndpointChangeBody,
    EndpointItem, EndpointsData, ErasureBody, ErasureData, ExportBody, ExportData, ExportQuery,
    HealthReply, Item, KeyItem, ListData, ListQuery, MadeEndpointData, MadeKeyData, MessageItem,
    MessageReportBody, NewEndpointBody, NewKeyBody, OptOutBody, OptOutItem, OptOutsData, PageQuery,
    PreviewBody, PreviewData, QueueData, RangeQuery, RepliesData, ReplyListQuery, ReportReply,
    ResendBody, RootReply, SavedTemplateData, SettingsBody, StatsData, StatusReportBody,
    TemplateBody, TemplateData, TemplateItem, TestBody, TestReply,
};
use reqwest::Method;
use serde_json::Value;

use crate::call::Tagged;
use crate::client::Client;
use crate::downloads::Download;
use crate::error::Error;
use crate::retry::Repeat;

/// A line is: documentation; whether it may be done again (`Read`, `Safe`, `Once`), method and path; the name,
/// the places of the path, then what else it takes (`query`, `body`, `tag`: the header `If-Match`); how the
/// answer is read and as what.
macro_rules! operations {
    (table {
        $(
            $(#[doc = $doc:literal])*
            $repeat:ident $method:ident $path:literal
            $name:ident($($place:ident)*)
            $(query $query:ty,)? $(body $body:ty,)? $(tag $tag:ident,)?
            => $read:ident $answer:ty;
        )*
    }
    by hand { $($by_hand:ident $hand_path:literal $hand_name:ident;)* }) => {
        impl Client {
            $(
                $(#[doc = $doc])*
                ///
                #[doc = concat!("`", stringify!($method), " ", $path, "`")]
                ///
                /// # Errors
                /// [`Error`].
                pub async fn $name(
                    &self,
                    $($place: &str,)*
                    $(query: &$query,)?
                    $(body: &$body,)?
                    $($tag: Option<&str>,)?
                ) -> Result<$answer, Error> {
                    let call = self.call(Method::$method, $path, &[$($place),*], Repeat::$repeat)?;
                    $(let call = call.query::<$query>(query)?;)?
                    $(let call = call.json::<$body>(body)?;)?
                    $(let call = call.if_match($tag)?;)?
                    self.$read(call).await
                }
            )*
        }

        #[cfg(feature = "blocking")]
        impl crate::blocking::Client {
            $(
                $(#[doc = $doc])*
                ///
                #[doc = concat!("`", stringify!($method), " ", $path, "`")]
                ///
                /// # Errors
                /// [`Error`].
                pub fn $name(
                    &self,
                    $($place: &str,)*
                    $(query: &$query,)?
                    $(body: &$body,)?
                    $($tag: Option<&str>,)?
                ) -> Result<$answer, Error> {
                    self.wait(self.client().$name(
                        $($place,)* $({ let _: &$query = query; query },)? $({ let _: &$body = body; body },)? $($tag,)?
                    ))
                }
            )*
        }

        /// Every operation: method, path and name.
        #[cfg(test)]
        const OPERATIONS: &[(&str, &str, &str)] = &[
            $((stringify!($method), $path, stringify!($name)),)*
            $((stringify!($by_hand), $hand_path, stringify!($hand_name)),)*
        ];

        // What is written by hand is there, in both forms.
        #[cfg(test)]
        const _: () = {
            $(let _ = Client::$hand_name;)*
            #[cfg(feature = "blocking")]
            { $(let _ = crate::blocking::Client::$hand_name;)* }
        };
    };
}

operations! {
    table {
        /// A request.
        Read GET "/api/v1/customer/request/{request_id}"
            get_request(request_id) => data Item;
        /// The messages of a request, oldest first.
        Read GET "/api/v1/customer/request/{request_id}/messages"
            list_request_messages(request_id) => data Vec<MessageItem>;
        /// Queues one more message of a request. Never repeated where it may have been done.
        Once POST "/api/v1/customer/request/{request_id}/resend"
            resend_request_message(request_id) body ResendBody, => data MessageItem;
        /// Stops the message of a request while it is queued.
        Once POST "/api/v1/customer/request/{request_id}/cancel"
            cancel_request_message(request_id) => data MessageItem;
        /// A page of what a customer wrote back about a request; [`Client::request_replies`] is all of it.
        Read GET "/api/v1/customer/request/{request_id}/replies"
            list_request_replies(request_id) query ReplyListQuery, => data RepliesData;
        /// A page of a dealer's requests; [`Client::dealer_requests`] is all of them.
        Read GET "/api/v1/customer/dealer/{dealer_id}/requests"
            list_dealer_requests(dealer_id) query ListQuery, => data ListData;
        /// A dealer's requests as CSV, of any number.
        Read GET "/api/v1/customer/dealer/{dealer_id}/requests.csv"
            export_dealer_requests_csv(dealer_id) query ExportQuery, => download Download;
        /// A dealer's requests as an Excel workbook, at most 100,000.
        Read GET "/api/v1/customer/dealer/{dealer_id}/requests.xlsx"
            export_dealer_requests_xlsx(dealer_id) query ExportQuery, => download Download;
        /// Counts and durations of a dealer's requests over time.
        Read GET "/api/v1/customer/dealer/{dealer_id}/analytics"
            get_dealer_analytics(dealer_id) query AnalyticsQuery, => data AnalyticsData;
        /// The same over all dealers.
        Read GET "/api/v1/customer/analytics"
            get_analytics() query AnalyticsQuery, => data AnalyticsData;
        /// A dealer and its counts.
        Read GET "/api/v1/customer/dealer/{dealer_id}/stats"
            get_dealer_stats(dealer_id) query RangeQuery, => data StatsData;
        /// What waits to be sent for a dealer, and until when.
        Read GET "/api/v1/customer/dealer/{dealer_id}/queue"
            get_dealer_queue(dealer_id) => data QueueData;
        /// A page of what customers wrote back to a dealer; [`Client::dealer_replies`] is all of it.
        Read GET "/api/v1/customer/dealer/{dealer_id}/replies"
            list_dealer_replies(dealer_id) query ReplyListQuery, => data RepliesData;
        /// A page of phones that get no messages of a dealer; [`Client::dealer_opt_outs`] is all of them.
        Read GET "/api/v1/customer/dealer/{dealer_id}/opt-outs"
            list_dealer_opt_outs(dealer_id) query ReplyListQuery, => data OptOutsData;
        /// Opts a phone out of a dealer's messages; one that is opted out stays as it is.
        Safe POST "/api/v1/customer/dealer/{dealer_id}/opt-outs"
            opt_out_phone(dealer_id) body OptOutBody, => data OptOutItem;
        /// Opts a phone in again.
        Once DELETE "/api/v1/customer/dealer/{dealer_id}/opt-outs/{phone}"
            opt_in_phone(dealer_id phone) => nothing ();
        /// A page of a dealer's endpoints of event webhooks.
        Read GET "/api/v1/customer/dealer/{dealer_id}/endpoints"
            list_dealer_endpoints(dealer_id) query ReplyListQuery, => data EndpointsData;
        /// Makes an endpoint of a dealer, whose secret is told this once. Never repeated where it may have been done.
        Once POST "/api/v1/customer/dealer/{dealer_id}/endpoints"
            create_dealer_endpoint(dealer_id) body NewEndpointBody, => data MadeEndpointData;
        /// Changes an endpoint of a dealer: what is absent stays.
        Safe PATCH "/api/v1/customer/dealer/{dealer_id}/endpoints/{endpoint_id}"
            change_dealer_endpoint(dealer_id endpoint_id) body EndpointChangeBody, => data EndpointItem;
        /// Removes an endpoint of a dealer with its deliveries.
        Once DELETE "/api/v1/customer/dealer/{dealer_id}/endpoints/{endpoint_id}"
            remove_dealer_endpoint(dealer_id endpoint_id) => nothing ();
        /// Queues a test event for an endpoint of a dealer.
        Once POST "/api/v1/customer/dealer/{dealer_id}/endpoints/{endpoint_id}/test"
            test_dealer_endpoint(dealer_id endpoint_id) => data DeliveryItem;
        /// A page of what became of the deliveries to an endpoint of a dealer.
        Read GET "/api/v1/customer/dealer/{dealer_id}/endpoints/{endpoint_id}/deliveries"
            list_dealer_deliveries(dealer_id endpoint_id) query ReplyListQuery, => data DeliveriesData;
        /// Makes a delivery to an endpoint of a dealer once more, at once.
        Once POST "/api/v1/customer/dealer/{dealer_id}/endpoints/{endpoint_id}/deliveries/{delivery_id}/retry"
            retry_dealer_delivery(dealer_id endpoint_id delivery_id) => data DeliveryItem;
        /// A page of head office's endpoints, which are told about all dealers.
        Read GET "/api/v1/admin/endpoints"
            list_endpoints() query ReplyListQuery, => data EndpointsData;
        /// Makes an endpoint of head office, whose secret is told this once. Never repeated where it may have been done.
        Once POST "/api/v1/admin/endpoints"
            create_endpoint() body NewEndpointBody, => data MadeEndpointData;
        /// Changes an endpoint of head office: what is absent stays.
        Safe PATCH "/api/v1/admin/endpoints/{endpoint_id}"
            change_endpoint(endpoint_id) body EndpointChangeBody, => data EndpointItem;
        /// Removes an endpoint of head office with its deliveries.
        Once DELETE "/api/v1/admin/endpoints/{endpoint_id}"
            remove_endpoint(endpoint_id) => nothing ();
        /// Queues a test event for an endpoint of head office.
        Once POST "/api/v1/admin/endpoints/{endpoint_id}/test"
            test_endpoint(endpoint_id) => data DeliveryItem;
        /// A page of what became of the deliveries to an endpoint of head office.
        Read GET "/api/v1/admin/endpoints/{endpoint_id}/deliveries"
            list_deliveries(endpoint_id) query ReplyListQuery, => data DeliveriesData;
        /// Makes a delivery to an endpoint of head office once more, at once.
        Once POST "/api/v1/admin/endpoints/{endpoint_id}/deliveries/{delivery_id}/retry"
            retry_delivery(endpoint_id delivery_id) => data DeliveryItem;
        /// Asks Fonnte for the state of a dealer's account, or sends a real test message.
        Once POST "/api/v1/customer/dealer/{dealer_id}/test-whatsapp"
            test_dealer_whatsapp(dealer_id) body TestBody, => plain TestReply;
        /// What each name means for a dealer's messages.
        Read GET "/api/v1/customer/dealer/{dealer_id}/templates"
            list_dealer_templates(dealer_id) => data Vec<TemplateItem>;
        /// Tries a text out for a dealer; stores nothing.
        Read POST "/api/v1/customer/dealer/{dealer_id}/templates/preview"
            preview_dealer_template(dealer_id) body PreviewBody, => data PreviewData;
        /// A dealer's template with its versions.
        Read GET "/api/v1/customer/dealer/{dealer_id}/templates/{name}"
            get_dealer_template(dealer_id name) => tagged Tagged<TemplateData>;
        /// Saves a dealer's template as a new version; with a tag only over that one, else it is a conflict.
        Safe PUT "/api/v1/customer/dealer/{dealer_id}/templates/{name}"
            save_dealer_template(dealer_id name) body TemplateBody, tag if_match,
            => tagged Tagged<SavedTemplateData>;
        /// Goes back to the shared or built-in template of that name; none where there is none.
        Once DELETE "/api/v1/customer/dealer/{dealer_id}/templates/{name}"
            remove_dealer_template(dealer_id name) tag if_match, => data Option<TemplateData>;
        /// Reports the state of a message, as Fonnte does.
        Safe POST "/api/v1/webhooks/fonnte/{token}/status"
            report_message_status(token) body StatusReportBody, => plain ReportReply;
        /// Reports the state of a device, as Fonnte does.
        Safe POST "/api/v1/webhooks/fonnte/{token}/device"
            report_device_status(token) body DeviceReportBody, => plain ReportReply;
        /// Reports what a customer wrote back, as Fonnte does.
        Safe POST "/api/v1/webhooks/fonnte/{token}/message"
            report_message(token) body MessageReportBody, => plain ReportReply;
        /// A page of dealers; [`Client::dealers`] is all of them.
        Read GET "/api/v1/admin/dealers"
            list_dealers() query PageQuery, => data DealerListData;
        /// A dealer with its settings.
        Read GET "/api/v1/admin/dealers/{dealer_id}"
            get_dealer(dealer_id) => data DealerItem;
        /// Changes a dealer's settings: what is absent stays, null removes.
        Safe PATCH "/api/v1/admin/dealers/{dealer_id}/settings"
            change_dealer_settings(dealer_id) body SettingsBody, => data DealerItem;
        /// Head office's templates, and the built-in one.
        Read GET "/api/v1/admin/templates"
            list_shared_templates() => data Vec<TemplateItem>;
        /// Tries a text out for all dealers; stores nothing.
        Read POST "/api/v1/admin/templates/preview"
            preview_shared_template() body PreviewBody, => data PreviewData;
        /// A template of head office with its versions.
        Read GET "/api/v1/admin/templates/{name}"
            get_shared_template(name) => tagged Tagged<TemplateData>;
        /// Saves a template for all dealers; with a tag only over that one, else it is a conflict.
        Safe PUT "/api/v1/admin/templates/{name}"
            save_shared_template(name) body TemplateBody, tag if_match,
            => tagged Tagged<SavedTemplateData>;
        /// Goes back to the built-in template of that name; none where there is none.
        Once DELETE "/api/v1/admin/templates/{name}"
            remove_shared_template(name) tag if_match, => data Option<TemplateData>;
        /// The API keys, without their secrets.
        Read GET "/api/v1/admin/api-keys"
            list_api_keys() => data Vec<KeyItem>;
        /// Makes an API key, which is shown this once. Never repeated where it may have been done.
        Once POST "/api/v1/admin/api-keys"
            create_api_key() body NewKeyBody, => data MadeKeyData;
        /// Revokes an API key; one that is revoked stays so.
        Safe DELETE "/api/v1/admin/api-keys/{key_id}"
            revoke_api_key(key_id) => data KeyItem;
        /// A page of the audit; [`Client::audit`] is all of it.
        Read GET "/api/v1/admin/audit"
            list_audit() query AuditQuery, => data AuditData;
        /// Erases a person.
        Safe POST "/api/v1/admin/erasure"
            erase_person() body ErasureBody, => data ErasureData;
        /// A page of what is stored about a person; [`Client::person`] is all of it.
        Read POST "/api/v1/admin/export"
            export_person() body ExportBody, => data ExportData;
        /// That the process answers.
        Read GET "/api/v1/health"
            get_health() => plain HealthReply;
        /// The health of every part. That it is bad is an answer, too: look at `status`.
        Read GET "/api/v1/health/detailed"
            get_detailed_health() => health DetailedHealthReply;
        /// That the process lives.
        Read GET "/api/v1/health/live"
            get_liveness() => plain HealthReply;
        /// Whether the service can do its work. That it cannot is an answer, too: look at `status`.
        Read GET "/api/v1/health/ready"
            get_readiness() => health DetailedHealthReply;
        /// What this is.
        Read GET "/"
            get_root() => plain RootReply;
        /// The metrics, as Prometheus reads them.
        Read GET "/metrics"
            get_metrics() => text String;
        /// The page of the documentation.
        Read GET "/docs"
            get_docs() => text String;
        /// The OpenAPI document.
        Read GET "/openapi.json"
            get_openapi() => plain Value;
    }
    by hand {
        POST "/api/v1/customer/validate-customer" validate_customer;
        POST "/api/v1/customer/validate-customers" validate_customers;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The document as the service publishes it.
    const DOCUMENT: &str = include_str!("../../api/tests/it/openapi.golden.json");

    #[test]
    fn every_operation_of_the_document_is_a_method_and_no_other() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let mut documented = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            let operations = item.as_object().unwrap().iter();
            for (method, operation) in operations {
                let Some(name) = operation["operationId"].as_str() else {
                    continue;
                };
                documented.insert((method.to_uppercase(), path.clone(), name.to_owned()));
            }
        }
        let ours = OPERATIONS.iter().map(|(method, path, name)| {
            ((*method).to_owned(), (*path).to_owned(), (*name).to_owned())
        });
        let ours: BTreeSet<_> = ours.collect();
        let missing: Vec<_> = documented.difference(&ours).collect();
        let unknown: Vec<_> = ours.difference(&documented).collect();
        assert!(missing.is_empty(), "without a method: {missing:#?}");
        assert!(unknown.is_empty(), "not in the document: {unknown:#?}");
        assert_eq!(ours.len(), OPERATIONS.len());
    }
}
