//! The tables as Diesel sees them. A test compares them with the migrated database.

diesel::table! {
    customer_validation_request (id) {
        id -> Uuid,
        dealer_id -> Varchar,
        request_date -> Date,
        request_time -> Time,
        nama_pembawa -> Varchar,
        no_telp -> Varchar,
        tipe_unit -> Varchar,
        no_pol -> Varchar,
        request_status -> Nullable<Varchar>,
        whatsapp_status -> Nullable<Varchar>,
        fonnte_response -> Nullable<Json>,
        created_by -> Nullable<Varchar>,
        created_date -> Nullable<Timestamp>,
        last_modified_by -> Nullable<Varchar>,
        last_modified_date -> Nullable<Timestamp>,
    }
}

diesel::table! {
    // Only the columns that are ours to read: the others hold secrets of other services.
    dealer_integration.dealers (dealer_id) {
        dealer_id -> Varchar,
        dealer_name -> Varchar,
        fonnte_api_key -> Nullable<Varchar>,
        fonnte_api_url -> Nullable<Varchar>,
        is_active -> Nullable<Bool>,
        created_at -> Nullable<Timestamp>,
        updated_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    lane (dealer_id) {
        dealer_id -> Varchar,
        lease_until -> Nullable<Timestamptz>,
        message_id -> Nullable<Uuid>,
        ready_at -> Timestamptz,
        strikes -> Integer,
        blocks -> Integer,
        blocked_since -> Nullable<Timestamptz>,
        block_reason -> Nullable<Text>,
        account_print -> Nullable<Text>,
        probed -> Bool,
        rest_until -> Nullable<Timestamptz>,
        quota_left -> Nullable<BigInt>,
        quota_at -> Nullable<Timestamptz>,
        expires_on -> Nullable<Date>,
    }
}

diesel::table! {
    message (id) {
        id -> Uuid,
        request_id -> Uuid,
        dealer_id -> Varchar,
        state -> Text,
        due_at -> Timestamptz,
        next_try_at -> Timestamptz,
    }
}

diesel::table! {
    dealer_settings (dealer_id) {
        dealer_id -> Varchar,
        fonnte_api_url -> Nullable<Text>,
        min_interval_ms -> Nullable<BigInt>,
        jitter_ms -> Nullable<BigInt>,
        daily_limit -> Nullable<Integer>,
        quiet_from -> Nullable<Time>,
        quiet_to -> Nullable<Time>,
        on_unknown -> Nullable<Text>,
        exclusive_device -> Bool,
        fonnte_api_key -> Nullable<Text>,
        webhook_secret -> Nullable<Text>,
        default_template -> Nullable<Text>,
    }
}

diesel::table! {
    dealer_webhook (dealer_id) {
        dealer_id -> Varchar,
        token -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(dealers, dealer_settings, dealer_webhook, lane);
diesel::allow_tables_to_appear_in_same_query!(customer_validation_request, message);
