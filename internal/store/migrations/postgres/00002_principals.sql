-- The principals of the other kinds of credentials, and what these keep besides a digest.
-- New columns have defaults: the previous release goes on writing rows without them.

-- +goose Up
CREATE TABLE apps (
    row_id          BIGINT PRIMARY KEY,
    id              TEXT COLLATE "C" NOT NULL UNIQUE,
    tenant_id       TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    name            TEXT COLLATE "C" NOT NULL,
    name_key        TEXT COLLATE "C" NOT NULL,
    apis            TEXT COLLATE "C" NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,
    external_id     TEXT COLLATE "C" NOT NULL,
    metadata        TEXT COLLATE "C" NOT NULL,
    search_text     TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by_name TEXT COLLATE "C" NOT NULL,
    created_by_key  TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX apps_external_id ON apps (tenant_id, external_id) WHERE external_id <> '' AND state <> 'deleted';
CREATE INDEX apps_name ON apps (tenant_id, name_key, row_id);
CREATE INDEX apps_created ON apps (tenant_id, row_id);
CREATE INDEX apps_organization ON apps (organization_id);

CREATE TABLE service_accounts (
    row_id          BIGINT PRIMARY KEY,
    id              TEXT COLLATE "C" NOT NULL UNIQUE,
    tenant_id       TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    email           TEXT COLLATE "C" NOT NULL,
    email_key       TEXT COLLATE "C" NOT NULL,
    description     TEXT COLLATE "C" NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,
    external_id     TEXT COLLATE "C" NOT NULL,
    metadata        TEXT COLLATE "C" NOT NULL,
    search_text     TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by_name TEXT COLLATE "C" NOT NULL,
    created_by_key  TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX service_accounts_email ON service_accounts (tenant_id, email_key) WHERE state <> 'deleted';
CREATE UNIQUE INDEX service_accounts_external_id ON service_accounts (tenant_id, external_id) WHERE external_id <> '' AND state <> 'deleted';
CREATE INDEX service_accounts_name ON service_accounts (tenant_id, email_key, row_id);
CREATE INDEX service_accounts_created ON service_accounts (tenant_id, row_id);
CREATE INDEX service_accounts_organization ON service_accounts (organization_id);

-- Work on many credentials, done in pieces. input is what the work is, position how far it
-- has come; both are their maker's own.
CREATE TABLE operations (
    id              TEXT COLLATE "C" PRIMARY KEY,
    tenant_id       TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    action          TEXT COLLATE "C" NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,
    total           BIGINT NOT NULL,
    done            BIGINT NOT NULL,
    failed          TEXT COLLATE "C" NOT NULL,
    input           BYTEA,
    position        TEXT COLLATE "C" NOT NULL,
    created_by_type TEXT COLLATE "C" NOT NULL,
    created_by_id   TEXT COLLATE "C" NOT NULL,
    created_by_name TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT NOT NULL,
    finished_at     BIGINT NOT NULL
);
CREATE INDEX operations_due ON operations (created_at) WHERE state <> 'done';

-- One row, from the first catalogue on.
CREATE TABLE catalog (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    document TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL
);

ALTER TABLE credentials ADD COLUMN public_id TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE UNIQUE INDEX credentials_public_id ON credentials (public_id) WHERE public_id <> '';

ALTER TABLE credential_secrets ADD COLUMN public_key BYTEA;
CREATE INDEX credential_secrets_public_key ON credential_secrets (public_key) WHERE public_key IS NOT NULL;
