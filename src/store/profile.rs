//! The networker's own profile, read from the self contact and what belongs to it, and from pitches, posts and feedback. How
//! complete it is, is computed in `domain/profile.rs`.

use chrono::Days;

use super::contacts::self_contact;
use super::db::sql::conn::{Conn, read_transaction};
use super::db::sql::select::{Direction, ID, Predicate, Scalar, Select};
use super::db::sql::types::AnyId;
use super::db::write::record::Record;
use super::error::{Error, Result};
use super::lists::is_any;
use super::progress::On;
use super::{feedback, needs, positions, posts, relationships};
use crate::domain::feedback::OPEN_DAYS;
use crate::domain::id::{ContactId, WorkspaceId};
use crate::domain::need::Need;
use crate::domain::pitch::Pitch;
use crate::domain::pitch_use::PitchUse;
use crate::domain::position::Position;
use crate::domain::post::Post;
use crate::domain::profile::{Activity, PUBLISHED_WITHIN_DAYS, Profile};
use crate::domain::relationship::Relationship;

/// Whose profile it is, and what there is of it on a day.
pub fn read(conn: &mut Conn, workspace: WorkspaceId, on: On) -> Result<(ContactId, Profile)> {
    read_transaction(conn, |conn| {
        let own = self_contact(conn, workspace)?.ok_or(Error::NotFound)?;
        let is_own = |field| Predicate::equal(field, Scalar::Id(AnyId::new(own.id.uuid())));
        let positions = Position::select(conn, Select::all(workspace, is_own(positions::CONTACT)))?;
        let needs = Need::select(conn, Select::all(workspace, is_own(needs::CONTACT)))?;
        let both = Predicate::Any(vec![is_own(relationships::CONTACT), is_own(relationships::RELATED_CONTACT)]);
        let relationships = Relationship::select(conn, Select::all(workspace, both))?;
        let activity = activity(conn, workspace, on)?;
        Ok((own.id, Profile::new(&own, &positions, &needs, &relationships, activity)))
    })
}

fn activity(conn: &mut Conn, workspace: WorkspaceId, on: On) -> Result<Activity> {
    let newest = |filter| Select { direction: Direction::Descending, limit: 1, ..Select::all(workspace, filter) };
    let start_of_day_before = |days: u64| {
        let day = on.day.checked_sub_days(Days::new(days)).unwrap_or(on.day);
        on.zone.start_of(day)
    };
    let next_day = on.day.succ_opt().unwrap_or(on.day);
    let published =
        posts::is_published_within(start_of_day_before(PUBLISHED_WITHIN_DAYS), on.zone.start_of(next_day));
    let open = feedback::open_since(conn, workspace, start_of_day_before(OPEN_DAYS - 1), 1)?;
    Ok(Activity {
        pitch: Pitch::select(conn, newest(Predicate::always()))?.first().map(|pitch| pitch.id),
        has_used_pitch: is_any::<PitchUse>(conn, workspace, Predicate::always(), ID)?,
        has_published: is_any::<Post>(conn, workspace, published, posts::PUBLISHED_AT)?,
        open_feedback: open.items.first().map(|oldest| oldest.id),
    })
}
