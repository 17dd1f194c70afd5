//! Every error there is. `openapi/errors.md` is made from it.

use crate::domain::invalid::FieldCode;
use crate::store::LeftAloneReason;

macro_rules! catalog {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// Every error this API answers with. The codes are public and stable: clients branch on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $doc])* $name,)*
        }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable name in `code`, and the end of the `type` URI.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What it means and what to do, for the generated pages.
            pub fn meaning(self) -> String {
                match self { $(Self::$name => concat!($($doc),*).trim().to_owned(),)* }
            }

            pub fn parse(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == code)
            }
        }
    };
}

catalog! {
    /// The request is malformed, or a browser sent it from an origin that this server does not allow.
    BadRequest = "bad_request", 400, "Bad request";
    /// The body is not JSON, is nested deeper than 64 levels, or has the same field twice. Send one JSON object.
    InvalidJson = "invalid_json", 400, "Invalid JSON";
    /// A query parameter or header has an invalid value, or the query string is malformed; the detail says what is
    /// allowed.
    InvalidParameter = "invalid_parameter", 400, "Invalid parameter";
    /// The query string has a parameter that this operation does not support; the detail lists the supported ones.
    UnknownParameter = "unknown_parameter", 400, "Unknown parameter";
    /// The cursor was modified, or belongs to another list: another workspace, filter or sort. Start again without
    /// a cursor.
    InvalidCursor = "invalid_cursor", 400, "Invalid cursor";
    /// This operation does not support `Idempotency-Key`: its response may contain a secret, which is not stored, or is
    /// empty. Send the request without the key.
    IdempotencyNotAllowed = "idempotency_not_allowed", 400, "Idempotency-Key not allowed";
    /// No token was sent, or it is unknown, expired or revoked. Log in, or refresh the token.
    Unauthenticated = "unauthenticated", 401, "Authentication required";
    /// There is no account with this e-mail address and password.
    InvalidCredentials = "invalid_credentials", 401, "Wrong e-mail address or password";
    /// The refresh token is unknown or was already used, or its session has ended. Log in again.
    InvalidRefreshToken = "invalid_refresh_token", 401, "Invalid refresh token";
    /// The token lacks scopes that the operation requires; the detail names them.
    InsufficientScope = "insufficient_scope", 403, "Insufficient scope";
    /// Your role in this workspace does not allow the operation.
    InsufficientRole = "insufficient_role", 403, "Insufficient role";
    /// This server does not accept new accounts. Ask its operator for one.
    RegistrationClosed = "registration_closed", 403, "Registration is closed";
    /// This server sends no e-mails. Ask its operator for a new password.
    MailNotConfigured = "mail_not_configured", 403, "No e-mail";
    /// Either it does not exist or you cannot access it.
    NotFound = "not_found", 404, "Not found";
    /// The resource does not support this method; `Allow` lists the supported ones.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed";
    /// The body did not arrive in time. Nothing was done; send it again.
    BodyTimeout = "body_timeout", 408, "Request timeout";
    /// A record with this id already exists.
    IdTaken = "id_taken", 409, "Id already in use";
    /// A record with this id was deleted less than 30 days ago. Restore it (unless it was purged), or choose
    /// another id.
    Deleted = "deleted", 409, "Record deleted";
    /// The record was merged into another one, which `record` identifies and which a GET of the old id returns.
    /// Write to that one.
    Merged = "merged", 409, "Record merged";
    /// Another record, `record`, has this name; case and accents are ignored. Choose another name, or merge the
    /// two.
    NameTaken = "name_taken", 409, "Name already in use";
    /// Another account has this e-mail address. Log in instead.
    EmailTaken = "email_taken", 409, "E-mail address already in use";
    /// The contact that represents you cannot be deleted, or merged into another. It can be updated, and others
    /// can be merged into it.
    SelfContact = "self_contact", 409, "This contact represents you";
    /// You are the only owner of a workspace that has other members. Make someone else an owner first.
    LastOwner = "last_owner", 409, "A shared workspace needs an owner";
    /// The record cannot go from its current state, `state`, to the requested one; `allowed` lists the states that it can
    /// go to. `record` identifies the record.
    InvalidTransition = "invalid_transition", 409, "Invalid transition";
    /// You introduce the two, and not both have agreed; the detail says whose consent is missing. Ask them, and set
    /// `consent_a` and `consent_b` to `given`.
    ConsentMissing = "consent_missing", 409, "A consent is missing";
    /// The next record of the series, `record`, has been changed since it was created. Edit or delete that one first.
    SeriesContinued = "series_continued", 409, "The series has continued";
    /// The event has not begun, is cancelled or postponed, or you were not there; the detail says which. Update the event
    /// first.
    DebriefNotPossible = "debrief_not_possible", 409, "The event cannot be debriefed";
    /// Another operation is running in this workspace; `operation` is its id. Wait until it has finished, or cancel it, then
    /// retry.
    OperationRunning = "operation_running", 409, "An operation is running";
    /// Nothing of the write could be reverted; `left_alone` lists each record with the reason.
    RevertBlocked = "revert_blocked", 409, "Nothing could be reverted";
    /// The record could not be restored with everything that was deleted with it. `left_alone` lists what is
    /// missing or taken; the detail gives the number of the write, which can be reverted without that, or says that
    /// what was deleted is no longer kept.
    RestoreBlocked = "restore_blocked", 409, "The record could not be restored";
    /// The token of the e-mail is unknown, was used before, or has expired. Request a new one.
    InvalidResetToken = "invalid_reset_token", 409, "Invalid token";
    /// The maximum number has been reached. Delete some first.
    LimitReached = "limit_reached", 409, "Limit reached";
    /// The cursor is older than the log of changes, older than the restore of a backup, or from a list that
    /// returned fewer kinds of record than this one. Start again without a cursor.
    CursorExpired = "cursor_expired", 410, "Cursor expired";
    /// The record does not meet the precondition: it has changed since you read it, or it exists although
    /// `If-None-Match: *` was sent. `ETag` is the current one. Read the record again, apply your changes to it,
    /// and retry.
    PreconditionFailed = "precondition_failed", 412, "Precondition failed";
    /// The body has more bytes or values than the documented limit.
    BodyTooLarge = "body_too_large", 413, "Body too large";
    /// The reply is too long to be stored under the Idempotency-Key. Nothing was done: send fewer operations or records in one
    /// request, or send it without the key.
    ReplyTooLong = "reply_too_large", 413, "Reply too long to be stored";
    /// Send `Content-Type: application/json`.
    UnsupportedMediaType = "unsupported_media_type", 415, "Unsupported media type";
    /// Send the body as it is, without `Content-Encoding`.
    UnsupportedEncoding = "unsupported_content_encoding", 415, "Unsupported content encoding";
    /// The body is well-formed, but some values are invalid; `errors` lists them, each with a JSON pointer.
    Invalid = "invalid", 422, "Invalid values";
    /// The Idempotency-Key was used before with another request. Use a new key for a new request.
    IdempotencyKeyReused = "idempotency_key_reused", 422, "Idempotency-Key already used";
    /// Another operation of the atomic batch failed, and nothing was done. Fix that operation, and send the batch
    /// again.
    FailedDependency = "failed_dependency", 424, "Another operation failed";
    /// A PUT requires a precondition: `If-None-Match: *` to create the record, `If-Match` to replace it.
    PreconditionRequired = "precondition_required", 428, "Precondition required";
    /// Too many requests; `Retry-After` says when to retry.
    RateLimited = "rate_limited", 429, "Too many requests";
    /// As many replies are stored under Idempotency-Keys as the workspace may have; each is stored for 24 hours. Nothing was
    /// done: send the request without a key, or later.
    TooManyStoredReplies = "too_many_stored_replies", 429, "Too many stored replies";
    /// An error of this server. Its log has the cause under the request id.
    Internal = "internal", 500, "Internal server error";
    /// The server is overloaded. Nothing was done; `Retry-After` says when to retry.
    Busy = "busy", 503, "The server is busy";
    /// The database cannot be reached, or cannot write. Nothing was done; `Retry-After` says when to retry.
    DatabaseUnavailable = "database_unavailable", 503, "The database is not available";
    /// The database was lost, or did not respond in time, while the request was carried out: it may have been, and it may not.
    /// Repeat it under the same Idempotency-Key, which carries it out once; without a key, read what is stored first.
    OutcomeUnknown = "outcome_unknown", 503, "The outcome is not known";
    /// The server is stopping, or the database does not respond.
    NotReady = "not_ready", 503, "The server is not ready";
}

