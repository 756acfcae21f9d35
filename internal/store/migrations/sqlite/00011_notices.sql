-- What was said about credentials that expire, so that each thing is said once.

-- +goose Up
-- When the present expiry was set, where that was after the making, otherwise 0. It has a
-- default: the previous release goes on writing rows without it.
ALTER TABLE credentials ADD COLUMN expires_set_at BIGINT NOT NULL DEFAULT 0;

-- A digest is what a tenant's people are told at one time. It is closed when all that belongs
-- into it is known, and completed when a message for everybody is in the outbox. A tenant has
-- one that is not completed, at most.
CREATE TABLE notice_digests (
    id           TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL REFERENCES tenants (id),
    at           BIGINT NOT NULL,
    closed_at    BIGINT NOT NULL,
    completed_at BIGINT NOT NULL,
    told         TEXT NOT NULL
);
CREATE UNIQUE INDEX notice_digests_open ON notice_digests (tenant_id) WHERE completed_at = 0;
CREATE INDEX notice_digests_completed ON notice_digests (completed_at) WHERE completed_at > 0;

-- The last notice of each credential. It is of one expiry: with another all begins anew.
CREATE TABLE notices (
    credential_id TEXT PRIMARY KEY,
    tenant_id     TEXT NOT NULL,
    expires_at    BIGINT NOT NULL,
    days          INTEGER NOT NULL,
    digest_id     TEXT NOT NULL,
    at            BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX notices_digest ON notices (digest_id, credential_id);
CREATE INDEX notices_expires ON notices (expires_at);
