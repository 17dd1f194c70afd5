//! What the networker publishes: its fields, its states, and how it did.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::{check_day, check_platform, check_url, clean, drop_blank, parse_day};
use super::id::{CommunityId, GoalId, PostId};
use super::invalid::{FieldCode, Invalid, Rejection, pointer};
use super::keyed::{ByDay, Keyed};
use super::record::{Fields, Stored};
use super::search::SearchText;
use super::state_machine::{State, Status, not_in_future};
use super::timestamp::Timestamp;
use super::words::enumeration;

/// What can be entered about a post.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PostFields {
    /// The platform, in lower case. If null in a request, it is derived from `url` where that is on a known platform.
    #[schema(max_length = 50, example = "linkedin")]
    pub platform: Option<String>,
    /// The kind of post.
    #[schema(default = "post")]
    pub kind: PostKind,
    /// The title, in one line. A title, a topic or a text is required.
    #[schema(max_length = 300, example = "What heat pumps taught me about product")]
    pub title: Option<String>,
    /// The text, plain or Markdown.
    #[schema(max_length = 100000)]
    pub body: Option<String>,
    /// Where it is published; http and https only.
    #[schema(max_length = 2048, pattern = "^\\s*\\S*\\s*$", example = "https://www.linkedin.com/posts/ada-one")]
    pub url: Option<String>,
    /// What it is about, in one line.
    #[schema(max_length = 300, example = "Climate")]
    pub topic: Option<String>,
    /// The community where it is published. Null: none.
    #[schema(example = json!(null))]
    pub community_id: Option<CommunityId>,
    /// The goal that it is for. Null: none.
    #[schema(example = json!(null))]
    pub goal_id: Option<GoalId>,
    /// The status.
    #[schema(default = "idea")]
    pub status: PostStatus,
    /// Why it has this status, such as why it was dropped. A transition clears it unless the request sends another one.
    #[schema(max_length = 500, example = "Somebody else said it better.")]
    pub status_reason: Option<String>,
    /// The day on which it is to be published, in the time zone of the workspace. Required while it is `scheduled`.
    #[schema(value_type = Option<String>, format = Date, example = "2026-03-10")]
    pub scheduled_on: Option<String>,
    /// When it was published; not in the future. Default: when it becomes `published` or `reviewed`. Null leaves that time as it
    /// is. Any transition back clears it; one that is dropped afterwards keeps it.
    #[schema(example = json!(null))]
    pub published_at: Option<Timestamp>,
    /// How it did, by the day on which the numbers were read: the keys are days such as `2026-03-12`, not in the future.
    #[schema(value_type = ByDay<PostDayMetrics>, inline, example = json!({"2026-03-12": {"views": 1200, "reactions": 45}}))]
    pub metrics: Keyed<PostDayMetrics>,
}

/// The numbers of a post on a day, in total since it was published. Null: not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PostDayMetrics {
    /// How often it was seen.
    #[schema(minimum = 0, maximum = 2000000000, example = 1200)]
    pub views: Option<i32>,
    /// The number of reactions.
    #[schema(minimum = 0, maximum = 2000000000, example = 45)]
    pub reactions: Option<i32>,
    /// The number of comments.
    #[schema(minimum = 0, maximum = 2000000000, example = 7)]
    pub comments: Option<i32>,
    /// How often it was shared.
    #[schema(minimum = 0, maximum = 2000000000, example = 2)]
    pub shares: Option<i32>,
}

enumeration! {
    /// The kind of post: one of your own, an article, a comment on a post of somebody else, a reply to a comment, or a post of
    /// somebody else that you shared.
    #[derive(Default)]
    PostKind {
        #[default]
        Post = "post",
        Article = "article",
        Comment = "comment",
        Reply = "reply",
        Share = "share",
    }
}

enumeration! {
    /// The status of a post.
    #[derive(Default)]
    PostStatus {
        #[default]
        Idea = "idea",
        Drafted = "drafted",
        Scheduled = "scheduled",
        Published = "published",
        Reviewed = "reviewed",
        Dropped = "dropped",
    }
}

/// Something that you publish.
pub type Post = Stored<PostFields>;

impl PostKind {
    /// Those that are posts of their own, and no answers to others.
    pub const OWN: [Self; 3] = [Self::Post, Self::Article, Self::Share];

    pub fn is_own(self) -> bool {
        Self::OWN.contains(&self)
    }
}

impl Status for PostStatus {
    const STATES: &'static [State<Self>] = &[
        State {
            state: Self::Idea,
            next: &[Self::Drafted, Self::Scheduled, Self::Published, Self::Reviewed, Self::Dropped],
            stamps: None,
        },
        State {
            state: Self::Drafted,
            next: &[Self::Idea, Self::Scheduled, Self::Published, Self::Reviewed, Self::Dropped],
            stamps: None,
        },
        State {
            state: Self::Scheduled,
            next: &[Self::Idea, Self::Drafted, Self::Published, Self::Reviewed, Self::Dropped],
            stamps: None,
        },
        State {
            state: Self::Published,
            next: &[Self::Drafted, Self::Scheduled, Self::Reviewed, Self::Dropped],
            stamps: None,
        },
        State { state: Self::Reviewed, next: &[Self::Published, Self::Dropped], stamps: None },
        State {
            state: Self::Dropped,
            next: &[Self::Idea, Self::Drafted, Self::Scheduled, Self::Published, Self::Reviewed],
            stamps: None,
        },
    ];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl PostStatus {
    pub const fn is_published(self) -> bool {
        matches!(self, Self::Published | Self::Reviewed)
    }
}

