-- When a credential was resumed last, so that one that was suspended for lying idle is not
-- suspended again before it had the time to be used.

-- +goose Up
ALTER TABLE credentials ADD COLUMN resumed_at BIGINT NOT NULL DEFAULT 0;
