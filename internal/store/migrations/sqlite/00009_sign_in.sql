-- Domains of organizations, for the names under which Windows and e-mail know people, and
-- tokens that were revoked before their time. A revoked token's row is needed until the token
-- would have ended by itself, and is then removed.

-- +goose Up
ALTER TABLE organizations ADD COLUMN domains TEXT NOT NULL DEFAULT '';

CREATE TABLE organization_domains (
    tenant_id       TEXT NOT NULL REFERENCES tenants (id),
    domain          TEXT NOT NULL,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    PRIMARY KEY (tenant_id, domain)
);
CREATE INDEX organization_domains_organization ON organization_domains (organization_id);

CREATE TABLE revoked_tokens (
    id            TEXT PRIMARY KEY,
    tenant_id     TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX revoked_tokens_credential ON revoked_tokens (credential_id, expires_at);
CREATE INDEX revoked_tokens_expired ON revoked_tokens (expires_at);
