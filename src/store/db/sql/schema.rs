//! The tables of both databases, kept by hand; the parity test compares them with what the migrations make.

use diesel::table;

table! {
    use diesel::sql_types::*;

    instance (id) {
        id -> Integer,
        epoch -> Text,
        signing_key -> Nullable<Text>,
        workspace_count -> BigInt,
        derived_revision -> Integer,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    users (id) {
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        email -> Text,
        email_key -> Text,
        name -> Text,
        password_hash -> Text,
        time_zone -> Text,
        locale -> Text,
        week_starts_on -> Text,
        notify_at -> Integer,
        email_digest -> Bool,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    workspaces (id) {
        id -> Id,
        number -> BigInt,
        name -> Text,
        time_zone -> Text,
        seq -> BigInt,
        purged_seq -> BigInt,
        created_at -> Instant,
        tier_cadences -> Json,
        record_count -> BigInt,
        kept_reply_bytes -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    memberships (workspace_id, user_id) {
        workspace_id -> Id,
        user_id -> Id,
        role -> Text,
        created_at -> Instant,
        notify_next_at -> Instant,
        notified_on -> Nullable<Text>,
        notifications_version -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    sessions (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        user_id -> Id,
        created_at -> Instant,
        last_used_at -> Instant,
        expires_at -> Instant,
        user_agent -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    refresh_tokens (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        session_id -> Id,
        token_hash -> Binary,
        created_at -> Instant,
        spent_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    personal_access_tokens (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        user_id -> Id,
        name -> Text,
        token_hash -> Binary,
        hint -> Text,
        scopes -> Json,
        created_at -> Instant,
        expires_at -> Nullable<Instant>,
        last_used_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    calendar_feeds (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        user_id -> Id,
        name -> Text,
        secret_hash -> Binary,
        contents -> Json,
        created_at -> Instant,
        expires_at -> Nullable<Instant>,
        last_read_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    idempotency_keys (workspace_id, user_id, key) {
        workspace_id -> Id,
        user_id -> Id,
        key -> Text,
        fingerprint -> Binary,
        status -> Integer,
        entity -> Nullable<Text>,
        record_id -> Nullable<Id>,
        created_at -> Instant,
        version -> Nullable<BigInt>,
        write_seq -> Nullable<BigInt>,
        reply -> Nullable<Binary>,
        scopes -> Json,
        bytes -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    changes (workspace_id, seq) {
        workspace_id -> Id,
        seq -> BigInt,
        write_seq -> BigInt,
        entity -> Text,
        record_id -> Id,
        op -> Text,
        actor_user_id -> Nullable<Id>,
        actor_token_id -> Nullable<Id>,
        at -> Instant,
        fields -> Json,
        before -> Nullable<Json>,
        merged_into_id -> Nullable<Id>,
        actor_job -> Nullable<Text>,
        is_newest -> Bool,
        actor_session_id -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::Id;

    record_keys (workspace_id, entity, kind, value, record_id) {
        workspace_id -> Id,
        entity -> Text,
        kind -> Text,
        value -> Text,
        record_id -> Id,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::Id;

    search_documents (document_id) {
        document_id -> BigInt,
        workspace_id -> Id,
        entity -> Text,
        record_id -> Id,
        title -> Text,
        tokens -> Text,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    contacts (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        is_self -> Bool,
        name -> Text,
        sort_key -> Text,
        given_name -> Nullable<Text>,
        family_name -> Nullable<Text>,
        name_parts -> Json,
        profile -> Json,
        about -> Nullable<Text>,
        notes -> Nullable<Text>,
        emails -> Json,
        phones -> Json,
        links -> Json,
        addresses -> Json,
        dates -> Json,
        how_met -> Nullable<Json>,
        introduced_by_id -> Nullable<Id>,
        met_event_id -> Nullable<Id>,
        known -> Bool,
        tier -> Nullable<Text>,
        cadence -> Nullable<Json>,
        tags -> Json,
        favorite -> Bool,
        archived_at -> Nullable<Instant>,
        do_not_contact -> Bool,
        cadence_since -> Nullable<Text>,
        last_interaction_key -> Text,
        next_contact_key -> Text,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    organizations (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        name -> Text,
        sort_key -> Text,
        aliases -> Json,
        domain -> Nullable<Text>,
        website -> Nullable<Text>,
        kind -> Nullable<Text>,
        industry -> Nullable<Text>,
        size -> Nullable<Text>,
        location -> Nullable<Text>,
        parent_id -> Nullable<Id>,
        links -> Json,
        interest -> Nullable<Integer>,
        why -> Nullable<Text>,
        notes -> Nullable<Text>,
        tags -> Json,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    positions (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        contact_id -> Id,
        organization_id -> Nullable<Id>,
        organization_name -> Nullable<Text>,
        title -> Nullable<Text>,
        department -> Nullable<Text>,
        kind -> Text,
        started_on -> Nullable<Text>,
        ended_on -> Nullable<Text>,
        is_primary -> Bool,
        source -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    relationships (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        contact_id -> Id,
        related_contact_id -> Id,
        kind -> Text,
        started_on -> Nullable<Text>,
        ended_on -> Nullable<Text>,
        notes -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    needs (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        contact_id -> Id,
        kind -> Text,
        topic -> Text,
        detail -> Nullable<Text>,
        status -> Text,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    tags (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        name -> Text,
        sort_key -> Text,
        color -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    duplicate_dismissals (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        contact_id -> Nullable<Id>,
        other_contact_id -> Nullable<Id>,
        organization_id -> Nullable<Id>,
        other_organization_id -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    events (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        title -> Text,
        kind -> Text,
        all_day -> Bool,
        starts_at -> Nullable<Instant>,
        ends_at -> Nullable<Instant>,
        starts_on -> Nullable<Text>,
        ends_on -> Nullable<Text>,
        time_zone -> Nullable<Text>,
        details -> Json,
        starts_sort -> Instant,
        ends_sort -> Instant,
        organizer_organization_id -> Nullable<Id>,
        parent_id -> Nullable<Id>,
        status -> Text,
        cancelled_at -> Nullable<Instant>,
        goal_ids -> Json,
        pitch_id -> Nullable<Id>,
        objectives -> Json,
        checklist -> Json,
        role -> Text,
        participation -> Text,
        debrief -> Nullable<Json>,
        tags -> Json,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::Id;

    event_goals (workspace_id, event_id, goal_id) {
        workspace_id -> Id,
        event_id -> Id,
        goal_id -> Id,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    event_people (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        event_id -> Id,
        contact_id -> Nullable<Id>,
        role -> Text,
        priority -> Integer,
        why -> Nullable<Text>,
        research -> Nullable<Text>,
        talking_points -> Json,
        questions -> Json,
        stage -> Text,
        met_at -> Nullable<Instant>,
        note -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    interactions (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        contact_ids -> Json,
        kind -> Text,
        status -> Text,
        direction -> Text,
        occurred_at -> Nullable<Instant>,
        occurred_on -> Nullable<Text>,
        sorted_at -> Instant,
        duration_minutes -> Nullable<Integer>,
        channel -> Nullable<Text>,
        subject -> Nullable<Text>,
        body -> Nullable<Text>,
        location -> Nullable<Text>,
        url -> Nullable<Text>,
        quality -> Nullable<Integer>,
        counts -> Nullable<Bool>,
        is_counted -> Bool,
        status_reason -> Nullable<Text>,
        goal_ids -> Json,
        event_id -> Nullable<Id>,
        post_id -> Nullable<Id>,
        community_id -> Nullable<Id>,
        url_platform -> Nullable<Text>,
        is_engagement -> Bool,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::Id;

    interaction_contacts (workspace_id, interaction_id, contact_id) {
        workspace_id -> Id,
        interaction_id -> Id,
        contact_id -> Id,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::Id;

    interaction_goals (workspace_id, interaction_id, goal_id) {
        workspace_id -> Id,
        interaction_id -> Id,
        goal_id -> Id,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    contact_activities (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        contact_id -> Id,
        last_interaction_on -> Nullable<Text>,
        interaction_count -> BigInt,
        next_contact_on -> Nullable<Text>,
        interval_days -> Nullable<BigInt>,
        due_day -> Nullable<BigInt>,
        soon_day -> Nullable<BigInt>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    timeline_entries (workspace_id, subject_id, kind, sorted_at, record_id) {
        workspace_id -> Id,
        subject_id -> Id,
        kind -> Text,
        sorted_at -> Instant,
        record_id -> Id,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    operations (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        kind -> Text,
        state -> Text,
        user_id -> Nullable<Id>,
        token_id -> Nullable<Id>,
        write_seq -> BigInt,
        work -> Json,
        position -> Json,
        done -> BigInt,
        total -> BigInt,
        changed -> BigInt,
        left_alone -> Json,
        left_alone_total -> BigInt,
        error -> Nullable<Json>,
        cancel_requested -> Bool,
        created_at -> Instant,
        updated_at -> Instant,
        finished_at -> Nullable<Instant>,
        session_id -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    jobs (id) {
        id -> Id,
        kind -> Text,
        workspace_id -> Nullable<Id>,
        payload -> Json,
        unique_key -> Nullable<Text>,
        state -> Text,
        run_at -> Instant,
        attempts -> Integer,
        max_attempts -> Integer,
        lease_holder -> Nullable<Id>,
        lease_until -> Nullable<Instant>,
        last_error -> Nullable<Text>,
        created_at -> Instant,
        finished_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    follow_ups (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        title -> Text,
        body -> Nullable<Text>,
        contact_ids -> Json,
        organization_id -> Nullable<Id>,
        kind -> Text,
        owed_by -> Text,
        due_on -> Nullable<Text>,
        due_sort -> Text,
        due_time -> Nullable<Text>,
        priority -> Integer,
        channel -> Nullable<Text>,
        status -> Text,
        status_reason -> Nullable<Text>,
        snoozed_until -> Nullable<Text>,
        actionable_on -> Nullable<Text>,
        actionable_sort -> Text,
        completed_at -> Nullable<Instant>,
        recurrence -> Nullable<Json>,
        series_id -> Nullable<Id>,
        previous_id -> Nullable<Id>,
        outcome -> Nullable<Text>,
        origin -> Text,
        interaction_id -> Nullable<Id>,
        event_id -> Nullable<Id>,
        goal_id -> Nullable<Id>,
        target_id -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::Id;

    follow_up_contacts (workspace_id, follow_up_id, contact_id) {
        workspace_id -> Id,
        follow_up_id -> Id,
        contact_id -> Id,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    follow_up_plans (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        title -> Text,
        sort_key -> Text,
        steps -> Json,
        skip_weekends -> Bool,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    plan_runs (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        plan_id -> Nullable<Id>,
        built_in -> Nullable<Text>,
        title -> Text,
        contact_id -> Id,
        event_id -> Nullable<Id>,
        anchor_on -> Text,
        steps -> Json,
        skip_weekends -> Bool,
        position -> Integer,
        follow_up_id -> Nullable<Id>,
        status -> Text,
        status_reason -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    notifications (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        user_id -> Id,
        kind -> Text,
        subject_id -> Id,
        for_day -> Text,
        due_on -> Text,
        counts -> Nullable<Json>,
        created_at -> Instant,
        read_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    password_resets (token_hash) {
        token_hash -> Binary,
        user_id -> Id,
        expires_at -> Instant,
    }
}

diesel::allow_tables_to_appear_in_same_query!(users, memberships, workspaces, sessions, personal_access_tokens);
diesel::allow_tables_to_appear_in_same_query!(refresh_tokens, sessions);
diesel::allow_tables_to_appear_in_same_query!(memberships, calendar_feeds);

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    goals (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        title -> Text,
        why -> Nullable<Text>,
        desired_outcome -> Nullable<Text>,
        category -> Text,
        priority -> Integer,
        started_on -> Nullable<Text>,
        due_on -> Nullable<Text>,
        due_sort -> Text,
        personas -> Json,
        status -> Text,
        status_reason -> Nullable<Text>,
        achieved_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    key_results (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        goal_id -> Id,
        title -> Text,
        metric -> Text,
        unit -> Nullable<Text>,
        start_value -> Double,
        target_value -> Double,
        weight -> Double,
        filter -> Nullable<Json>,
        filter_organization_id -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    check_ins (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        key_result_id -> Id,
        checked_on -> Text,
        value -> Double,
        note -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    targets (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        goal_id -> Id,
        contact_id -> Nullable<Id>,
        organization_id -> Nullable<Id>,
        priority -> Integer,
        why -> Nullable<Text>,
        ask -> Nullable<Text>,
        offer -> Nullable<Text>,
        opening -> Nullable<Json>,
        stage -> Text,
        status_reason -> Nullable<Text>,
        stage_changed_at -> Nullable<Instant>,
        changed_sort -> Instant,
        connected_at -> Nullable<Instant>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    pitches (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        title -> Text,
        audience -> Nullable<Text>,
        goal_id -> Nullable<Id>,
        hook -> Nullable<Text>,
        body -> Text,
        call_to_action -> Nullable<Text>,
        language -> Nullable<Text>,
        target_seconds -> Nullable<Integer>,
        spoken_seconds -> Integer,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    pitch_versions (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        pitch_id -> Id,
        number -> Integer,
        hook -> Nullable<Text>,
        body -> Text,
        call_to_action -> Nullable<Text>,
        language -> Nullable<Text>,
        spoken_seconds -> Integer,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    pitch_uses (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        pitch_id -> Id,
        used_on -> Text,
        contact_id -> Nullable<Id>,
        event_id -> Nullable<Id>,
        landed -> Nullable<Integer>,
        note -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    exchanges (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        contact_id -> Id,
        direction -> Text,
        kind -> Text,
        description -> Nullable<Text>,
        weight -> Integer,
        occurred_on -> Text,
        thanked_on -> Nullable<Text>,
        interaction_id -> Nullable<Id>,
        goal_id -> Nullable<Id>,
        origin -> Text,
        scaled_weight -> Double,
        resource_id -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    feedback (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        contact_id -> Id,
        kind -> Text,
        topic -> Text,
        body -> Nullable<Text>,
        status -> Text,
        status_reason -> Nullable<Text>,
        status_changed_at -> Nullable<Instant>,
        received_on -> Nullable<Text>,
        action -> Nullable<Text>,
        action_taken_on -> Nullable<Text>,
        reported_back_on -> Nullable<Text>,
        goal_id -> Nullable<Id>,
        pitch_id -> Nullable<Id>,
        exchange_id -> Nullable<Id>,
        follow_up_id -> Nullable<Id>,
        changed_sort -> Instant,
        is_open -> Bool,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant};

    introductions (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        contact_a_id -> Id,
        contact_b_id -> Id,
        introducer_id -> Nullable<Id>,
        introducer_name -> Nullable<Text>,
        direction -> Text,
        purpose -> Nullable<Text>,
        blurb -> Nullable<Text>,
        consent_a -> Text,
        consent_b -> Text,
        status -> Text,
        status_reason -> Nullable<Text>,
        made_on -> Nullable<Text>,
        outcome -> Nullable<Text>,
        goal_id -> Nullable<Id>,
        exchange_a_id -> Nullable<Id>,
        exchange_b_id -> Nullable<Id>,
        introducer_exchange_id -> Nullable<Id>,
        follow_up_a_id -> Nullable<Id>,
        follow_up_b_id -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    resources (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        title -> Text,
        url -> Nullable<Text>,
        kind -> Text,
        topics -> Json,
        note -> Nullable<Text>,
        event_id -> Nullable<Id>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    communities (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        name -> Text,
        organization_id -> Nullable<Id>,
        platform -> Nullable<Text>,
        url -> Nullable<Text>,
        kind -> Text,
        purpose -> Nullable<Text>,
        status -> Text,
        status_reason -> Nullable<Text>,
        joined_on -> Nullable<Text>,
        target_posts_per_month -> Nullable<Integer>,
        goal_ids -> Json,
        contact_ids -> Json,
        sort_key -> Text,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::{Id, Instant, Json};

    posts (workspace_id, id) {
        workspace_id -> Id,
        id -> Id,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        platform -> Nullable<Text>,
        kind -> Text,
        title -> Nullable<Text>,
        body -> Nullable<Text>,
        url -> Nullable<Text>,
        topic -> Nullable<Text>,
        community_id -> Nullable<Id>,
        goal_id -> Nullable<Id>,
        status -> Text,
        status_reason -> Nullable<Text>,
        scheduled_on -> Nullable<Text>,
        published_at -> Nullable<Instant>,
        metrics -> Json,
        scheduled_sort -> Text,
        published_sort -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::Id;

    community_contacts (workspace_id, community_id, contact_id) {
        workspace_id -> Id,
        community_id -> Id,
        contact_id -> Id,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::store::db::sql::types::Id;

    community_goals (workspace_id, community_id, goal_id) {
        workspace_id -> Id,
        community_id -> Id,
        goal_id -> Id,
    }
}
