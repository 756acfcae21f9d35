-- What is due is looked for past what is left out for now, by recipient and by tenant, without touching its rows.

-- +goose Up
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (kind, next_at, row_id, recipient, tenant_id) WHERE state = 'pending' AND waits = 0;
