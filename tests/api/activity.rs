//! Interactions and what follows from them, below HTTP: lists of contacts through deletes, undo and merging, and the
//! activity of contacts, which is at any time what it is when computed anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use chrono::NaiveDate;
use serde_json::{Value, json};
use uuid::Uuid;
use wellmet::domain::account::WorkspaceFields;
use wellmet::domain::cadence::TierCadences;
use wellmet::domain::contact::{Cadence, Contact, ContactFields, Tier};
use wellmet::domain::contact_activity::{ContactActivity, ContactActivityFields};
use wellmet::domain::entity::Entity;
use wellmet::domain::id::{ContactId, InteractionId, UserId, WorkspaceId};
use wellmet::domain::interaction::{Interaction, InteractionFields, InteractionKind, InteractionStatus};
use wellmet::domain::interval::{Interval, IntervalUnit};
use wellmet::domain::reference::reference;
use wellmet::domain::timeline::TimelineKind;
use wellmet::domain::timestamp::Timestamp;
use wellmet::service::bulk::Selection;
use wellmet::service::contacts::{ContactEdit, edit_contacts};
use wellmet::service::records::write;
use wellmet::store::Calendar;
use wellmet::store::lists::{self, Listing, Order};
use wellmet::store::relations::{Link, Relation, attach};
use wellmet::store::{
    self, Actor, AnyId, Conn, Direction, Error, ID, Predicate, Record, Tx, WriteContext, accounts, contacts,
    merging, records, timeline, undo, workspace_settings,
};

use crate::support::{Client, TestServer};

/// Somebody who writes through the store itself.
struct Writer<'s> {
    server: &'s TestServer,
    context: WriteContext,
}

impl<'s> Writer<'s> {
    async fn of(server: &'s TestServer, client: &Client) -> Self {
        let me = client.get("/v1/me").await.expect(200);
        let id = |record: &str| Uuid::parse_str(me.body[record]["id"].as_str().unwrap()).unwrap();
        let actor = Actor::User(UserId::new(id("user")), None);
        let workspace = WorkspaceId::new(id("workspace"));
        Self { server, context: WriteContext { workspace, actor, idempotency: None } }
    }

