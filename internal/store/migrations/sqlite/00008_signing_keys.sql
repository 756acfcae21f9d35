-- The keys that the installation's own tokens are signed with. The private halves are sealed.

-- +goose Up
CREATE TABLE signing_keys (
    id             TEXT PRIMARY KEY,
    algorithm      TEXT NOT NULL,
    public_key     BLOB NOT NULL,
    sealed         BLOB NOT NULL,
    created_at     BIGINT NOT NULL,
    signs_from     BIGINT NOT NULL,
    verifies_until BIGINT NOT NULL
);
