-- Ends of credentials touch fewer indexes. What lists show is told by deleted_at alone, since what
-- expired has one, too.

-- +goose Up
DROP INDEX credentials_shown;
DROP INDEX credentials_shown_expires;
DROP INDEX credentials_organization_expires;
DROP INDEX credentials_organization_used;
DROP INDEX credentials_state;
DROP INDEX credentials_state_name;
DROP INDEX credentials_state_expires;
DROP INDEX credentials_state_used;

CREATE INDEX credentials_shown ON credentials (tenant_id, row_id) WHERE deleted_at = 0;
CREATE INDEX credentials_shown_expires ON credentials (tenant_id, expires_at, row_id) WHERE deleted_at = 0;
CREATE INDEX credentials_organization_expires ON credentials (organization_id, expires_at, row_id) WHERE deleted_at = 0;
CREATE INDEX credentials_organization_used ON credentials (organization_id, last_used_at, row_id) WHERE deleted_at = 0;

-- What was deleted, or expired, by its state. What is revoked is either here or among those shown.
CREATE INDEX credentials_deleted ON credentials (tenant_id, state, row_id) WHERE deleted_at <> 0;
CREATE INDEX credentials_deleted_name ON credentials (tenant_id, state, name_key, row_id) WHERE deleted_at <> 0;
CREATE INDEX credentials_deleted_expires ON credentials (tenant_id, state, expires_at, row_id) WHERE deleted_at <> 0;
CREATE INDEX credentials_deleted_used ON credentials (tenant_id, state, last_used_at, row_id) WHERE deleted_at <> 0;
