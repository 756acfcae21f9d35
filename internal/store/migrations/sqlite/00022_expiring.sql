-- What expires soon is counted, and put in the order of creation and by name, without looking at rows.

-- +goose Up
CREATE INDEX credentials_shown_until ON credentials (tenant_id, expires_at, state, kind, name_key) WHERE deleted_at = 0 AND state <> 'expired' AND expires_at < 9223372036854775807;
