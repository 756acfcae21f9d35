-- Usage in the order in which it is written and summed up: a tenant's credentials of one
-- hour lie together, so writing a minute's counts touches few pages.

-- +goose Up
CREATE TABLE usage_by_hour (
    tenant_id     TEXT NOT NULL,
    hour          BIGINT NOT NULL,
    credential_id TEXT NOT NULL,
    code          TEXT NOT NULL,
    calls         BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, hour, credential_id, code)
) WITHOUT ROWID;
INSERT INTO usage_by_hour (tenant_id, hour, credential_id, code, calls)
    SELECT tenant_id, hour, credential_id, code, calls FROM usage_hours;
DROP TABLE usage_hours;
ALTER TABLE usage_by_hour RENAME TO usage_hours;