    /// A write, and its number if it has one.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> store::Result<T> + Send + 'static,
    ) -> store::Result<(T, Option<i64>)> {
        let done = Arc::new(Mutex::new(None));
        let slot = done.clone();
        let write = self.server.app().store().write(self.context.clone(), move |tx| {
            let value = work(tx)?;
            *slot.lock().unwrap() = Some((value, tx.write_number()));
            Ok::<_, Error>(store::Answer::Empty)
        });
        write.await?;
        Ok(done.lock().unwrap().take().unwrap())
    }

    async fn contact(&self, name: &str) -> AnyId {
        let fields = ContactFields { given_name: Some(name.to_owned()), ..ContactFields::default() };
        let create =
            |tx: &mut Tx<'_>| records::create(tx, Contact::new(ContactId::new(tx.new_id()), tx.now(), fields)?);
        self.write(create).await.unwrap().0.id()
    }

    async fn interaction(&self, contacts: &[AnyId]) -> AnyId {
        let fields = InteractionFields {
            contact_ids: ids(contacts),
            kind: InteractionKind::Coffee,
            occurred_on: Some("2026-02-27".to_owned()),
            ..InteractionFields::default()
        };
        let create = |tx: &mut Tx<'_>| {
            records::create(tx, Interaction::new(InteractionId::new(tx.new_id()), tx.now(), fields)?)
        };
        self.write(create).await.unwrap().0.id()
    }

    async fn delete(&self, contact: AnyId) {
        let delete = move |tx: &mut Tx<'_>| {
            let contact: Contact = records::find(tx, contact)?.ok_or(Error::NotFound)?;
            records::delete(tx, &contact)
        };
        self.write(delete).await.unwrap();
    }

    async fn restore(&self, entity: Entity, id: AnyId) {
        self.write(move |tx| undo::restore(tx, entity, id)).await.unwrap();
    }

    async fn all<R: Record>(&self) -> Vec<R> {
        self.fitting(Predicate::always()).await
    }

    async fn fitting<R: Record>(&self, filter: Predicate) -> Vec<R> {
        let workspace = self.context.workspace;
        let order = Order::By(ID, Direction::Ascending);
        let listing = Listing { filter, query: None, order, after: None, limit: 100_000, count: false };
        let read = self.server.app().store().read(move |conn| lists::list(conn, workspace, listing));
        read.await.unwrap().items
    }

    /// The interactions in a timeline, and when they were.
    async fn timeline(&self, contact: Option<AnyId>) -> BTreeSet<(Timestamp, AnyId)> {
        let workspace = self.context.workspace;
        let until = Timestamp::parse("9999-01-01T00:00:00Z").unwrap();
        let kinds = TimelineKind::ALL.to_vec();
        let wanted = timeline::Wanted { contact, kinds, until, after: None, limit: 10_000 };
        let page = self.server.app().store().read(move |conn| timeline::page(conn, workspace, &wanted));
        page.await.unwrap().items.iter().map(|entry| (entry.place.sorted_at, entry.place.id)).collect()
    }

    /// Whom an interaction is with; `None` where there is none of this id.
    async fn listed(&self, interaction: AnyId) -> Option<Vec<AnyId>> {
        let all = self.fitting::<Interaction>(Predicate::id(interaction)).await;
        all.first()
            .map(|interaction| interaction.fields.contact_ids.iter().map(|id| AnyId::new(id.uuid())).collect())
    }

    /// What is stored of each contact's activity is what follows from the interactions that there are, and the rows of the
    /// join table are their lists.
    async fn check(&self, what: &str) {
        let workspace = self.context.workspace;
        let calendar = self.server.app().store().read(move |conn| accounts::calendar(conn, workspace));
        let Calendar { zone, tiers } = calendar.await.unwrap();
        let interactions = self.all::<Interaction>().await;
        let mut happened: BTreeMap<Uuid, (Option<NaiveDate>, i64)> = BTreeMap::new();
        let mut listed: BTreeMap<Uuid, BTreeSet<AnyId>> = BTreeMap::new();
        for interaction in &interactions {
            for contact in &interaction.fields.contact_ids {
                listed.entry(contact.uuid()).or_default().insert(interaction.id());
                if interaction.fields.status == InteractionStatus::Happened {
                    let (last, count) = happened.entry(contact.uuid()).or_default();
                    *count += 1;
                    if interaction.fields.is_counted() {
                        *last = last.take().max(interaction.fields.day(zone));
                    }
                }
            }
        }
        let mut expected: BTreeMap<Uuid, ContactActivityFields> = BTreeMap::new();
        let text = |day: NaiveDate| day.to_string();
        for contact in self.all::<Contact>().await {
            let (last, interaction_count) = happened.remove(&contact.id.uuid()).unwrap_or_default();
            let next = contact.fields.next_contact(&tiers, last, zone.day(contact.created_at));
            let fields = ContactActivityFields {
                contact_id: contact.id,
                last_interaction_on: last.map(text),
                interaction_count,
                next_contact_on: next.map(|next| text(next.due_on)),
                interval_days: next.map(|next| next.interval_days),
            };
            // What lists sort by is a copy of it.
            let shown = contact.clone();
            let copied = self.server.app().store().read(move |conn| {
                let copy = |conn: &mut Conn, field| shown.copied_sort_value(conn, workspace, field);
                Ok((copy(conn, contacts::LAST_INTERACTION)?, copy(conn, contacts::NEXT_CONTACT)?))
            });
            let copy = |day: &Option<String>, without: &str| {
                Some(store::Scalar::Text(day.clone().unwrap_or_else(|| without.to_owned())))
            };
            let (last, next) = (&fields.last_interaction_on, &fields.next_contact_on);
            let copies = (copy(last, contacts::NEVER), copy(next, contacts::NOT_DUE));
            assert_eq!(copied.await.unwrap(), copies, "what lists sort by after {what}");
            let own = AnyId::new(contact.id.uuid());
            let with_them = |interaction: &&Interaction| interaction.fields.contact_ids.contains(&contact.id);
            let happened =
                interactions.iter().filter(with_them).filter_map(|one| Some((one.id(), one.timeline()?)));
            let happened: BTreeSet<_> = happened.map(|(id, entry)| (entry.sorted_at, id)).collect();
            assert_eq!(self.timeline(Some(own)).await, happened, "the timeline of a contact after {what}");
            if interaction_count > 0 || next.is_some() {
                expected.insert(fields.contact_id.uuid(), fields);
            }
        }
        let all = interactions.iter().filter_map(|one| Some((one.timeline()?.sorted_at, one.id())));
        assert_eq!(self.timeline(None).await, all.collect(), "the timeline of everybody after {what}");
        assert!(happened.is_empty(), "who does not exist took part: {happened:?} after {what}");
        let stored: BTreeMap<Uuid, ContactActivityFields> = self
            .all::<ContactActivity>()
            .await
            .into_iter()
            .map(|activity| {
                assert_eq!(activity.id.uuid(), activity.fields.contact_id.uuid(), "{what}");
                (activity.id.uuid(), activity.fields)
            })
            .collect();
        assert_eq!(stored, expected, "stored (left) and computed anew (right) after {what}");
        let reference = reference(Entity::Interaction, Entity::Contact).unwrap();
        for contact in self.all::<Contact>().await {
            let found = self.fitting::<Interaction>(Predicate::refers_to(reference, vec![contact.id()])).await;
            let found: BTreeSet<AnyId> = found.iter().map(Record::id).collect();
            assert_eq!(
                found,
                listed.remove(&contact.id.uuid()).unwrap_or_default(),
                "the join table after {what}"
            );
        }
        assert!(listed.is_empty(), "nobody is listed who does not exist: {listed:?} after {what}");
    }
}

