//! Users and their workspace, and the rules for new passwords. No hashing, and nothing about sessions.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;

use super::cadence::TierCadences;
use super::fields::single_line;
use super::id::{UserId, WorkspaceId};
use super::invalid::{FieldCode, Invalid, Rejection};
use super::locale::{Locale, TimeZone};
use super::scope::Role;
use super::timestamp::Timestamp;

/// The first day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WeekDay {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl WeekDay {
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|day| day.as_str() == name)
    }
}

/// The settings that users can change themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UserFields {
    /// Display name.
    #[schema(required = true, min_length = 1, max_length = 200, example = "Ada Lovelace")]
    pub name: String,
    /// IANA time zone. It only decides when notifications are sent; days are counted in the workspace's time zone.
    #[schema(max_length = 64, pattern = "^\\s*[A-Za-z0-9_+/-]*\\s*$", default = "UTC", example = "Europe/London")]
    pub time_zone: String,
    /// BCP 47 language tag.
    #[schema(max_length = 35, default = "en", example = "en-GB")]
    pub locale: String,
    #[schema(default = "monday")]
    pub week_starts_on: WeekDay,
    /// The local hour at which notifications are sent.
    #[schema(minimum = 0, maximum = 23, default = 8)]
    pub notify_at: i32,
    /// Whether the digest of each day is sent to your address, at the hour `notify_at`. Only where the server sends e-mails.
    #[schema(default = false)]
    pub email_digest: bool,
}

impl Default for UserFields {
    fn default() -> Self {
        Self {
            name: String::new(),
            time_zone: "UTC".to_owned(),
            locale: "en".to_owned(),
            week_starts_on: WeekDay::Monday,
            notify_at: 8,
            email_digest: false,
        }
    }
}

impl UserFields {
    pub const NAME_MAX_CHARACTERS: usize = 200;

    /// The normalized fields, or every error in them.
    pub fn checked(mut self) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        self.name = self.name.trim().to_owned();
        if self.name.is_empty() {
            invalid.add("#/name", Rejection::new(FieldCode::Required, "A name is required and cannot be blank."));
        }
        if self.name.chars().count() > Self::NAME_MAX_CHARACTERS {
            let detail = format!("A name can have at most {} characters.", Self::NAME_MAX_CHARACTERS);
            invalid.add("#/name", Rejection::too_long(Self::NAME_MAX_CHARACTERS, detail));
        }
        invalid.check("#/time_zone", TimeZone::parse(&self.time_zone));
        if let Some(locale) = invalid.check("#/locale", Locale::parse(&self.locale)) {
            self.locale = locale.to_string();
        }
        invalid.into_result(self)
    }
}

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The e-mail address to log in with, compared case-insensitively.
    #[schema(example = "ada@example.com")]
    pub email: String,
    #[serde(flatten)]
    pub fields: UserFields,
    /// When the user signed up.
    pub created_at: Timestamp,
    /// When the user last changed.
    pub updated_at: Timestamp,
    /// Increases with every change of this user or of the settings of their workspace.
    #[schema(example = 1)]
    pub version: i64,
}

/// The settings of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkspaceFields {
    /// Display name.
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    pub name: String,
    /// IANA time zone in which days are counted; initially that of its first user.
    #[schema(max_length = 64, pattern = "^\\s*[A-Za-z0-9_+/-]*\\s*$", example = "Europe/London")]
    pub time_zone: String,
    /// How often to be in touch with the contacts of each tier.
    #[serde(default)]
    pub tier_cadences: TierCadences,
}

impl WorkspaceFields {
    /// The normalized fields, or every error in them.
    pub fn checked(mut self) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        self.name = single_line(&self.name);
        if self.name.is_empty() {
            invalid.add("#/name", Rejection::new(FieldCode::Required, "A name is required and cannot be blank."));
        }
        invalid.check("#/time_zone", TimeZone::parse(&self.time_zone));
        self.tier_cadences.check("tier_cadences", &mut invalid);
        invalid.into_result(self)
    }
}

/// The owner of every record: the network of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Workspace {
    /// The workspace's id.
    pub id: WorkspaceId,
    #[serde(flatten)]
    pub fields: WorkspaceFields,
    /// The caller's role in the workspace.
    pub role: Role,
}

/// The password in the form in which it is hashed. Keyboards compose letters differently: ü is one character or two.
pub fn composed(password: &str) -> String {
    password.nfc().collect()
}

/// The forms in which the password may have been hashed, before all were composed.
pub fn forms_of(password: &str) -> Vec<String> {
    let mut forms = vec![composed(password), password.to_owned(), password.nfd().collect()];
    forms.dedup();
    forms
}

/// A password that is long enough and hard to guess.
#[derive(Clone)]
pub struct NewPassword(String);

