-- Pages that begin far from where an order begins.

-- +goose Up
-- A large organization's pages in the other orders of their own columns.
CREATE INDEX credentials_organization_expires ON credentials (organization_id, expires_at, row_id) WHERE deleted_at = 0 AND state <> 'expired';
CREATE INDEX credentials_organization_used ON credentials (organization_id, last_used_at, row_id) WHERE deleted_at = 0 AND state <> 'expired';

-- Most of what is revoked is deleted in the end, and not shown any more.
CREATE INDEX credentials_state_shown ON credentials (tenant_id, state, row_id) WHERE state <> 'active' AND deleted_at = 0;
CREATE INDEX credentials_state_shown_name ON credentials (tenant_id, state, name_key, row_id) WHERE state <> 'active' AND deleted_at = 0;
CREATE INDEX credentials_state_shown_expires ON credentials (tenant_id, state, expires_at, row_id) WHERE state <> 'active' AND deleted_at = 0;
CREATE INDEX credentials_state_shown_used ON credentials (tenant_id, state, last_used_at, row_id) WHERE state <> 'active' AND deleted_at = 0;
