-- What is to be delivered to somebody outside: mail and webhooks. A row is made in the
-- transaction of what it tells of, and is leased by whoever delivers it. Deliveries of one
-- lane go one after another, in the order of row_id; the number grows with every row, since
-- writers come one after another. waits is 1 while another of its lane goes first. payload is the maker's own and holds no secret.

-- +goose Up
CREATE TABLE deliveries (
    row_id       BIGINT PRIMARY KEY,
    id           TEXT COLLATE "C" NOT NULL UNIQUE,
    tenant_id    TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    kind         TEXT COLLATE "C" NOT NULL,
    lane         TEXT COLLATE "C" NOT NULL,
    once         TEXT COLLATE "C" NOT NULL,
    recipient    TEXT COLLATE "C" NOT NULL,
    about        TEXT COLLATE "C" NOT NULL,
    payload      BYTEA NOT NULL,
    state        TEXT COLLATE "C" NOT NULL,
    attempts     BIGINT NOT NULL,
    first_at     BIGINT NOT NULL,
    next_at      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    finished_at  BIGINT NOT NULL,
    last_status  BIGINT NOT NULL,
    last_error   TEXT COLLATE "C" NOT NULL,
    fence        BIGINT NOT NULL,
    holder       TEXT COLLATE "C" NOT NULL,
    leased_until BIGINT NOT NULL,
    waits        BIGINT NOT NULL
);
CREATE UNIQUE INDEX deliveries_once ON deliveries (tenant_id, kind, once) WHERE once <> '';
CREATE INDEX deliveries_due ON deliveries (kind, next_at, row_id, recipient) WHERE state = 'pending' AND waits = 0;
CREATE INDEX deliveries_lane ON deliveries (tenant_id, kind, lane, row_id) WHERE state = 'pending' AND lane <> '';
CREATE INDEX deliveries_tenant ON deliveries (tenant_id, row_id);
CREATE INDEX deliveries_tenant_state ON deliveries (tenant_id, state, row_id);
CREATE INDEX deliveries_recipient ON deliveries (tenant_id, recipient, row_id);
CREATE INDEX deliveries_state ON deliveries (state, row_id);
CREATE INDEX deliveries_open ON deliveries (state, kind, created_at) WHERE state IN ('pending', 'dead');
CREATE INDEX deliveries_finished ON deliveries (finished_at) WHERE state <> 'pending';