/// `openapi/errors.md`: the catalog, for people.
pub fn catalog_markdown() -> String {
    let mut out = String::from(
        "# Errors\n\n\
         Generated from the code; do not edit. Every answer of 400 and above to a request whose head could be read is \
         `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`, `instance` and `code`. \
         Branch on `code`. A 400 that is about a query parameter or a request header names it in `parameter`; `params` has \
         the numbers and words of the detail, such as `{\"min\": 1, \"max\": 200}`, for clients that say it in another \
         language.\n\n\
         A request whose head cannot be read as HTTP never reaches the program: the HTTP library answers 400 without a \
         body and closes the connection. So it does if the URL has 65,535 bytes or more; with 431 if the whole head is longer \
         than 131,072 bytes or has more than 96 headers; and with 408 if the head does not arrive within 10 seconds.\n\n\
         | status | code | meaning, and what to do |\n\
         |---|---|---|\n",
    );
    for code in Code::ALL {
        out.push_str(&format!("| {} | `{}` | {} |\n", code.status(), code.as_str(), code.meaning()));
    }
    out.push_str(
        "\n## Codes in `errors`\n\nA 422 `invalid` lists the invalid values, each with a JSON pointer and `params`, at \
         most 100 of them. An `unknown_reference` to a record that was merged into another has that one in `record`.\n\n\
         | code | meaning |\n|---|---|\n",
    );
    for code in FieldCode::ALL {
        out.push_str(&format!("| `{}` | {} |\n", code.as_str(), code.meaning()));
    }
    out.push_str("\n## Reasons in `left_alone`\n\nWhy a revert does not touch a record.\n\n| reason | meaning |\n|---|---|\n");
    for reason in LeftAloneReason::ALL {
        out.push_str(&format!("| `{}` | {} |\n", reason.as_str(), reason.detail()));
    }
    out
}
