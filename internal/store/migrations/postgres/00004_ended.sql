-- What is looked for when ended secrets are forgotten.

-- +goose Up
CREATE INDEX credentials_ended ON credentials (ended_at, row_id) WHERE ended_at > 0;
CREATE INDEX credential_secrets_ended ON credential_secrets (valid_until) WHERE valid_until > 0;
