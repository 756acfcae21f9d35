-- Pages that begin far from where an order begins.

-- +goose Up
-- Every index ends with the row's number by itself. One that names it once more is larger, and
-- SQLite doesn't find a position in it by (column, row_id): it reads all rows of one value.
DROP INDEX tenants_name;
DROP INDEX organizations_name;
DROP INDEX organizations_created;
DROP INDEX users_name;
DROP INDEX users_created;
DROP INDEX credentials_name;
DROP INDEX credentials_created;
DROP INDEX credentials_expires;
DROP INDEX credentials_used;
DROP INDEX credentials_organization;
DROP INDEX credentials_principal;
DROP INDEX credentials_creator;
DROP INDEX apps_name;
DROP INDEX apps_created;
DROP INDEX service_accounts_name;
DROP INDEX service_accounts_created;
DROP INDEX credentials_ended;
DROP INDEX credentials_state;
DROP INDEX credentials_state_name;
DROP INDEX credentials_state_expires;
DROP INDEX credentials_state_used;
DROP INDEX credentials_kind;
DROP INDEX credentials_kind_name;
DROP INDEX credentials_kind_expires;
DROP INDEX credentials_kind_used;
DROP INDEX credentials_organization_name;
DROP INDEX credentials_shown_expires;
DROP INDEX credentials_shown;

CREATE INDEX tenants_name ON tenants (name_key);
CREATE INDEX organizations_name ON organizations (tenant_id, name_key);
CREATE INDEX organizations_created ON organizations (tenant_id);
CREATE INDEX users_name ON users (tenant_id, name_key);
CREATE INDEX users_created ON users (tenant_id);
CREATE INDEX credentials_name ON credentials (tenant_id, name_key);
CREATE INDEX credentials_created ON credentials (tenant_id);
CREATE INDEX credentials_expires ON credentials (tenant_id, expires_at);
CREATE INDEX credentials_used ON credentials (tenant_id, last_used_at);
CREATE INDEX credentials_organization ON credentials (organization_id);
CREATE INDEX credentials_principal ON credentials (principal_id);
CREATE INDEX credentials_creator ON credentials (created_by_id);
CREATE INDEX apps_name ON apps (tenant_id, name_key);
CREATE INDEX apps_created ON apps (tenant_id);
CREATE INDEX service_accounts_name ON service_accounts (tenant_id, email_key);
CREATE INDEX service_accounts_created ON service_accounts (tenant_id);
CREATE INDEX credentials_ended ON credentials (ended_at) WHERE ended_at > 0;
CREATE INDEX credentials_state ON credentials (tenant_id, state) WHERE state <> 'active';
CREATE INDEX credentials_state_name ON credentials (tenant_id, state, name_key) WHERE state <> 'active';
CREATE INDEX credentials_state_expires ON credentials (tenant_id, state, expires_at) WHERE state <> 'active';
CREATE INDEX credentials_state_used ON credentials (tenant_id, state, last_used_at) WHERE state <> 'active';
CREATE INDEX credentials_kind ON credentials (tenant_id, kind) WHERE kind <> 'user_key';
CREATE INDEX credentials_kind_name ON credentials (tenant_id, kind, name_key) WHERE kind <> 'user_key';
CREATE INDEX credentials_kind_expires ON credentials (tenant_id, kind, expires_at) WHERE kind <> 'user_key';
CREATE INDEX credentials_kind_used ON credentials (tenant_id, kind, last_used_at) WHERE kind <> 'user_key';
CREATE INDEX credentials_organization_name ON credentials (organization_id, name_key);
CREATE INDEX credentials_shown_expires ON credentials (tenant_id, expires_at) WHERE deleted_at = 0 AND state <> 'expired';
CREATE INDEX credentials_shown ON credentials (tenant_id) WHERE deleted_at = 0 AND state <> 'expired';

-- A large organization's pages in the other orders of their own columns.
CREATE INDEX credentials_organization_expires ON credentials (organization_id, expires_at) WHERE deleted_at = 0 AND state <> 'expired';
CREATE INDEX credentials_organization_used ON credentials (organization_id, last_used_at) WHERE deleted_at = 0 AND state <> 'expired';

-- Most of what is revoked is deleted in the end, and not shown any more.
CREATE INDEX credentials_state_shown ON credentials (tenant_id, state) WHERE state <> 'active' AND deleted_at = 0;
CREATE INDEX credentials_state_shown_name ON credentials (tenant_id, state, name_key) WHERE state <> 'active' AND deleted_at = 0;
CREATE INDEX credentials_state_shown_expires ON credentials (tenant_id, state, expires_at) WHERE state <> 'active' AND deleted_at = 0;
CREATE INDEX credentials_state_shown_used ON credentials (tenant_id, state, last_used_at) WHERE state <> 'active' AND deleted_at = 0;
