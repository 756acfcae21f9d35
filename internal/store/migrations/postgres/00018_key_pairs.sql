-- Which key of a service account takes the place of another, while both work.

-- +goose Up
ALTER TABLE rotations ADD COLUMN successor TEXT NOT NULL DEFAULT '';