impl NewPassword {
    pub const MIN_CHARACTERS: usize = 15;
    /// argon2 takes more, but nobody types more, and attackers could make the server hash long ones.
    pub const MAX_CHARACTERS: usize = 256;

    /// `known` are words that an attacker would try: the user's address and name.
    pub fn parse(text: &str, known: &[&str]) -> Result<Self, Rejection> {
        let text = &composed(text);
        let characters = text.chars().count();
        if characters < Self::MIN_CHARACTERS {
            let detail = format!(
                "A password must have at least {} characters of any kind; a sentence works well. This one has {characters}.",
                Self::MIN_CHARACTERS
            );
            return Err(Rejection::too_short(Self::MIN_CHARACTERS, detail));
        }
        if characters > Self::MAX_CHARACTERS {
            let detail = format!("A password can have at most {} characters.", Self::MAX_CHARACTERS);
            return Err(Rejection::too_long(Self::MAX_CHARACTERS, detail));
        }
        if strength(text, known) < 3 {
            let detail = "This password is too easy to guess: it is common, a pattern, or based on your name or e-mail \
                          address.";
            return Err(Rejection::new(FieldCode::NotAllowed, detail));
        }
        Ok(Self(text.to_owned()))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// zxcvbn scores this many characters; the rest can only make a password stronger.
const SCORED_CHARACTERS: usize = 72;

/// In how many ways zxcvbn may read the digits and signs of a text as letters. It looks up every part of the text in each
/// of them: 72 characters with all signs in them take it 0.4 s, with so many readings some 15 ms.
const MAX_READINGS: usize = 16;

/// The digits and signs that zxcvbn reads as a letter, by letter.
const SIGNS: [&str; 12] = ["4@", "8", "({[<", "3", "69", "1!|", "1|7", "0", "$5", "+7", "%", "2"];

/// zxcvbn's score, 0 to 4, of the strongest piece of a password: the whole is at least as hard to guess.
fn strength(password: &str, known: &[&str]) -> u8 {
    let scores = pieces(password).into_iter().map(|piece| u8::from(zxcvbn::zxcvbn(&piece, known).score()));
    scores.max().unwrap_or(0)
}

/// The scored characters, cut where there would be too many readings.
fn pieces(password: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for character in password.chars().take(SCORED_CHARACTERS) {
        let Some(piece) = pieces.last_mut() else { break };
        piece.push(character);
        if readings(piece) > MAX_READINGS {
            piece.pop();
            pieces.push(character.to_string());
        }
    }
    pieces
}

fn readings(text: &str) -> usize {
    let of_letter = |signs: &&str| signs.chars().filter(|sign| text.contains(*sign)).count().max(1);
    SIGNS.iter().map(of_letter).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scoring_a_password_is_bounded_work() {
        let hostile = "4@8({[<3691!|1710$5+7%2".repeat(11);
        let pieces = pieces(&hostile);
        assert_eq!(pieces.concat(), hostile.chars().take(SCORED_CHARACTERS).collect::<String>());
        assert!(pieces.iter().all(|piece| readings(piece) <= MAX_READINGS), "{pieces:?}");
        let plain = "the quick brown fox jumps over the lazy dog".to_owned();
        assert_eq!(super::pieces(&plain), [plain]);
    }

    #[test]
    fn a_random_password_of_all_signs_is_strong() {
        assert!(strength("}7(Kq<4@|z!8$[t5%1{e+", &[]) >= 3);
        assert!(strength("4@8({[<3691!|1710", &[]) >= 3);
    }

    #[test]
    fn a_password_is_long_and_not_a_common_one() {
        let table = [
            ("correct horse battery staple", None),
            ("пароль из пятнадцати", None),
            ("fourteen chars", Some(FieldCode::TooShort)),
            ("aaaaaaaaaaaaaaaaaaaa", Some(FieldCode::NotAllowed)),
            ("passwordpassword", Some(FieldCode::NotAllowed)),
            ("1234567890123456", Some(FieldCode::NotAllowed)),
        ];
        for (text, expected) in table {
            assert_eq!(NewPassword::parse(text, &[]).err().map(|rejection| rejection.code), expected, "{text}");
        }
        let letters = NewPassword::parse("gru\u{308}ße aus dem schwarzwald 77", &[]).unwrap();
        assert_eq!(letters.expose(), "grüße aus dem schwarzwald 77");
        assert_eq!(forms_of("plain words"), ["plain words"]);
        assert_eq!(forms_of("ü"), ["ü", "u\u{308}"]);
        let long = "ab1 ".repeat(65);
        assert_eq!(NewPassword::parse(&long, &[]).err().map(|r| r.code), Some(FieldCode::TooLong));
    }
}
