//! Notifications: what a member was told of, and which of it they have read.

use actix_web::HttpResponse;
use actix_web::http::Method;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::context::Context;
use super::http::messages::conditional::{check_if_none_match, seq_and_today};
use super::http::messages::page::Page;
use super::http::messages::problem::Problem;
use super::http::messages::response::{Response, of_outcome};
use super::http::operation::{Access, Docs, Exchange, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::collection::{DEFAULT_LIMIT, MAX_LIMIT};
use super::http::records::operations::PageOf;
use super::http::records::resource::Cards;
use crate::domain::card::ContactCard;
use crate::domain::contact::Contact;
use crate::domain::follow_up::FollowUp;
use crate::domain::id::{ContactId, NotificationId, WorkspaceId};
use crate::domain::invalid::{Invalid, Rejection};
use crate::domain::notification::{NotificationKind, NotificationReason};
use crate::domain::timestamp::Timestamp;
use crate::service::validation::check;
use crate::store::notifications::{self as stored, Notification};
use crate::store::notify_times::Recipient;
use crate::store::{AnyId, Conn, Predicate, Record, Reply, Result as StoreResult, Select, WriteContext};

/// A notification.
#[derive(Serialize, ToSchema)]
struct NotificationItem {
    /// The notification's id.
    id: NotificationId,
    kind: NotificationKind,
    /// The day that it is for, in the workspace's time zone.
    #[schema(value_type = String, format = Date, example = "2026-03-02")]
    on: NaiveDate,
    /// The day on which it fell due. Earlier than `on` if the server did not run on that day.
    #[schema(value_type = String, format = Date, example = "2026-03-02")]
    due_on: NaiveDate,
    reason: NotificationReason,
    /// The follow-up as it is now; it may be done by now. Null: it is about something else.
    follow_up: Option<FollowUp>,
    /// The contacts it is about.
    contacts: Vec<ContactCard>,
    /// When it was created.
    created_at: Timestamp,
    /// When it was marked as read. Null: it is unread.
    read_at: Option<Timestamp>,
}

/// Which notifications to mark as read: those in `ids`, and `up_to` with all older ones. At least one of the two is
/// required.
#[derive(Deserialize, ToSchema)]
struct ReadRequest {
    /// The notifications to mark.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 200)]
    ids: Option<Vec<NotificationId>>,
    /// The newest notification to mark; all older ones are marked too.
    #[serde(default)]
    up_to: Option<NotificationId>,
}

/// The number of notifications still unread.
#[derive(Serialize, ToSchema)]
struct Unread {
    /// The number of unread notifications.
    #[schema(minimum = 0, example = 3)]
    unread: i64,
}

pub fn operations() -> Vec<Operation> {
    let list = || {
        Docs::new("notifications", "List notifications")
            .description(
                "What you were told of, newest first. Once a day, at the hour `notify_at` in your time zone, you are \
                 notified of each follow-up whose day has come, each contact you are due to get in touch with, each \
                 birthday, and with a `digest` of all of it. Each thing is notified once for each day on which it \
                 falls due. A notification is deleted with its follow-up or contact, and restored with it. \
                 Notifications belong to you alone: other members have their own, and they are not part of `GET \
                 /v1/changes`.",
            )
            .parameters([
                Parameter::flag("unread", "Only unread ones."),
                Parameter::flag("count", "Whether to return `total`."),
                Parameter::cursor(),
                Parameter::limit("The maximum number of notifications on a page.", DEFAULT_LIMIT, MAX_LIMIT),
            ])
            .answer::<PageOf<NotificationItem>>(200, "A page.")
            .tagged(Tagged::View)
    };
    let mark = || {
        Docs::new("notifications", "Mark notifications as read")
            .description(
                "Marks the notifications in `ids`, and the one in `up_to` with all older ones. Notifications \
                 that are already read are left unchanged, and those in `ids` that no longer exist are ignored.",
            )
            .request::<ReadRequest>(json!({"ids": ["01939d5e-8c00-7000-8000-0000000000a1"]}))
            .answer::<Unread>(200, "The number of notifications still unread.")
    };
    let scopes = Access::Scopes(["contacts:read", "follow_ups:read"].map(Into::into).to_vec());
    let run = Run::Other(|exchange| Box::pin(read_notifications(exchange)));
    vec![
        Operation::new(
            Method::GET,
            "/v1/notifications",
            "list_notifications",
            scopes,
            Run::Read(list_notifications),
            list,
        ),
        // What a member has read is a matter of their account, so a viewer marks it too.
        Operation::new(
            Method::POST,
            "/v1/notifications/read",
            "read_notifications",
            Access::scope("account:write"),
            run,
            mark,
        ),
    ]
}

fn recipient(context: &Context) -> Recipient {
    Recipient { workspace: context.workspace(), user: context.caller.user }
}

fn list_notifications(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let (recipient, query, cursors) = (recipient(context), context.query(), &context.api.cursors);
    let Recipient { workspace, user } = recipient;
    let unread = query.flag("unread")?;
    let binding = format!("{workspace}{user}notifications?{unread}");
    let after = query.one("cursor")?.map(|cursor| cursors.open(&binding, &cursor)).transpose()?;
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let count = query.flag("count")?;
    // Read before the view itself, so that the tag is never newer than that.
    let version = stored::version(conn, recipient)?;
    let (seq, today) = seq_and_today(context, conn)?;
    let tag = context.api.etags.of_member(user, workspace, version, seq, today);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let mut found = stored::page(conn, recipient, unread, after, limit + 1)?;
    let length = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = found.len() > length;
    found.truncate(length);
    let last = found.last().filter(|_| has_more);
    let next = last.map(|last| cursors.seal(&binding, &last.id)).transpose()?;
    let items = items(conn, workspace, today, found)?;
    let total = if count { Some(stored::count(conn, recipient, unread)?) } else { None };
    Page { total, ..Page::of_records(context, &items, next.as_deref()) }.respond(context, &tag)
}

/// Notifications with what they are about, in a constant number of statements.
fn items(
    conn: &mut Conn,
    workspace: WorkspaceId,
    today: NaiveDate,
    found: Vec<Notification>,
) -> StoreResult<Vec<NotificationItem>> {
    let of_kind = |is_follow_up: bool| {
        let own = found.iter().filter(move |notification| match notification.kind {
            NotificationKind::FollowUpDue => is_follow_up,
            NotificationKind::ContactDue | NotificationKind::Birthday => !is_follow_up,
            NotificationKind::Digest => false,
        });
        own.map(|notification| notification.subject)
    };
    let follow_ups = FollowUp::select(conn, Select::all(workspace, Predicate::ids(of_kind(true))))?;
    let follow_ups: BTreeMap<AnyId, FollowUp> =
        follow_ups.into_iter().map(|follow_up| (Record::id(&follow_up), follow_up)).collect();
    let named = follow_ups.values().flat_map(|follow_up| &follow_up.fields.contact_ids);
    let people = Predicate::ids(named.map(|id| AnyId::new(id.uuid())).chain(of_kind(false)));
    let people = Contact::select(conn, Select::all(workspace, people))?;
    let cards: BTreeMap<ContactId, ContactCard> =
        Contact::cards(conn, workspace, &people, today)?.into_iter().map(|card| (card.id, card)).collect();
    Ok(found.into_iter().filter_map(|notification| item(notification, &follow_ups, &cards)).collect())
}

fn item(
    notification: Notification,
    follow_ups: &BTreeMap<AnyId, FollowUp>,
    cards: &BTreeMap<ContactId, ContactCard>,
) -> Option<NotificationItem> {
    let Notification { id, kind, subject, on, due_on, counts, created_at, read_at } = notification;
    let days = (due_on - on).num_days();
    let contact = || cards.get(&ContactId::new(subject.uuid())).cloned();
    let (reason, follow_up, contacts) = match kind {
        NotificationKind::FollowUpDue => {
            let follow_up = follow_ups.get(&subject)?.clone();
            let fields = &follow_up.fields;
            let contacts = fields.contact_ids.iter().filter_map(|id| cards.get(id).cloned()).collect();
            (NotificationReason::follow_up(&fields.title, fields.owed_by, days), Some(follow_up), contacts)
        }
        NotificationKind::ContactDue => {
            let contact = contact()?;
            (NotificationReason::contact(&contact.name, days), None, vec![contact])
        }
        NotificationKind::Birthday => {
            let contact = contact()?;
            (NotificationReason::birthday(&contact.name), None, vec![contact])
        }
        NotificationKind::Digest => (NotificationReason::digest(counts.unwrap_or_default()), None, Vec::new()),
    };
    Some(NotificationItem { id, kind, on, due_on, reason, follow_up, contacts, created_at, read_at })
}

async fn read_notifications(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let context = exchange.context()?;
    let ReadRequest { ids, up_to } = check(&context.call.body.value)?;
    if ids.is_none() && up_to.is_none() {
        let mut invalid = Invalid::default();
        invalid.add("#/ids", Rejection::required_any(&["ids", "up_to"], "Send `ids`, `up_to` or both."));
        return Err(invalid.into());
    }
    let ids = ids.unwrap_or_default();
    let write_context = WriteContext { idempotency: exchange.idempotency, ..context.write_context() };
    let recipient = recipient(&context);
    let outcome = context
        .api
        .store
        .account_write_in(write_context.workspace, move |tx| {
            tx.once(&write_context, |tx| {
                stored::mark_read(tx, recipient, &ids, up_to)?;
                let unread = stored::count(tx.conn, recipient, true)?;
                let body = serde_json::to_string(&Unread { unread })?;
                Ok(Reply { status: 200, body: Some(body), ..Reply::default() })
            })
        })
        .await?;
    Ok(of_outcome(&context.api.etags, outcome).into_http())
}
