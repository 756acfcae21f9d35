-- Keys that other systems made: how these digested them, whether they are weak, and until
-- when a tenant's own people may bring them in. An import is an operation; of it, every line
-- that was refused is kept, and, while it only tries, the digests that it has seen.
-- New columns have defaults: the previous release goes on writing rows without them.

-- +goose Up
ALTER TABLE credential_secrets ADD COLUMN scheme TEXT NOT NULL DEFAULT '';
ALTER TABLE credential_secrets ADD COLUMN weak INTEGER NOT NULL DEFAULT 0;
CREATE INDEX credential_secrets_imported ON credential_secrets (digest) WHERE scheme <> '';

ALTER TABLE credentials ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;

ALTER TABLE tenants ADD COLUMN import_until BIGINT NOT NULL DEFAULT 0;

CREATE TABLE import_refusals (
    operation_id TEXT NOT NULL,
    line         BIGINT NOT NULL,
    tenant_id    TEXT NOT NULL REFERENCES tenants (id),
    code         TEXT NOT NULL,
    message      TEXT NOT NULL,
    PRIMARY KEY (operation_id, line)
) WITHOUT ROWID;

CREATE TABLE import_digests (
    operation_id TEXT NOT NULL,
    digest       BLOB NOT NULL,
    tenant_id    TEXT NOT NULL REFERENCES tenants (id),
    PRIMARY KEY (operation_id, digest)
) WITHOUT ROWID;
