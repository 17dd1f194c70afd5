-- Whether the user gets the digest of each day by e-mail.
ALTER TABLE users ADD COLUMN email_digest INTEGER NOT NULL DEFAULT 0;

-- Tokens by which a forgotten password is replaced; only their hashes.
CREATE TABLE password_resets (
    token_hash BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id),
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX password_resets_user ON password_resets (user_id);
CREATE INDEX password_resets_expires ON password_resets (expires_at);
