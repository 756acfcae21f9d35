-- What the console asks of a whole tenant. The column has a default: the previous release
-- goes on writing rows without it.

-- +goose Up
ALTER TABLE tenants ADD COLUMN api_access_requested_at BIGINT NOT NULL DEFAULT 0;

CREATE INDEX usage_hours_tenant ON usage_hours (tenant_id, hour);

CREATE INDEX audit_events_credential ON audit_events (credential_id, sequence) WHERE credential_id <> '';
