-- What makes lists of many credentials cheap.

-- +goose Up
-- A state or kind that few have is found in every order of a list. Active ones and users' keys
-- are not in these indexes: there are so many that any order finds them at once.
CREATE INDEX credentials_state ON credentials (tenant_id, state, row_id) WHERE state <> 'active';
CREATE INDEX credentials_state_name ON credentials (tenant_id, state, name_key, row_id) WHERE state <> 'active';
CREATE INDEX credentials_state_expires ON credentials (tenant_id, state, expires_at, row_id) WHERE state <> 'active';
CREATE INDEX credentials_state_used ON credentials (tenant_id, state, last_used_at, row_id) WHERE state <> 'active';

CREATE INDEX credentials_kind ON credentials (tenant_id, kind, row_id) WHERE kind <> 'user_key';
CREATE INDEX credentials_kind_name ON credentials (tenant_id, kind, name_key, row_id) WHERE kind <> 'user_key';
CREATE INDEX credentials_kind_expires ON credentials (tenant_id, kind, expires_at, row_id) WHERE kind <> 'user_key';
CREATE INDEX credentials_kind_used ON credentials (tenant_id, kind, last_used_at, row_id) WHERE kind <> 'user_key';

-- An organization's page in the order that is asked for most.
CREATE INDEX credentials_organization_name ON credentials (organization_id, name_key, row_id);

-- What a list shows, where most has ended; what expired would come first in its order.
CREATE INDEX credentials_shown_expires ON credentials (tenant_id, expires_at, row_id) WHERE deleted_at = 0 AND state <> 'expired';
CREATE INDEX credentials_shown ON credentials (tenant_id, row_id) WHERE deleted_at = 0 AND state <> 'expired';

-- Trigrams of users' names, by which their keys are found.
CREATE INDEX users_search ON users USING gin (search_text gin_trgm_ops);

-- How many there are, so that a list's total need not be counted. Triggers keep it, so that
-- processes of the previous release do so, too. Rows change all the time: the room left in
-- each page lets them change where they are.
CREATE TABLE credential_counts (
    tenant_id       TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    kind            TEXT COLLATE "C" NOT NULL,
    principal_type  TEXT COLLATE "C" NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,
    deleted         BOOLEAN NOT NULL,
    many            BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, organization_id, kind, principal_type, state, deleted)
) WITH (fillfactor = 40);

INSERT INTO credential_counts (tenant_id, organization_id, kind, principal_type, state, deleted, many)
SELECT tenant_id, organization_id, kind, principal_type, state, deleted_at <> 0, count(*) FROM credentials GROUP BY 1, 2, 3, 4, 5, 6;

-- +goose StatementBegin
CREATE FUNCTION credentials_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO credential_counts AS c (tenant_id, organization_id, kind, principal_type, state, deleted, many)
    SELECT tenant_id, organization_id, kind, principal_type, state, deleted_at <> 0, count(*) FROM added GROUP BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (tenant_id, organization_id, kind, principal_type, state, deleted) DO UPDATE SET many = c.many + excluded.many;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION credentials_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE credential_counts SET many = many - 1
    WHERE tenant_id = old.tenant_id AND organization_id = old.organization_id AND kind = old.kind
        AND principal_type = old.principal_type AND state = old.state AND deleted = (old.deleted_at <> 0);
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO credential_counts AS c (tenant_id, organization_id, kind, principal_type, state, deleted, many)
        VALUES (new.tenant_id, new.organization_id, new.kind, new.principal_type, new.state, new.deleted_at <> 0, 1)
        ON CONFLICT (tenant_id, organization_id, kind, principal_type, state, deleted) DO UPDATE SET many = c.many + 1;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER credentials_inserted AFTER INSERT ON credentials
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION credentials_inserted();

CREATE TRIGGER credentials_updated AFTER UPDATE ON credentials FOR EACH ROW
    WHEN (old.state <> new.state OR (old.deleted_at <> 0) <> (new.deleted_at <> 0) OR old.organization_id <> new.organization_id
        OR old.kind <> new.kind OR old.principal_type <> new.principal_type OR old.tenant_id <> new.tenant_id)
    EXECUTE FUNCTION credentials_changed();

CREATE TRIGGER credentials_removed AFTER DELETE ON credentials FOR EACH ROW EXECUTE FUNCTION credentials_changed();
