//! The posts to publish, in the view of a day.

use serde::Serialize;
use utoipa::ToSchema;

use super::moment::Moment;
use crate::api::http::messages::section::SectionOf;
use crate::domain::post::Post;
use crate::domain::today::{self, TodayReason};
use crate::store::lists::Section;

/// A post to publish.
#[derive(Serialize, ToSchema)]
pub struct TodayPost {
    reason: TodayReason,
    post: Post,
}

// The document names a type that has no parameters.
pub type TodayPostSection = SectionOf<TodayPost>;

pub fn shown(moment: &Moment, section: Section<Post>) -> TodayPostSection {
    let item = |post: Post| {
        let days = moment.days_until_text(post.fields.scheduled_on.as_ref());
        Some(TodayPost { reason: today::post(&post.heading(), days), post })
    };
    let list = format!("/v1/posts?status=scheduled&scheduled_on[lte]={}", moment.on);
    SectionOf::shown(section, item, list)
}
