-- When a key of a service account would end if no other took its place: to go back to. 0 is not known.

-- +goose Up
ALTER TABLE rotations ADD COLUMN expires_at BIGINT NOT NULL DEFAULT 0;