fn ids(contacts: &[AnyId]) -> Vec<ContactId> {
    contacts.iter().map(|id| ContactId::new(id.uuid())).collect()
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }

    fn one<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        (!items.is_empty()).then(|| items[self.below(items.len())])
    }

    fn some<T: Copy + Ord>(&mut self, items: &[T]) -> Vec<T> {
        let picked: BTreeSet<T> = (0..1 + self.below(3)).filter_map(|_| self.one(items)).collect();
        picked.into_iter().collect()
    }

    fn interaction(&mut self, contacts: &[AnyId], now: Timestamp) -> InteractionFields {
        let day = format!("2026-0{}-1{}", 1 + self.below(2), self.below(9));
        let (at, on) = match self.below(2) {
            0 => (Some(now.minus(chrono::TimeDelta::hours(self.below(2_000).try_into().unwrap()))), None),
            _ => (None, Some(day)),
        };
        InteractionFields {
            contact_ids: ids(contacts),
            kind: self.one(InteractionKind::ALL).unwrap(),
            status: self
                .one(&[InteractionStatus::Happened, InteractionStatus::Happened, InteractionStatus::Planned])
                .unwrap(),
            occurred_at: at,
            occurred_on: on,
            counts: self.one(&[None, None, Some(true), Some(false)]).unwrap(),
            ..InteractionFields::default()
        }
    }

    fn interval(&mut self) -> Interval {
        let every = 1 + u16::try_from(self.below(9)).unwrap();
        Interval { every, unit: self.one(IntervalUnit::ALL).unwrap() }
    }

    /// Changes one of what decides when somebody is due.
    fn cadence(&mut self, fields: &mut ContactFields, now: Timestamp) {
        match self.below(8) {
            0..3 => {
                fields.tier = self.one(&[None, Some(Tier::Inner), Some(Tier::Core), Some(Tier::Distant)]).unwrap()
            }
            3 => {
                let Interval { every, unit } = self.interval();
                fields.cadence = Some(Cadence { every: Some(every), unit: Some(unit), ..Cadence::default() });
            }
            4 => {
                let cadence = fields.cadence.get_or_insert_default();
                cadence.off = self.below(3) == 0;
                cadence.paused_until = self.one(&["2026-05-01", "2027-01-31"]).map(str::to_owned);
            }
            5 => fields.archived_at = (self.below(2) == 0).then_some(now),
            6 => fields.do_not_contact = self.below(2) == 0,
            _ => fields.known = self.below(2) == 0,
        }
    }

    fn settings(&mut self) -> WorkspaceFields {
        let zones = ["UTC", "Pacific/Apia", "America/Sao_Paulo", "Asia/Kathmandu", "Europe/Berlin"];
        let tier_cadences =
            TierCadences { inner: self.interval(), core: self.interval(), ..TierCadences::default() };
        let time_zone = self.one(&zones).unwrap().to_owned();
        WorkspaceFields { name: "Ada".to_owned(), time_zone, tier_cadences }
    }
}

