//! `wellmet demo`: a year of somebody's network, written week by week by the same rules as everything else, and the same for
//! the same seed and day. What happens in a week is in `year.rs`, what it is for in `goals.rs`, what is given
//! and received in `giving.rs`.

mod giving;
mod goals;
mod online;
mod random;
mod steps;
mod words;
mod year;

use chrono::{Days, NaiveDate};
use std::sync::{Arc, Mutex, PoisonError};

use self::year::Year;
use crate::clock::{Ids, ManualClock};
use crate::domain::account::UserFields;
use crate::domain::email::EmailAddress;
use crate::domain::id::{UserId, WorkspaceId};
use crate::domain::locale::TimeZone;
use crate::store::accounts::{self, PasswordHash};
use crate::store::{Actor, Answer, Error, Result, Store, WriteContext};

/// How many weeks the year has before its last day.
const WEEKS: u32 = 52;
const TIME_ZONE: &str = "Europe/Berlin";

/// What is to be made.
pub struct Demo {
    pub email: EmailAddress,
    pub password: PasswordHash,
    /// The last day of the year, on which something is due.
    pub on: NaiveDate,
    pub seed: u64,
}

/// Whose account was made.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    pub user: UserId,
    pub workspace: WorkspaceId,
}

/// Creates the account and fills its workspace. If that fails, the account is erased again.
pub async fn create(store: &Store, demo: Demo) -> Result<Made> {
    let Demo { email, password, on, seed } = demo;
    let zone = TimeZone::parse(TIME_ZONE).map_err(|rejection| Error::Internal(rejection.detail))?;
    let week_start = |week: u32| {
        let days = u64::from(WEEKS.saturating_sub(week)).saturating_mul(7);
        zone.start_of(on.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN)).instant()
    };
    let clock = ManualClock::at(week_start(0));
    // So that two of them can be in one database.
    let ids = Ids::seeded(seed, email.normalized());
    let past = store.as_of(Arc::new(clock.clone()), ids);
    let fields =
        UserFields { name: "Robin Demo".to_owned(), time_zone: TIME_ZONE.to_owned(), ..UserFields::default() };
    let (user, workspace) =
        past.account_write(move |tx| accounts::create_account(tx, &email, &password, fields)).await?;
    let made = Made { user: user.id, workspace: workspace.id };
    let year = Arc::new(Mutex::new(Year::new(seed, zone)));
    for week in 0..=WEEKS {
        clock.set(week_start(week));
        if let Err(error) = write_week(&past, made, &year, week).await {
            store.account_write(move |tx| accounts::erase_user(tx, made.user)).await?;
            return Err(error);
        }
    }
    Ok(made)
}

async fn write_week(store: &Store, made: Made, year: &Arc<Mutex<Year>>, week: u32) -> Result<()> {
    let context =
        WriteContext { workspace: made.workspace, actor: Actor::User(made.user, None), idempotency: None };
    let year = year.clone();
    let work = move |tx: &mut crate::store::Tx<'_>| -> Result<Answer> {
        let mut year = year.lock().unwrap_or_else(PoisonError::into_inner);
        if week < WEEKS {
            year.live_week(tx, week)?
        } else {
            year.end(tx)?
        }
        Ok(Answer::Empty)
    };
    store.write(context, work).await.map(drop)
}