impl PostFields {
    /// What is published has its time, and what is not published has none; what is scheduled has its day.
    pub fn check_dates(&mut self, before: Option<&Self>, now: Timestamp) -> Result<(), Invalid> {
        let mut invalid = Invalid::default();
        let kept = before.and_then(|before| before.published_at);
        let is_kept = self.published_at == kept;
        if self.status == PostStatus::Scheduled && self.scheduled_on.is_none() {
            let detail = "A post that is scheduled needs the day.";
            invalid.add("#/scheduled_on", Rejection::new(FieldCode::Required, detail));
        }
        match self.published_at {
            None if self.status.is_published() => {
                let stays = before.is_some_and(|before| before.status.is_published());
                self.published_at = kept.filter(|_| stays).or(Some(now));
            }
            Some(_) if is_kept && (self.status.is_published() || self.status == PostStatus::Dropped) => {}
            Some(_) if is_kept => self.published_at = None,
            Some(at) if self.status.is_published() => {
                self.published_at = invalid.check("#/published_at", not_in_future(at, now));
            }
            Some(_) => {
                let detail = format!("A post that is {} has no published_at.", self.status.as_str());
                invalid.add("#/published_at", Rejection::new(FieldCode::Contradiction, detail));
            }
            None => {}
        }
        invalid.into_result(())
    }

    /// No numbers are of a day that is still to come.
    pub fn check_metrics(&self, today: NaiveDate) -> Result<(), Invalid> {
        let mut invalid = Invalid::default();
        for (day, _) in &self.metrics {
            if parse_day(day).is_ok_and(|on| on > today) {
                let rejection = Rejection::new(FieldCode::Contradiction, "The day cannot be in the future.");
                invalid.add(pointer(&["metrics", day]), rejection);
            }
        }
        invalid.into_result(())
    }

    pub fn scheduled_day(&self) -> Option<NaiveDate> {
        self.scheduled_on.as_deref().and_then(|day| parse_day(day).ok())
    }
}

impl Post {
    /// What it is called: its title, or else its topic, or else the first line of its text.
    pub fn heading(&self) -> String {
        let PostFields { title, topic, body, .. } = &self.fields;
        let first = body.as_deref().and_then(|text| text.lines().find(|line| !line.trim().is_empty()));
        let heading = title.as_deref().or(topic.as_deref()).or(first).unwrap_or_default().trim();
        heading.chars().take(MAX_HEADING_CHARACTERS).collect()
    }

    /// What it is found by when somebody types.
    pub fn search_text(&self) -> SearchText {
        let PostFields { title, topic, body, platform, .. } = &self.fields;
        let all = [title, topic, body, platform].into_iter().flatten().map(String::as_str);
        SearchText { title: self.heading(), text: all.collect::<Vec<_>>().join("\n") }
    }
}

const MAX_HEADING_CHARACTERS: usize = 300;

impl Fields for PostFields {
    const ENTITY: Entity = Entity::Post;
    const DESCRIPTION: &'static str = "Something that you publish.";
    type Id = PostId;

    fn check(mut self, _id: PostId, _before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        [&mut self.title, &mut self.topic, &mut self.status_reason].into_iter().for_each(clean);
        drop_blank(&mut self.body);
        check_url("#/url", &mut self.url, &mut invalid);
        check_platform(&mut self.platform, self.url.as_deref());
        check_day(&["scheduled_on"], self.scheduled_on.as_deref(), &mut invalid);
        if self.title.is_none() && self.topic.is_none() && self.body.is_none() {
            let detail = "A title, a topic or a text is required.";
            invalid.add("#/title", Rejection::required_any(&["title", "topic", "body"], detail));
        }
        for (day, _) in &self.metrics {
            check_day(&["metrics", day], Some(day), &mut invalid);
        }
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_has_a_time_and_nothing_else_has() {
        use PostStatus::{Drafted, Dropped, Idea, Published, Reviewed, Scheduled};
        let at = |minute: i64| Timestamp::from_micros(minute * 60_000_000);
        let now = at(100).unwrap();
        let table = [
            (None, Idea, None, None, Ok(None)),
            (None, Idea, None, at(50), Err("#/published_at")),
            (None, Published, None, None, Ok(at(100))),
            (None, Published, None, at(50), Ok(at(50))),
            (None, Published, None, at(105), Ok(at(100))),
            (None, Published, None, at(200), Err("#/published_at")),
            (Some(Scheduled), Published, None, None, Ok(at(100))),
            (Some(Dropped), Published, at(50), None, Ok(at(100))),
            (Some(Scheduled), Published, None, at(90), Ok(at(90))),
            (Some(Published), Published, at(50), None, Ok(at(50))),
            (Some(Published), Published, at(50), at(60), Ok(at(60))),
            (Some(Published), Reviewed, at(50), at(50), Ok(at(50))),
            (Some(Published), Drafted, at(50), at(50), Ok(None)),
            (Some(Published), Drafted, at(50), at(60), Err("#/published_at")),
            (Some(Reviewed), Dropped, at(50), at(50), Ok(at(50))),
            (Some(Dropped), Published, at(50), at(50), Ok(at(50))),
            (Some(Dropped), Idea, at(50), at(50), Ok(None)),
            (Some(Drafted), Scheduled, None, None, Err("#/scheduled_on")),
        ];
        for (from, to, kept, sent, expected) in table {
            let fields = |status, published_at| PostFields { status, published_at, ..PostFields::default() };
            let before = from.map(|from| fields(from, kept));
            let mut after = fields(to, sent);
            let checked = after.check_dates(before.as_ref(), now);
            let told = checked.map(|()| after.published_at).map_err(|invalid| invalid.errors[0].pointer.clone());
            assert_eq!(told, expected.map_err(str::to_owned), "{from:?} {to:?} {kept:?} {sent:?}");
        }
    }
}
