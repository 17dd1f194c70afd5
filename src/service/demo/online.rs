//! What the demo's networker shares, where they take part online, and what they publish. It draws its own numbers.

use chrono::NaiveDate;
use serde_json::{Map, json};

use super::random::Random;
use super::steps::{after, before, create};
use super::words::{COMMUNITIES, POSTS, RESOURCES, parts};
use crate::domain::community::Community;
use crate::domain::id::{CommunityId, ContactId, PostId, ResourceId};
use crate::domain::interaction::Interaction;
use crate::domain::post::Post;
use crate::domain::resource::Resource;
use crate::service::resources::{Share, share};
use crate::store::{AnyId, Result, Tx};

const WEEKS_BETWEEN_POSTS: u32 = 2;
const WEEKS_BETWEEN_SHARES: u32 = 3;

pub struct Online {
    random: Random,
    resources: Vec<ResourceId>,
    communities: Vec<CommunityId>,
}

impl Online {
    pub const fn new(seed: u64) -> Self {
        Self { random: Random::new(seed.wrapping_add(2)), resources: Vec::new(), communities: Vec::new() }
    }

    /// The shelf and the communities, which are there from the first week on.
    fn set_up(&mut self, tx: &mut Tx<'_>, today: NaiveDate, people: &[ContactId]) -> Result<()> {
        for line in RESOURCES.iter() {
            let [kind, title, topic] = parts(line);
            let made: Resource = create(tx, json!({ "kind": kind, "title": title, "topics": [topic] }))?;
            self.resources.push(made.id);
        }
        for (line, status) in COMMUNITIES.iter().zip(["active", "joined", "quiet", "considering"]) {
            let [kind, platform, name] = parts(line);
            let members: Vec<ContactId> =
                people.iter().skip(self.communities.len()).step_by(9).take(8).copied().collect();
            let is_active = status == "active";
            let fields = json!({
                "name": name, "kind": kind, "platform": platform, "status": status, "contact_ids": members,
                "joined_on": (status != "considering").then_some(before(today, 30)),
                "target_posts_per_month": is_active.then_some(2),
            });
            let made: Community = create(tx, fields)?;
            self.communities.push(made.id);
        }
        Ok(())
    }

    /// Something is published, and somebody answers it.
    fn publish(&mut self, tx: &mut Tx<'_>, week: u32, today: NaiveDate, who: ContactId) -> Result<()> {
        let [topic, title] = parts(self.random.pick(&POSTS));
        let day = before(today, self.random.between(2, 6));
        let is_reviewed = week.is_multiple_of(2 * WEEKS_BETWEEN_POSTS);
        let fields = json!({
            "title": title, "topic": topic, "platform": "linkedin", "community_id": self.communities.first(),
            "status": if is_reviewed { "reviewed" } else { "published" }, "published_at": format!("{day}T08:00:00Z"),
            "metrics": {
                after(day, 1).to_string(): { "views": self.random.between(100, 400), "reactions": self.random.between(3, 20) },
            },
        });
        let made: Post = create(tx, fields)?;
        self.engage(tx, Some(made.id), after(day, 1), who, "inbound")
    }

    fn engage(
        &mut self,
        tx: &mut Tx<'_>,
        post: Option<PostId>,
        day: NaiveDate,
        who: ContactId,
        direction: &str,
    ) -> Result<()> {
        let fields = json!({
            "contact_ids": [who], "kind": self.random.pick(&["comment", "reaction", "share"]), "direction": direction,
            "occurred_on": day, "post_id": post, "community_id": self.communities.first(),
        });
        create::<Interaction>(tx, fields).map(drop)
    }

    /// What is shared and published in the seven days before today.
    pub fn live_week(
        &mut self,
        tx: &mut Tx<'_>,
        (week, today): (u32, NaiveDate),
        people: &[ContactId],
    ) -> Result<()> {
        if self.resources.is_empty() {
            self.set_up(tx, today, people)?;
        }
        let Some(who) = self.anybody(people) else { return Ok(()) };
        if week.is_multiple_of(WEEKS_BETWEEN_POSTS) {
            self.publish(tx, week, today, who)?;
            self.engage(tx, None, before(today, 1), who, "outbound")?;
        } else {
            let [topic, title] = parts(self.random.pick(&POSTS));
            let status = self.random.pick(&["idea", "drafted", "scheduled", "dropped"]);
            let scheduled_on = (status == "scheduled").then_some(after(today, self.random.between(1, 10)));
            create::<Post>(
                tx,
                json!({ "title": title, "topic": topic, "status": status, "scheduled_on": scheduled_on }),
            )?;
        }
        if week.is_multiple_of(WEEKS_BETWEEN_SHARES)
            && let Some(resource) = self.resources.get(usize::try_from(self.random.below(8)).unwrap_or_default())
        {
            let shared = Share { contact_ids: vec![who], interaction: Map::new(), exchange_ids: Vec::new() };
            share(tx, AnyId::new(resource.uuid()), shared)?;
        }
        Ok(())
    }

    fn anybody(&mut self, people: &[ContactId]) -> Option<ContactId> {
        let place = self.random.below(u32::try_from(people.len()).unwrap_or(u32::MAX));
        people.get(usize::try_from(place).unwrap_or_default()).copied()
    }
}