on_both! {
    async fn who_is_deleted_leaves_the_list_and_comes_back_to_where_they_stood(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let writer = Writer::of(&server, &ada).await;
        let (a, b, c) = (writer.contact("A").await, writer.contact("B").await, writer.contact("C").await);
        // In every order of deletes and restores; with two people the interaction goes with the second.
        for all in [vec![a, b], vec![b, a], vec![a, b, c], vec![c, a, b], vec![b, c, a]] {
            for (first, second) in [(0, 1), (1, 0)] {
                for (again, last) in [(0, 1), (1, 0)] {
                    let interaction = writer.interaction(&all).await;
                    for gone in [first, second] {
                        writer.delete(all[gone]).await;
                        writer.check("a delete").await;
                    }
                    let left: Vec<AnyId> = all.iter().skip(2).copied().collect();
                    assert_eq!(writer.listed(interaction).await, (!left.is_empty()).then_some(left));
                    for back in [again, last] {
                        writer.restore(Entity::Contact, all[back]).await;
                        writer.check("a restore").await;
                    }
                    let told = format!("{first} and {second} deleted, {again} and {last} restored of {all:?}");
                    assert_eq!(writer.listed(interaction).await, Some(all.clone()), "{told}");
                }
            }
        }
    }

    async fn who_is_deleted_in_one_write_with_others_comes_back_alone(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let writer = Writer::of(&server, &ada).await;
        let (a, b) = (writer.contact("A").await, writer.contact("B").await);
        let interaction = writer.interaction(&[a, b]).await;
        let delete_both = move |tx: &mut Tx<'_>| {
            for id in [a, b] {
                let contact: Contact = records::find(tx, id)?.ok_or(Error::NotFound)?;
                records::delete(tx, &contact)?;
            }
            Ok(())
        };
        writer.write(delete_both).await.unwrap();
        assert_eq!(writer.listed(interaction).await, None);
        writer.restore(Entity::Contact, b).await;
        assert_eq!(writer.listed(interaction).await, Some(vec![b]));
        writer.restore(Entity::Contact, a).await;
        assert_eq!(writer.listed(interaction).await, Some(vec![a, b]));
        writer.check("both are back").await;
    }

    async fn an_interaction_is_with_people_who_exist(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let writer = Writer::of(&server, &ada).await;
        let (a, nobody) = (writer.contact("A").await, AnyId::new(Uuid::from_u128(7)));
        let fields = InteractionFields {
            contact_ids: ids(&[a, nobody]),
            occurred_on: Some("2026-02-27".to_owned()),
            ..InteractionFields::default()
        };
        let create = |tx: &mut Tx<'_>| {
            records::create(tx, Interaction::new(InteractionId::new(tx.new_id()), tx.now(), fields)?).map(drop)
        };
        let Err(Error::Invalid(invalid)) = writer.write(create).await else { panic!("it was created") };
        let told: Vec<_> = invalid.errors.iter().map(|error| (error.pointer.as_str(), error.code.as_str())).collect();
        assert_eq!(told, [("#/contact_ids/1", "unknown_reference")]);
    }

    async fn merging_puts_the_kept_one_in_the_place_of_the_others_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let writer = Writer::of(&server, &ada).await;
        let (a, b, c) = (writer.contact("A").await, writer.contact("B").await, writer.contact("C").await);
        let (with_both, with_one) = (writer.interaction(&[b, c, a]).await, writer.interaction(&[c, b]).await);
        let merge = move |tx: &mut Tx<'_>| {
            let keep: Contact = records::find(tx, a)?.ok_or(Error::NotFound)?;
            let merged: Contact = records::find(tx, b)?.ok_or(Error::NotFound)?;
            merging::merge_into(tx, &keep, &[merged])
        };
        let (_, write) = writer.write(merge).await.unwrap();
        assert_eq!(writer.listed(with_both).await, Some(vec![a, c]));
        assert_eq!(writer.listed(with_one).await, Some(vec![c, a]));
        writer.check("a merge").await;
        writer.write(move |tx| undo::revert(tx, write.unwrap(), false)).await.unwrap();
        assert_eq!(writer.listed(with_both).await, Some(vec![b, c, a]));
        assert_eq!(writer.listed(with_one).await, Some(vec![c, b]));
        writer.check("its undo").await;
    }

    async fn a_list_is_filtered_by_and_shown_in_its_order(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let writer = Writer::of(&server, &ada).await;
        let (a, b, c) = (writer.contact("A").await, writer.contact("B").await, writer.contact("C").await);
        let (first, second) = (writer.interaction(&[b, a]).await, writer.interaction(&[a]).await);
        let reference = reference(Entity::Interaction, Entity::Contact).unwrap();
        for (holder, expected) in [(first, vec![a, b]), (second, vec![a]), (c, vec![])] {
            let with = writer.fitting::<Contact>(Predicate::ListedBy(reference, Box::new(Predicate::id(holder)))).await;
            assert_eq!(with.iter().map(Record::id).collect::<Vec<_>>(), expected);
        }
        let found = writer.fitting::<Interaction>(Predicate::refers_to(reference, vec![b, c])).await;
        assert_eq!(found.iter().map(Record::id).collect::<Vec<_>>(), [first]);

        let relation = |name, link| Relation { name, description: "", link, with: &[] };
        let workspace = writer.context.workspace;
        let people = writer.fitting::<Contact>(Predicate::ids([a, c])).await;
        let read = server.app().store().read(move |conn| {
            let mut interactions = [json!({"id": first, "contact_ids": [b, c, a]})];
            let with = relation("contacts", Link::To(Entity::Contact, "/contact_ids"));
            attach(conn, workspace, &mut interactions, &[with])?;
            let mut people: Vec<Value> = people.iter().map(|person| json!(person)).collect();
            let own = relation("interactions", Link::From(Entity::Interaction, "contact_id"));
            let activity = relation("activity", Link::To(Entity::ContactActivity, "/id"));
            attach(conn, workspace, &mut people, &[own, activity])?;
            Ok((interactions, people))
        });
        let (interactions, people) = read.await.unwrap();
        let names: Vec<_> = interactions[0]["contacts"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
        assert_eq!(names, ["B", "C", "A"]);
        let own: Vec<_> = people[0]["interactions"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
        assert_eq!(own, [json!(second), json!(first)], "the newest first");
        assert_eq!(people[0]["activity"]["interaction_count"], 2);
        assert_eq!((&people[1]["interactions"], &people[1]["activity"]), (&json!([]), &Value::Null));
    }

    async fn a_derived_record_alone_makes_no_write(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let writer = Writer::of(&server, &ada).await;
        let a = writer.contact("A").await;
        writer.interaction(&[a]).await;
        let spoil = move |tx: &mut Tx<'_>| {
            let activity: ContactActivity = records::find(tx, a)?.ok_or(Error::NotFound)?;
            let mut spoilt = activity.clone();
            spoilt.fields.interaction_count = 7;
            records::update(tx, &activity, spoilt).map(drop)
        };
        assert_eq!(writer.write(spoil).await.unwrap().1, None);
        // Undo of what was written with it passes it over, and it follows from what is there then.
        writer.delete(a).await;
        writer.restore(Entity::Contact, a).await;
        writer.check("a delete and a restore").await;
    }

    async fn what_an_update_adds_is_computed_at_the_next_start(mut server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let writer = Writer::of(&server, &ada).await;
        let a = writer.contact("A").await;
        writer.interaction(&[a]).await;
        let context = writer.context.clone();
        // As before there were copies of the activity, and as before there was any.
        let forget = "UPDATE contacts SET last_interaction_key = '', next_contact_key = '9999-99-99';
            DELETE FROM timeline_entries; UPDATE instance SET derived_revision = 0;";
        for more in ["", "DELETE FROM contact_activities"] {
            server.database.execute(&format!("{forget} {more}"));
            server.restart().await;
            let writer = Writer { server: &server, context: context.clone() };
            writer.check("a start").await;
            assert_eq!(writer.all::<ContactActivity>().await.len(), 1);
        }
    }

    async fn activity_is_at_any_time_what_it_is_when_computed_anew(server: TestServer) {
        let seeds = std::env::var("WELLMET_WALKS").ok().and_then(|count| count.parse().ok()).unwrap_or(2);
        for seed in 1..=seeds {
            let client = server.register(&format!("ada{seed}@example.com")).await;
            let writer = Writer::of(&server, &client).await;
            let mut dice = Dice(seed * 7_919);
            let mut gone: Vec<(Entity, AnyId)> = Vec::new();
            let mut writes: Vec<i64> = Vec::new();
            for step in 0..80 {
                server.clock.advance(chrono::TimeDelta::seconds(1));
                let people: Vec<AnyId> = writer
                    .fitting::<Contact>(Predicate::equal(contacts::IS_SELF, store::Scalar::Bool(false))).await
                    .iter().map(Record::id).collect();
                let interactions: Vec<AnyId> = writer.all::<Interaction>().await.iter().map(Record::id).collect();
                let with = dice.some(&people);
                let fields = dice.interaction(&with, writer.server.app().store().now());
                let (one, other) = (dice.one(&people), dice.one(&people));
                let interaction = dice.one(&interactions);
                let (back, write) = (dice.one(&gone), dice.one(&writes));
                let now = writer.server.app().store().now();
                let (mut cadence_dice, settings) = (Dice(dice.0), dice.settings());
                let tier = dice.one(&["inner", "core", "active"]).unwrap();
                let roll = if people.len() < 3 { 0 } else { dice.below(20) };
                let work = move |tx: &mut Tx<'_>| -> store::Result<()> {
                    let found = |tx: &mut Tx<'_>, id: Option<AnyId>| -> store::Result<Contact> {
                        records::find(tx, id.ok_or(Error::NotFound)?)?.ok_or(Error::NotFound)
                    };
                    match roll {
                        0 => {
                            let name = Some(format!("N{step}"));
                            let fields = ContactFields { given_name: name, ..ContactFields::default() };
                            records::create(tx, Contact::new(ContactId::new(tx.new_id()), tx.now(), fields)?).map(drop)
                        }
                        1..=4 => {
                            let id = InteractionId::new(tx.new_id());
                            records::create(tx, Interaction::new(id, tx.now(), fields)?).map(drop)
                        }
                        5 | 6 => {
                            let id = interaction.ok_or(Error::NotFound)?;
                            let before: Interaction = records::find(tx, id)?.ok_or(Error::NotFound)?;
                            records::update(tx, &before, before.with(fields)?).map(drop)
                        }
                        7 => {
                            let id = interaction.ok_or(Error::NotFound)?;
                            let before: Interaction = records::find(tx, id)?.ok_or(Error::NotFound)?;
                            records::delete(tx, &before)
                        }
                        8 | 9 => {
                            let contact = found(tx, one)?;
                            records::delete(tx, &contact)
                        }
                        10 => {
                            let (keep, merged) = (found(tx, one)?, found(tx, other)?);
                            if keep.id == merged.id {
                                return Err(Error::NotFound);
                            }
                            merging::merge_into(tx, &keep, &[merged])
                        }
                        11 | 12 => {
                            let (entity, id) = back.ok_or(Error::NotFound)?;
                            undo::restore(tx, entity, id)
                        }
                        14..=16 => {
                            let before = found(tx, one)?;
                            let mut fields = before.fields.clone();
                            cadence_dice.cadence(&mut fields, now);
                            write::update(tx, &before, before.with(fields)?).map(drop)
                        }
                        17 => {
                            let patch = json!({ "tier": tier }).as_object().cloned().unwrap();
                            let edit = ContactEdit::Change { patch, archived: None };
                            edit_contacts(tx, Selection::Ids(people), &edit).map(drop)
                        }
                        18 => {
                            let before = workspace_settings::own_workspace(tx)?;
                            workspace_settings::update(tx, &before.fields, &settings)
                        }
                        _ => undo::revert(tx, write.ok_or(Error::NotFound)?, false).map(drop),
                    }
                };
                match writer.write(work).await {
                    Ok((_, number)) => writes.extend(number),
                    Err(Error::Internal(reason)) => panic!("seed {seed}, step {step}, roll {roll}: {reason}"),
                    Err(_) => {}
                }
                gone.extend(match roll {
                    7 => interaction.map(|id| (Entity::Interaction, id)),
                    8 | 9 => one.map(|id| (Entity::Contact, id)),
                    10 => other.map(|id| (Entity::Contact, id)),
                    _ => None,
                });
                writer.check(&format!("seed {seed}, step {step}, roll {roll}")).await;
            }
            assert!(writes.len() > 20, "{} of 80 came to pass with seed {seed}", writes.len());
            // And all the way back.
            for write in writes.into_iter().rev() {
                let reverted = writer.write(move |tx| undo::revert(tx, write, false)).await;
                if let Err(Error::Internal(reason)) = reverted {
                    panic!("seed {seed}, back to {write}: {reason}");
                }
                writer.check(&format!("seed {seed}, back to {write}")).await;
            }
        }
    }
}
