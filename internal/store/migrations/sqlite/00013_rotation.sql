-- What is known of a credential's rotations beside its secrets: the highest version that any of them had, since none is
-- used twice, and what was shown of the secret before, to go back to; and from where that one was used while it was in its
-- grace period.

-- +goose Up
CREATE TABLE rotations (
    credential_id  TEXT PRIMARY KEY,
    tenant_id      TEXT NOT NULL,
    latest_version BIGINT NOT NULL,
    previous_hint  TEXT NOT NULL
);

CREATE TABLE previous_secret_uses (
    credential_id TEXT NOT NULL,
    tenant_id     TEXT NOT NULL,
    version       BIGINT NOT NULL,
    source        TEXT NOT NULL,
    user_agent    TEXT NOT NULL,
    last_at       BIGINT NOT NULL,
    calls         BIGINT NOT NULL,
    PRIMARY KEY (credential_id, version, source, user_agent)
);
CREATE INDEX previous_secret_uses_last ON previous_secret_uses (last_at);
