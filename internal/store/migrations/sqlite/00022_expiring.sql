-- What expires soon is counted, and put in the order of creation, without looking at rows.

-- +goose Up
CREATE INDEX credentials_shown_until ON credentials (tenant_id, expires_at, state, kind) WHERE deleted_at = 0 AND state <> 'expired' AND expires_at < 9223372036854775807;
