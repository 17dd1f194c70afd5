//! Work on passwords, at most two at a time and never on a thread that serves requests: hashing them with argon2id, and
//! telling how strong new ones are.

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

use crate::api::http::messages::problem::{Code, Problem};
use crate::domain::account::{NewPassword, forms_of};
use crate::store::accounts::PasswordHash;

/// A hash takes 19 MiB and some 27 ms.
const AT_ONCE: usize = 2;
/// How many may run or wait. Whoever finds so many is refused at once.
const QUEUE: usize = 64;
/// Whoever waits longer is told to come again.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A hash of no known password (its salt and output are random). It is verified when there is no account, so that an unknown
/// address takes the same time as a known one.
const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$dqbXuBhnp5O7apMEE3Jl8A$OhQ1SbzrOnVe3hqOxDPBe4WPzJ+Ly8y5I0EKokgVBro";

#[derive(Clone)]
pub struct Passwords {
    queue: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        let (queue, places) = (Semaphore::new(QUEUE), Semaphore::new(AT_ONCE));
        Self { queue: Arc::new(queue), places: Arc::new(places) }
    }
}

impl Passwords {
    pub async fn hash(&self, password: NewPassword) -> Result<PasswordHash, Problem> {
        self.run(move || hash(password.expose())).await?.map_err(internal)
    }

    /// Whether the password is the one behind the hash; without a hash, false after the same work.
    pub async fn verify(&self, password: String, hash: Option<PasswordHash>) -> Result<bool, Problem> {
        let (known, hash) = (hash.is_some(), hash.unwrap_or_else(|| PasswordHash(DUMMY_HASH.to_owned())));
        let fits = self.run(move || verify(&password, &hash)).await?;
        Ok(known && fits)
    }

    /// Runs work on a password when its turn comes: scoring a new one, say.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let busy = || Problem::new(Code::Busy).caused_by("too many passwords to check");
        let queued = self.queue.clone().try_acquire_owned().map_err(|_| busy())?;
        let waited = tokio::time::timeout(LONGEST_WAIT, self.places.clone().acquire_owned()).await;
        let place = waited.map_err(|_| busy())?.map_err(internal)?;
        // The work holds its place to its end, even if nobody waits for it any more.
        let run = move || {
            let _held = (queued, place);
            work()
        };
        tokio::task::spawn_blocking(run).await.map_err(internal)
    }
}

/// argon2id with m = 19456 KiB, t = 2, p = 1 and a random salt, in PHC form.
pub fn hash(password: &str) -> Result<PasswordHash, argon2::password_hash::Error> {
    Ok(PasswordHash(Argon2::default().hash_password(password.as_bytes())?.to_string()))
}

/// Hashes that are older than the rule to compose passwords are of what was typed then.
fn verify(password: &str, hash: &PasswordHash) -> bool {
    let fits = |hash: &Phc| {
        let mut forms = forms_of(password).into_iter();
        forms.any(|form| Argon2::default().verify_password(form.as_bytes(), hash).is_ok())
    };
    Phc::new(&hash.0).is_ok_and(|hash| fits(&hash))
}

fn internal(error: impl std::fmt::Display) -> Problem {
    Problem::new(Code::Internal).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dummy_hash_costs_as_much_as_a_new_one() {
        let cost = |hash: &str| {
            let hash = Phc::new(hash).unwrap();
            (
                hash.algorithm,
                hash.version,
                hash.params.clone(),
                hash.salt.map(|salt| salt.len()),
                hash.hash.map(|hash| hash.len()),
            )
        };
        assert_eq!(cost(DUMMY_HASH), cost(&hash("a new password").unwrap().0));
        assert!(!verify("a new password", &PasswordHash(DUMMY_HASH.to_owned())));
    }
}
