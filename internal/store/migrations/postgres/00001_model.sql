-- Times are microseconds since the Unix epoch, 0 for none; an expiry of 9223372036854775807
-- is never. Text columns are empty rather than null. Hot tables (credentials, material,
-- audit, feed, usage) have no foreign keys: every check would cost each issued key a look-up,
-- and what they name is never removed, only marked as deleted.

-- Text compares as bytes (collation C), as in SQLite: pages come in the same order, and
-- comparing costs less.

-- +goose Up
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- One row. Every write transaction locks it first, so writers form a line, revisions are
-- given out in commit order, and the feed has no gaps.
CREATE TABLE feed_head (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    revision        BIGINT NOT NULL,
    rights_revision BIGINT NOT NULL,
    writes          BIGINT NOT NULL
);
INSERT INTO feed_head (id, revision, rights_revision, writes) VALUES (1, 0, 0, 0);

CREATE TABLE feed (
    revision  BIGINT PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL,
    item_type INTEGER NOT NULL,
    item_id   TEXT COLLATE "C" NOT NULL
);

CREATE TABLE settings (
    key   TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

CREATE TABLE plans (
    id          TEXT COLLATE "C" PRIMARY KEY,
    key         TEXT COLLATE "C" NOT NULL UNIQUE,
    name        TEXT COLLATE "C" NOT NULL,
    api_access  BOOLEAN NOT NULL,
    permissions TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE tenants (
    row_id      BIGINT PRIMARY KEY,
    id          TEXT COLLATE "C" NOT NULL UNIQUE,
    slug        TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    name_key    TEXT COLLATE "C" NOT NULL,
    account_id  BIGINT NOT NULL UNIQUE,
    plan_id     TEXT COLLATE "C" REFERENCES plans (id),
    root_org    TEXT COLLATE "C" NOT NULL,
    state       TEXT COLLATE "C" NOT NULL,
    policy      TEXT COLLATE "C" NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    metadata    TEXT COLLATE "C" NOT NULL,
    search_text TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    modified_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX tenants_slug ON tenants (slug) WHERE state <> 'deleted';
CREATE UNIQUE INDEX tenants_external_id ON tenants (external_id) WHERE external_id <> '' AND state <> 'deleted';
CREATE INDEX tenants_name ON tenants (name_key, row_id);
CREATE INDEX tenants_plan ON tenants (plan_id);

CREATE TABLE tenant_keysets (
    tenant_id   TEXT COLLATE "C" PRIMARY KEY REFERENCES tenants (id),
    wrapped     BYTEA NOT NULL,
    modified_at BIGINT NOT NULL
);

-- path is "/org_root/org_child/", so that "at and below" is a range.
CREATE TABLE organizations (
    row_id      BIGINT PRIMARY KEY,
    id          TEXT COLLATE "C" NOT NULL UNIQUE,
    tenant_id   TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    parent_id   TEXT COLLATE "C" NOT NULL,
    path        TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    name_key    TEXT COLLATE "C" NOT NULL,
    state       TEXT COLLATE "C" NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    metadata    TEXT COLLATE "C" NOT NULL,
    search_text TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX organizations_path ON organizations (tenant_id, path);
CREATE INDEX organizations_name ON organizations (tenant_id, name_key, row_id);
CREATE INDEX organizations_created ON organizations (tenant_id, row_id);
CREATE UNIQUE INDEX organizations_external_id ON organizations (tenant_id, external_id) WHERE external_id <> '' AND state <> 'deleted';

-- folded is the user name after NFKC and case folding, by which people are found.
CREATE TABLE users (
    row_id          BIGINT PRIMARY KEY,
    id              TEXT COLLATE "C" NOT NULL UNIQUE,
    tenant_id       TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    username        TEXT COLLATE "C" NOT NULL,
    folded          TEXT COLLATE "C" NOT NULL,
    display_name    TEXT COLLATE "C" NOT NULL,
    name_key        TEXT COLLATE "C" NOT NULL,
    email           TEXT COLLATE "C" NOT NULL,
    licence         TEXT COLLATE "C" NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,
    external_id     TEXT COLLATE "C" NOT NULL,
    metadata        TEXT COLLATE "C" NOT NULL,
    search_text     TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_folded ON users (tenant_id, folded) WHERE state <> 'deleted';
CREATE UNIQUE INDEX users_external_id ON users (tenant_id, external_id) WHERE external_id <> '' AND state <> 'deleted';
CREATE INDEX users_name ON users (tenant_id, name_key, row_id);
CREATE INDEX users_created ON users (tenant_id, row_id);
CREATE INDEX users_organization ON users (organization_id);

CREATE TABLE roles (
    id          TEXT COLLATE "C" PRIMARY KEY,
    tenant_id   TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    name        TEXT COLLATE "C" NOT NULL,
    name_key    TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    built_in    TEXT COLLATE "C" NOT NULL,
    permissions TEXT COLLATE "C" NOT NULL,
    includes    TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    deleted_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX roles_name ON roles (tenant_id, name_key) WHERE deleted_at = 0;

CREATE TABLE assignments (
    row_id          BIGINT PRIMARY KEY,
    id              TEXT COLLATE "C" NOT NULL UNIQUE,
    tenant_id       TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    principal_type  TEXT COLLATE "C" NOT NULL,
    principal_id    TEXT COLLATE "C" NOT NULL,
    role_id         TEXT COLLATE "C" NOT NULL REFERENCES roles (id),
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    created_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX assignments_once ON assignments (tenant_id, principal_id, role_id, organization_id, principal_type);
CREATE INDEX assignments_role ON assignments (role_id, row_id);
CREATE INDEX assignments_organization ON assignments (organization_id, role_id);
CREATE INDEX assignments_created ON assignments (tenant_id, row_id);

-- All kinds. row_id is the feed's revision at creation: rows are in order of creation.
CREATE TABLE credentials (
    row_id          BIGINT PRIMARY KEY,
    id              TEXT COLLATE "C" NOT NULL,
    tenant_id       TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    kind            TEXT COLLATE "C" NOT NULL,
    principal_type  TEXT COLLATE "C" NOT NULL,
    principal_id    TEXT COLLATE "C" NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,
    secret_version  INTEGER NOT NULL,
    not_before      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    deleted_at      BIGINT NOT NULL,
    scopes          TEXT COLLATE "C" NOT NULL,
    networks        TEXT COLLATE "C" NOT NULL,
    limits          TEXT COLLATE "C" NOT NULL,
    external_id     TEXT COLLATE "C" NOT NULL,
    metadata        TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    name_key        TEXT COLLATE "C" NOT NULL,
    hint            TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by_type TEXT COLLATE "C" NOT NULL,
    created_by_id   TEXT COLLATE "C" NOT NULL,
    created_by_name TEXT COLLATE "C" NOT NULL,
    ended_at        BIGINT NOT NULL,
    last_used_at    BIGINT NOT NULL,
    search_text     TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX credentials_id ON credentials (id);
CREATE UNIQUE INDEX credentials_external_id ON credentials (tenant_id, external_id) WHERE external_id <> '';
CREATE INDEX credentials_name ON credentials (tenant_id, name_key, row_id);
CREATE INDEX credentials_created ON credentials (tenant_id, row_id);
CREATE INDEX credentials_expires ON credentials (tenant_id, expires_at, row_id);
CREATE INDEX credentials_used ON credentials (tenant_id, last_used_at, row_id);
CREATE INDEX credentials_organization ON credentials (organization_id, row_id);
CREATE INDEX credentials_principal ON credentials (principal_id, row_id);
CREATE INDEX credentials_creator ON credentials (created_by_id, row_id);
CREATE INDEX credentials_due ON credentials (expires_at) WHERE state IN ('active', 'suspended') AND expires_at < 9223372036854775807;

-- Trigrams of search_text, which is folded and has two spaces before each word: so "  a"
-- and "  ab" find words by their first one or two letters, too.
CREATE INDEX credentials_search ON credentials USING gin (search_text gin_trgm_ops);

-- The rows of one credential lie together and in the order of credentials.
CREATE TABLE credential_secrets (
    row_id         BIGINT NOT NULL,
    field          TEXT COLLATE "C" NOT NULL,
    version        INTEGER NOT NULL,
    digest         BYTEA NOT NULL,
    pepper_version INTEGER NOT NULL,
    valid_until    BIGINT NOT NULL,
    sealed         BYTEA,
    PRIMARY KEY (row_id, field, version)
);

CREATE TABLE audit_events (
    tenant_id       TEXT COLLATE "C" NOT NULL,
    sequence        BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    action          TEXT COLLATE "C" NOT NULL,
    actor_type      TEXT COLLATE "C" NOT NULL,
    actor_id        TEXT COLLATE "C" NOT NULL,
    actor_name      TEXT COLLATE "C" NOT NULL,
    actor_tenant    TEXT COLLATE "C" NOT NULL,
    via             TEXT COLLATE "C" NOT NULL,
    credential_id   TEXT COLLATE "C" NOT NULL,
    session_id      TEXT COLLATE "C" NOT NULL,
    source          TEXT COLLATE "C" NOT NULL,
    user_agent      TEXT COLLATE "C" NOT NULL,
    request_id      TEXT COLLATE "C" NOT NULL,
    target_type     TEXT COLLATE "C" NOT NULL,
    target_id       TEXT COLLATE "C" NOT NULL,
    target_name     TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    before          TEXT COLLATE "C",
    after           TEXT COLLATE "C",
    previous        BYTEA NOT NULL,
    hash            BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, sequence)
);
CREATE INDEX audit_events_target ON audit_events (target_id, sequence);

CREATE TABLE audit_heads (
    tenant_id TEXT COLLATE "C" PRIMARY KEY,
    sequence  BIGINT NOT NULL,
    hash      BYTEA NOT NULL,
    linked    BIGINT NOT NULL
);

CREATE TABLE audit_links (
    sequence BIGINT PRIMARY KEY,
    at       BIGINT NOT NULL,
    heads    TEXT COLLATE "C" NOT NULL,
    previous BYTEA NOT NULL,
    hash     BYTEA NOT NULL
);

CREATE TABLE passwords (
    user_id     TEXT COLLATE "C" PRIMARY KEY,
    tenant_id   TEXT COLLATE "C" NOT NULL,
    hash        TEXT COLLATE "C" NOT NULL,
    modified_at BIGINT NOT NULL
);

CREATE TABLE one_time_links (
    token_hash BYTEA PRIMARY KEY,
    tenant_id  TEXT COLLATE "C" NOT NULL,
    purpose    TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL,
    data       BYTEA,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX one_time_links_user ON one_time_links (user_id, purpose);

CREATE TABLE sessions (
    token_hash      BYTEA PRIMARY KEY,
    public_id       TEXT COLLATE "C" NOT NULL UNIQUE,
    tenant_id       TEXT COLLATE "C" NOT NULL,
    user_id         TEXT COLLATE "C" NOT NULL,
    data            BYTEA NOT NULL,
    source          TEXT COLLATE "C" NOT NULL,
    user_agent      TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT NOT NULL,
    seen_at         BIGINT NOT NULL,
    idle_expires_at BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (idle_expires_at);

CREATE TABLE idempotency (
    tenant_id    TEXT COLLATE "C" NOT NULL,
    scope        TEXT COLLATE "C" NOT NULL,
    key          TEXT COLLATE "C" NOT NULL,
    request_hash BYTEA NOT NULL,
    status       INTEGER NOT NULL,
    body         BYTEA,
    expires_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, scope, key)
);
CREATE INDEX idempotency_expires ON idempotency (expires_at);

CREATE TABLE usage_hours (
    credential_id TEXT COLLATE "C" NOT NULL,
    hour          BIGINT NOT NULL,
    code          TEXT COLLATE "C" NOT NULL,
    tenant_id     TEXT COLLATE "C" NOT NULL,
    calls         BIGINT NOT NULL,
    PRIMARY KEY (credential_id, hour, code)
);

CREATE TABLE quota_usage (
    credential_id TEXT COLLATE "C" NOT NULL,
    name          TEXT COLLATE "C" NOT NULL,
    period_start  BIGINT NOT NULL,
    tenant_id     TEXT COLLATE "C" NOT NULL,
    used          BIGINT NOT NULL,
    PRIMARY KEY (credential_id, name, period_start)
);
