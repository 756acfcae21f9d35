-- Where tenants want to be told what happens to their credentials. position is how far the
-- tenant's audit chain has been read for the webhook: what comes after it is still to be
-- delivered. A secret is sealed; while a new one takes over, the one before is kept beside it.

-- +goose Up
CREATE TABLE webhooks (
    id              TEXT PRIMARY KEY,
    tenant_id       TEXT NOT NULL REFERENCES tenants (id),
    name            TEXT NOT NULL,
    url             TEXT NOT NULL,
    events          TEXT NOT NULL,
    state           TEXT NOT NULL,
    sealed          BLOB,
    secret_version  BIGINT NOT NULL,
    sealed_before   BLOB,
    before_until    BIGINT NOT NULL,
    position        BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by_type TEXT NOT NULL,
    created_by_id   TEXT NOT NULL,
    created_by_name TEXT NOT NULL,
    modified_at     BIGINT NOT NULL
);
CREATE INDEX webhooks_tenant ON webhooks (tenant_id, created_at);
CREATE INDEX webhooks_active ON webhooks (id) WHERE state = 'active';
CREATE INDEX webhooks_before ON webhooks (before_until) WHERE before_until <> 0;
