-- Times are microseconds since the Unix epoch, 0 for none; an expiry of 9223372036854775807
-- is never. Text columns are empty rather than null. Hot tables (credentials, material,
-- audit, feed, usage) have no foreign keys: every check would cost each issued key a look-up,
-- and what they name is never removed, only marked as deleted.

-- +goose Up
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
    revision  INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    item_type INTEGER NOT NULL,
    item_id   TEXT NOT NULL
);

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE plans (
    id          TEXT PRIMARY KEY,
    key         TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    api_access  BOOLEAN NOT NULL,
    permissions TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE tenants (
    row_id      INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    slug        TEXT NOT NULL,
    name        TEXT NOT NULL,
    name_key    TEXT NOT NULL,
    account_id  BIGINT NOT NULL UNIQUE,
    plan_id     TEXT REFERENCES plans (id),
    root_org    TEXT NOT NULL,
    state       TEXT NOT NULL,
    policy      TEXT NOT NULL,
    external_id TEXT NOT NULL,
    metadata    TEXT NOT NULL,
    search_text TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    modified_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX tenants_slug ON tenants (slug) WHERE state <> 'deleted';
CREATE UNIQUE INDEX tenants_external_id ON tenants (external_id) WHERE external_id <> '' AND state <> 'deleted';
CREATE INDEX tenants_name ON tenants (name_key, row_id);
CREATE INDEX tenants_plan ON tenants (plan_id);

CREATE TABLE tenant_keysets (
    tenant_id   TEXT PRIMARY KEY REFERENCES tenants (id),
    wrapped     BLOB NOT NULL,
    modified_at BIGINT NOT NULL
);

-- path is "/org_root/org_child/", so that "at and below" is a range.
CREATE TABLE organizations (
    row_id      INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    tenant_id   TEXT NOT NULL REFERENCES tenants (id),
    parent_id   TEXT NOT NULL,
    path        TEXT NOT NULL,
    name        TEXT NOT NULL,
    name_key    TEXT NOT NULL,
    state       TEXT NOT NULL,
    external_id TEXT NOT NULL,
    metadata    TEXT NOT NULL,
    search_text TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX organizations_path ON organizations (tenant_id, path);
CREATE INDEX organizations_name ON organizations (tenant_id, name_key, row_id);
CREATE INDEX organizations_created ON organizations (tenant_id, row_id);
CREATE UNIQUE INDEX organizations_external_id ON organizations (tenant_id, external_id) WHERE external_id <> '' AND state <> 'deleted';

-- folded is the user name after NFKC and case folding, by which people are found.
CREATE TABLE users (
    row_id          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    tenant_id       TEXT NOT NULL REFERENCES tenants (id),
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    username        TEXT NOT NULL,
    folded          TEXT NOT NULL,
    display_name    TEXT NOT NULL,
    name_key        TEXT NOT NULL,
    email           TEXT NOT NULL,
    licence         TEXT NOT NULL,
    state           TEXT NOT NULL,
    external_id     TEXT NOT NULL,
    metadata        TEXT NOT NULL,
    search_text     TEXT NOT NULL,
    created_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_folded ON users (tenant_id, folded) WHERE state <> 'deleted';
CREATE UNIQUE INDEX users_external_id ON users (tenant_id, external_id) WHERE external_id <> '' AND state <> 'deleted';
CREATE INDEX users_name ON users (tenant_id, name_key, row_id);
CREATE INDEX users_created ON users (tenant_id, row_id);
CREATE INDEX users_organization ON users (organization_id);

CREATE TABLE roles (
    id          TEXT PRIMARY KEY,
    tenant_id   TEXT NOT NULL REFERENCES tenants (id),
    name        TEXT NOT NULL,
    name_key    TEXT NOT NULL,
    description TEXT NOT NULL,
    built_in    TEXT NOT NULL,
    permissions TEXT NOT NULL,
    includes    TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    deleted_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX roles_name ON roles (tenant_id, name_key) WHERE deleted_at = 0;

CREATE TABLE assignments (
    row_id          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    tenant_id       TEXT NOT NULL REFERENCES tenants (id),
    principal_type  TEXT NOT NULL,
    principal_id    TEXT NOT NULL,
    role_id         TEXT NOT NULL REFERENCES roles (id),
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    created_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX assignments_once ON assignments (tenant_id, principal_id, role_id, organization_id, principal_type);
CREATE INDEX assignments_role ON assignments (role_id, row_id);
CREATE INDEX assignments_organization ON assignments (organization_id, role_id);
CREATE INDEX assignments_created ON assignments (tenant_id, row_id);

-- All kinds. row_id is the feed's revision at creation: rows are in order of creation.
CREATE TABLE credentials (
    row_id          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL,
    tenant_id       TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    kind            TEXT NOT NULL,
    principal_type  TEXT NOT NULL,
    principal_id    TEXT NOT NULL,
    state           TEXT NOT NULL,
    secret_version  INTEGER NOT NULL,
    not_before      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    deleted_at      BIGINT NOT NULL,
    scopes          TEXT NOT NULL,
    networks        TEXT NOT NULL,
    limits          TEXT NOT NULL,
    external_id     TEXT NOT NULL,
    metadata        TEXT NOT NULL,
    name            TEXT NOT NULL,
    name_key        TEXT NOT NULL,
    hint            TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by_type TEXT NOT NULL,
    created_by_id   TEXT NOT NULL,
    created_by_name TEXT NOT NULL,
    ended_at        BIGINT NOT NULL,
    last_used_at    BIGINT NOT NULL,
    search_text     TEXT NOT NULL
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
CREATE VIRTUAL TABLE credential_search USING fts5 (
    search_text, content = 'credentials', content_rowid = 'row_id',
    tokenize = 'trigram case_sensitive 1', detail = none, columnsize = 0
);

-- The rows of one credential lie together and in the order of credentials.
CREATE TABLE credential_secrets (
    row_id         BIGINT NOT NULL,
    field          TEXT NOT NULL,
    version        INTEGER NOT NULL,
    digest         BLOB NOT NULL,
    pepper_version INTEGER NOT NULL,
    valid_until    BIGINT NOT NULL,
    sealed         BLOB,
    PRIMARY KEY (row_id, field, version)
) WITHOUT ROWID;

CREATE TABLE audit_events (
    tenant_id       TEXT NOT NULL,
    sequence        BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    action          TEXT NOT NULL,
    actor_type      TEXT NOT NULL,
    actor_id        TEXT NOT NULL,
    actor_name      TEXT NOT NULL,
    actor_tenant    TEXT NOT NULL,
    via             TEXT NOT NULL,
    credential_id   TEXT NOT NULL,
    session_id      TEXT NOT NULL,
    source          TEXT NOT NULL,
    user_agent      TEXT NOT NULL,
    request_id      TEXT NOT NULL,
    target_type     TEXT NOT NULL,
    target_id       TEXT NOT NULL,
    target_name     TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    before          TEXT,
    after           TEXT,
    previous        BLOB NOT NULL,
    hash            BLOB NOT NULL,
    PRIMARY KEY (tenant_id, sequence)
);
CREATE INDEX audit_events_target ON audit_events (target_id, sequence);

CREATE TABLE audit_heads (
    tenant_id TEXT PRIMARY KEY,
    sequence  BIGINT NOT NULL,
    hash      BLOB NOT NULL,
    linked    BIGINT NOT NULL
);

CREATE TABLE audit_links (
    sequence BIGINT PRIMARY KEY,
    at       BIGINT NOT NULL,
    heads    TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash     BLOB NOT NULL
);

CREATE TABLE passwords (
    user_id     TEXT PRIMARY KEY,
    tenant_id   TEXT NOT NULL,
    hash        TEXT NOT NULL,
    modified_at BIGINT NOT NULL
);

CREATE TABLE one_time_links (
    token_hash BLOB PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    purpose    TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    data       BLOB,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX one_time_links_user ON one_time_links (user_id, purpose);

CREATE TABLE sessions (
    token_hash      BLOB PRIMARY KEY,
    public_id       TEXT NOT NULL UNIQUE,
    tenant_id       TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    data            BLOB NOT NULL,
    source          TEXT NOT NULL,
    user_agent      TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    seen_at         BIGINT NOT NULL,
    idle_expires_at BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (idle_expires_at);

CREATE TABLE idempotency (
    tenant_id    TEXT NOT NULL,
    scope        TEXT NOT NULL,
    key          TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    status       INTEGER NOT NULL,
    body         BLOB,
    expires_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, scope, key)
);
CREATE INDEX idempotency_expires ON idempotency (expires_at);

CREATE TABLE usage_hours (
    credential_id TEXT NOT NULL,
    hour          BIGINT NOT NULL,
    code          TEXT NOT NULL,
    tenant_id     TEXT NOT NULL,
    calls         BIGINT NOT NULL,
    PRIMARY KEY (credential_id, hour, code)
) WITHOUT ROWID;

CREATE TABLE quota_usage (
    credential_id TEXT NOT NULL,
    name          TEXT NOT NULL,
    period_start  BIGINT NOT NULL,
    tenant_id     TEXT NOT NULL,
    used          BIGINT NOT NULL,
    PRIMARY KEY (credential_id, name, period_start)
) WITHOUT ROWID;
