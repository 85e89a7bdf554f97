// Generated from the migrated database; do not edit. Made anew by
// `UPDATE_GOLDEN=1 cargo run -p local-postgres -- exec -- cargo test -p store-postgres --test it schema::`.

diesel::table! {
    api_key (id) {
        id -> Text,
        name -> Text,
        print -> Binary,
        dealer_id -> Nullable<Varchar>,
        scopes -> Array<Text>,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    audit (id) {
        id -> BigInt,
        at -> Timestamptz,
        actor -> Text,
        key_id -> Nullable<Text>,
        action -> Text,
        dealer_id -> Nullable<Varchar>,
        request_id -> Nullable<Text>,
        detail -> Text,
    }
}

diesel::table! {
    console_session (print) {
        print -> Binary,
        key_id -> Text,
        ends_at -> Timestamptz,
    }
}

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
        no_pol_normal -> Nullable<Varchar>,
        newest_message_id -> Nullable<Uuid>,
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
        updated_at -> Timestamptz,
        fonnte_api_key -> Nullable<Text>,
        webhook_secret -> Nullable<Text>,
        default_template -> Nullable<Text>,
        opt_out_reply -> Nullable<Bool>,
        quota_low_at -> Nullable<Integer>,
    }
}

diesel::table! {
    dealer_webhook (dealer_id) {
        dealer_id -> Varchar,
        token -> Text,
        token_print -> Binary,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    dealer_integration.dealers (id) {
        id -> Uuid,
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
    endpoint (id) {
        id -> Uuid,
        dealer_id -> Varchar,
        slot -> SmallInt,
        url -> Text,
        secret -> Text,
        events -> Array<Text>,
        note -> Nullable<Text>,
        created_at -> Timestamptz,
        removed_at -> Nullable<Timestamptz>,
        disabled_at -> Nullable<Timestamptz>,
        alive_at -> Timestamptz,
        failures -> Integer,
        epoch -> BigInt,
        leased_at -> Nullable<Timestamptz>,
        lease_until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    event (place) {
        place -> BigInt,
        id -> Uuid,
        kind -> Text,
        dealer_id -> Varchar,
        created_at -> Timestamptz,
        subject -> Nullable<Uuid>,
        data -> Json,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    event_delivery (place) {
        place -> BigInt,
        id -> Uuid,
        endpoint_id -> Uuid,
        event_place -> BigInt,
        created_at -> Timestamptz,
        state -> Text,
        due_at -> Timestamptz,
        asked_at -> Nullable<Timestamptz>,
        failed -> Integer,
        attempts -> Jsonb,
    }
}

diesel::table! {
    idempotency_key (dealer_id, key) {
        dealer_id -> Varchar,
        key -> Varchar,
        body_print -> Binary,
        request_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    lane (dealer_id) {
        dealer_id -> Varchar,
        epoch -> BigInt,
        holder -> Nullable<Uuid>,
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
        calls -> Integer,
        calls_on -> Nullable<Date>,
        last_provider_id -> Nullable<BigInt>,
        rest_ended_at -> Nullable<Timestamptz>,
        aging_from -> Nullable<Timestamptz>,
        suspect_id -> Nullable<Uuid>,
        unaccounted -> Integer,
        last_sent_at -> Nullable<Timestamptz>,
        quota_left -> Nullable<BigInt>,
        quota_at -> Nullable<Timestamptz>,
        expires_on -> Nullable<Date>,
        profile_due_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    message (id) {
        id -> Uuid,
        request_id -> Uuid,
        dealer_id -> Varchar,
        kind -> Text,
        priority -> SmallInt,
        state -> Text,
        template -> Text,
        body -> Text,
        target -> Varchar,
        due_at -> Timestamptz,
        next_try_at -> Timestamptz,
        created_at -> Timestamptz,
        sent_at -> Nullable<Timestamptz>,
        failed_at -> Nullable<Timestamptz>,
        unknowns -> Integer,
        awaited -> Bool,
        provider_id -> Nullable<Text>,
        provider_request_id -> Nullable<BigInt>,
        reason -> Nullable<Text>,
        attempts -> Jsonb,
        provider_state_id -> Nullable<Text>,
        delivered_at -> Nullable<Timestamptz>,
        read_at -> Nullable<Timestamptz>,
        http_request_id -> Nullable<Text>,
        traceparent -> Nullable<Text>,
        template_version -> Nullable<Integer>,
        variables -> Nullable<Jsonb>,
    }
}

diesel::table! {
    message_seconds (dealer_id, request_date, measure) {
        dealer_id -> Varchar,
        request_date -> Date,
        measure -> Text,
        seconds -> Array<Integer>,
        messages -> Array<Integer>,
    }
}

diesel::table! {
    message_seconds_change (dealer_id) {
        dealer_id -> Varchar,
        request_date -> Date,
        measure -> Text,
        seconds -> Integer,
        messages -> Integer,
    }
}

diesel::table! {
    opt_out (place) {
        place -> BigInt,
        dealer_id -> Varchar,
        phone -> Nullable<Varchar>,
        phone_print -> Nullable<Binary>,
        opted_out -> Bool,
        origin -> Text,
        note -> Nullable<Text>,
        changed_at -> Timestamptz,
        said_at -> Timestamptz,
    }
}

diesel::table! {
    opt_out_confirmation (id) {
        id -> BigInt,
        dealer_id -> Varchar,
        phone -> Varchar,
        opted_out -> Bool,
        due_at -> Timestamptz,
        next_try_at -> Timestamptz,
    }
}

diesel::table! {
    opt_out_key (key) {
        key -> Binary,
    }
}

diesel::table! {
    reply (place) {
        place -> BigInt,
        id -> Uuid,
        dealer_id -> Varchar,
        received_at -> Timestamptz,
        phone -> Varchar,
        name -> Nullable<Text>,
        text -> Nullable<Text>,
        request_id -> Nullable<Uuid>,
        print -> Binary,
    }
}

diesel::table! {
    request_count (dealer_id, request_date, request_status, whatsapp_status) {
        dealer_id -> Varchar,
        request_date -> Date,
        request_status -> Varchar,
        whatsapp_status -> Varchar,
        rows -> BigInt,
    }
}

diesel::table! {
    request_count_change (dealer_id) {
        dealer_id -> Varchar,
        request_date -> Date,
        request_status -> Varchar,
        whatsapp_status -> Varchar,
        rows -> BigInt,
    }
}

diesel::table! {
    template (dealer_id, name) {
        dealer_id -> Varchar,
        name -> Varchar,
        version -> Integer,
        body -> Text,
        author -> Text,
        created_at -> Timestamptz,
        removed -> Bool,
    }
}

diesel::table! {
    template_version (dealer_id, name, version) {
        dealer_id -> Varchar,
        name -> Varchar,
        version -> Integer,
        body -> Text,
        author -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    webhook_event (id) {
        id -> BigInt,
        dealer_id -> Varchar,
        received_at -> Timestamptz,
        body -> Text,
        about -> Text,
        connected -> Nullable<Bool>,
        provider_id -> Nullable<Text>,
        state_id -> Nullable<Text>,
        seen -> Nullable<Text>,
        reason -> Nullable<Text>,
        message_id -> Nullable<Uuid>,
        next_look_at -> Nullable<Timestamptz>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    api_key,
    audit,
    console_session,
    customer_validation_request,
    dealer_settings,
    dealer_webhook,
    dealers,
    endpoint,
    event,
    event_delivery,
    idempotency_key,
    lane,
    message,
    message_seconds,
    message_seconds_change,
    opt_out,
    opt_out_confirmation,
    opt_out_key,
    reply,
    request_count,
    request_count_change,
    template,
    template_version,
    webhook_event,
);
