-- The principals of the other kinds of credentials, and what these keep besides a digest.
-- New columns have defaults: the previous release goes on writing rows without them.

-- +goose Up
CREATE TABLE apps (
    row_id          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    tenant_id       TEXT NOT NULL REFERENCES tenants (id),
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name            TEXT NOT NULL,
    name_key        TEXT NOT NULL,
    apis            TEXT NOT NULL,
    state           TEXT NOT NULL,
    external_id     TEXT NOT NULL,
    metadata        TEXT NOT NULL,
    search_text     TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by_name TEXT NOT NULL,
    created_by_key  TEXT NOT NULL
);
CREATE UNIQUE INDEX apps_external_id ON apps (tenant_id, external_id) WHERE external_id <> '' AND state <> 'deleted';
CREATE INDEX apps_name ON apps (tenant_id, name_key, row_id);
CREATE INDEX apps_created ON apps (tenant_id, row_id);
CREATE INDEX apps_organization ON apps (organization_id);

CREATE TABLE service_accounts (
    row_id          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    tenant_id       TEXT NOT NULL REFERENCES tenants (id),
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    email           TEXT NOT NULL,
    email_key       TEXT NOT NULL,
    description     TEXT NOT NULL,
    state           TEXT NOT NULL,
    external_id     TEXT NOT NULL,
    metadata        TEXT NOT NULL,
    search_text     TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by_name TEXT NOT NULL,
    created_by_key  TEXT NOT NULL
);
CREATE UNIQUE INDEX service_accounts_email ON service_accounts (tenant_id, email_key) WHERE state <> 'deleted';
CREATE UNIQUE INDEX service_accounts_external_id ON service_accounts (tenant_id, external_id) WHERE external_id <> '' AND state <> 'deleted';
CREATE INDEX service_accounts_name ON service_accounts (tenant_id, email_key, row_id);
CREATE INDEX service_accounts_created ON service_accounts (tenant_id, row_id);
CREATE INDEX service_accounts_organization ON service_accounts (organization_id);

-- Work on many credentials, done in pieces. input is what the work is, position how far it
-- has come; both are their maker's own.
CREATE TABLE operations (
    id              TEXT PRIMARY KEY,
    tenant_id       TEXT NOT NULL REFERENCES tenants (id),
    action          TEXT NOT NULL,
    state           TEXT NOT NULL,
    total           BIGINT NOT NULL,
    done            BIGINT NOT NULL,
    failed          TEXT NOT NULL,
    input           BLOB,
    position        TEXT NOT NULL,
    created_by_type TEXT NOT NULL,
    created_by_id   TEXT NOT NULL,
    created_by_name TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    finished_at     BIGINT NOT NULL
);
CREATE INDEX operations_due ON operations (created_at) WHERE state <> 'done';

-- One row, from the first catalogue on.
CREATE TABLE catalog (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    document TEXT NOT NULL,
    revision BIGINT NOT NULL
);

ALTER TABLE credentials ADD COLUMN public_id TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX credentials_public_id ON credentials (public_id) WHERE public_id <> '';

ALTER TABLE credential_secrets ADD COLUMN public_key BLOB;
CREATE INDEX credential_secrets_public_key ON credential_secrets (public_key) WHERE public_key IS NOT NULL;
