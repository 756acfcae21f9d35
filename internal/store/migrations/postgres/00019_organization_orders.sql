-- A large organization's pages in the other orders of their own columns.

-- +goose Up
CREATE INDEX credentials_organization_expires ON credentials (organization_id, expires_at, row_id) WHERE deleted_at = 0 AND state <> 'expired';
CREATE INDEX credentials_organization_used ON credentials (organization_id, last_used_at, row_id) WHERE deleted_at = 0 AND state <> 'expired';
