-- The keys that the installation's own tokens are signed with. The private halves are sealed.

-- +goose Up
CREATE TABLE signing_keys (
    id             TEXT COLLATE "C" PRIMARY KEY,
    algorithm      TEXT COLLATE "C" NOT NULL,
    public_key     BYTEA NOT NULL,
    sealed         BYTEA NOT NULL,
    created_at     BIGINT NOT NULL,
    signs_from     BIGINT NOT NULL,
    verifies_until BIGINT NOT NULL
);
