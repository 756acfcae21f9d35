-- Users by what people see of them, for lists of credentials in the order of their owners.

-- +goose Up
CREATE INDEX users_shown ON users (tenant_id, (CASE name_key WHEN '' THEN folded ELSE name_key END));
