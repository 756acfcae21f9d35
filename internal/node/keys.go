package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"

	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// fingerprints is the setting in which a database remembers its keyring.
const fingerprints = "keyring_fingerprints"

// matchKeyring finds the database's keyring, or makes one for a new database, and refuses
// one that isn't the database's: with another pepper no key would verify, and new ones
// would be lost as soon as the right keyring is back.
func matchKeyring(ctx context.Context, s *store.Store, c *Config) (*Keyring, error) {
	known, err := knownFingerprints(ctx, s)
	if err != nil {
		return nil, err
	}
	k, err := openKeyring(c, known == nil)
	if err != nil {
		return nil, err
	}
	if err := k.belongsTo(known); err != nil {
		return nil, err
	}
	have := k.Fingerprints()
	if maps.Equal(known, have) {
		return k, nil
	}
	return k, rememberFingerprints(ctx, s, have)
}

// belongsTo checks that the keyring has every key that a database knows by its fingerprint.
func (k *Keyring) belongsTo(known map[string]string) error {
	have := k.Fingerprints()
	for name, want := range known {
		if have[name] != want {
			return &HintedError{
				Err:  fmt.Errorf("the keyring does not belong to this database: %s is another key or missing", name),
				Hint: "Name the database's own keyring with --keyring, or restore it from your backup.",
			}
		}
	}
	return nil
}

func openKeyring(c *Config, fresh bool) (*Keyring, error) {
	if c.KeyringFile == "" {
		if c.Keyring != nil {
			return c.Keyring, nil
		}
		return NewKeyring(c.Rand)
	}
	k, err := LoadKeyring(c.KeyringFile)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if !fresh {
		return nil, &HintedError{
			Err:  fmt.Errorf("the database has its keyring already, and there is none at %s", c.KeyringFile),
			Hint: "Name it with --keyring, or restore it from your backup. A new one would verify none of the database's keys.",
		}
	}
	return createKeyring(c.KeyringFile, c.Rand)
}

func createKeyring(path string, random io.Reader) (*Keyring, error) {
	k, err := NewKeyring(random)
	if err != nil {
		return nil, err
	}
	if err := k.Save(path); err != nil {
		return nil, err
	}
	return k, nil
}

// knownFingerprints is nil for a database that has no keyring yet.
func knownFingerprints(ctx context.Context, s *store.Store) (known map[string]string, err error) {
	err = s.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) error {
		text, err := tx.AllTenantsSetting(fingerprints)
		if err != nil || text == "" {
			return err
		}
		return json.Unmarshal([]byte(text), &known)
	})
	if err != nil {
		return nil, fmt.Errorf("reading the keyring's fingerprints: %w", err)
	}
	return known, nil
}

func rememberFingerprints(ctx context.Context, s *store.Store, prints map[string]string) error {
	text, err := json.Marshal(prints)
	if err != nil {
		return fmt.Errorf("encoding the keyring's fingerprints: %w", err)
	}
	_, err = s.Write(ctx, tenancy.SystemTenantID, func(tx *store.Tx) error {
		return tx.AllTenantsPutSetting(fingerprints, string(text))
	})
	if err != nil {
		return fmt.Errorf("remembering the keyring's fingerprints: %w", err)
	}
	return nil
}
