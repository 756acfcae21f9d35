package node

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/claviger-io/claviger/internal/envelope"
	"github.com/claviger-io/claviger/internal/secret"
)

const (
	keyringVersion = 1
	keyLength      = 32
	keyringNotice  = "Claviger's keys. Without this file no key of the database verifies. " +
		"Back it up apart from the database, and never commit it."
)

// Keyring holds the keys that are kept outside the database: the peppers under which
// secrets are digested, the key-encryption key under which tenants' keysets are
// wrapped, and the key that signs audit checkpoints; and those under which other systems
// digested keys that were imported. They are all different keys, and whoever has the database alone can make no use of it.
//
// A Keyring prints as [redacted].
type Keyring struct {
	current  int               // the pepper version for new digests
	peppers  map[int][]byte    // by version, 32 bytes each
	imports  map[string][]byte // by reference; of systems whose keys were imported
	wrapping [keyLength]byte
	signing  ed25519.PrivateKey
}

// keyringFile is the file's form. encoding/json writes byte slices as base64.
type keyringFile struct {
	Notice           string            `json:"notice"`
	Version          int               `json:"version"`
	CurrentPepper    int               `json:"current_pepper"`
	Peppers          map[string][]byte `json:"peppers"`
	KeyEncryptionKey []byte            `json:"key_encryption_key"`
	AuditSigningSeed []byte            `json:"audit_signing_seed"`
	ImportKeys       map[string][]byte `json:"import_keys,omitempty"`
}

// NewKeyring makes a keyring of fresh keys from random.
func NewKeyring(random io.Reader) (*Keyring, error) {
	pepper := make([]byte, keyLength)
	k := &Keyring{current: 1, peppers: map[int][]byte{1: pepper}}
	seed := make([]byte, ed25519.SeedSize)
	for _, b := range [][]byte{pepper, k.wrapping[:], seed} {
		if _, err := io.ReadFull(random, b); err != nil {
			return nil, fmt.Errorf("reading random bytes: %w", err)
		}
	}
	k.signing = ed25519.NewKeyFromSeed(seed)
	return k, nil
}

// LoadKeyring reads the keyring at path. It refuses a file that others may read.
// The error is fs.ErrNotExist when there is none.
func LoadKeyring(path string) (*Keyring, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("opening keyring: %w", err)
	}
	if info.Mode().Perm()&0o037 != 0 {
		return nil, &HintedError{
			Err:  fmt.Errorf("keyring %s can be read or written by others (mode %#o)", path, info.Mode().Perm()),
			Hint: "Run: chmod 600 " + path,
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading keyring: %w", err)
	}
	k, err := parseKeyring(data)
	if err != nil {
		return nil, &HintedError{
			Err:  fmt.Errorf("keyring %s cannot be used: %w", path, err),
			Hint: "Restore the keyring from your backup.",
		}
	}
	return k, nil
}

// parseKeyring never puts a part of data into its errors.
func parseKeyring(data []byte) (*Keyring, error) {
	var f keyringFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, errors.New("it is not the JSON that was written")
	}
	if f.Version != keyringVersion {
		return nil, fmt.Errorf("its version is %d and this program knows %d", f.Version, keyringVersion)
	}
	k := &Keyring{current: f.CurrentPepper, peppers: make(map[int][]byte, len(f.Peppers))}
	for name, key := range f.Peppers {
		version, err := strconv.Atoi(name)
		if err != nil || version < 1 || len(key) < keyLength {
			return nil, errors.New("a pepper has no positive version or fewer than 32 bytes")
		}
		k.peppers[version] = key
	}
	if k.peppers[k.current] == nil {
		return nil, errors.New("the current pepper is missing")
	}
	if len(f.KeyEncryptionKey) != keyLength || len(f.AuditSigningSeed) != ed25519.SeedSize {
		return nil, errors.New("the key-encryption key or the audit signing seed has not 32 bytes")
	}
	k.imports = f.ImportKeys
	if _, err := k.ImportKeys(); err != nil {
		return nil, err
	}
	copy(k.wrapping[:], f.KeyEncryptionKey)
	k.signing = ed25519.NewKeyFromSeed(f.AuditSigningSeed)
	return k, nil
}

// Save writes the keyring to a new file with mode 0600, synced, whole or not at all.
// An existing file is never replaced: the error is fs.ErrExist.
func (k *Keyring) Save(path string) error {
	f := keyringFile{
		Notice: keyringNotice, Version: keyringVersion, CurrentPepper: k.current,
		Peppers:          make(map[string][]byte, len(k.peppers)),
		KeyEncryptionKey: k.wrapping[:], AuditSigningSeed: k.signing.Seed(), ImportKeys: k.imports,
	}
	for version, key := range k.peppers {
		f.Peppers[strconv.Itoa(version)] = key
	}
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding keyring: %w", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("writing keyring %s: %w", path, fs.ErrExist)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("making the keyring's folder: %w", err)
	}
	if err := WriteFileAtomic(path, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing keyring: %w", err)
	}
	return nil
}

// Peppers returns the peppers in the form that digests are made with.
func (k *Keyring) Peppers() (*secret.Peppers, error) {
	return secret.NewPeppers(k.current, k.peppers)
}

// ImportKeys returns the keys under which other systems digested keys that are imported.
// Operators write them into the file, as "import_keys": {"REFERENCE": "BASE64"}.
func (k *Keyring) ImportKeys() (*secret.ImportKeys, error) {
	return secret.NewImportKeys(k.imports)
}

// KeyEncryptionKey is the key under which tenants' keysets are wrapped.
func (k *Keyring) KeyEncryptionKey() [keyLength]byte { return k.wrapping }

// Envelope seals secrets under tenants' keysets, and those under the key-encryption key.
func (k *Keyring) Envelope(ctx context.Context) (*envelope.Envelope, error) {
	e, err := envelope.Open(ctx, "base64key://"+base64.URLEncoding.EncodeToString(k.wrapping[:]))
	if err != nil {
		return nil, fmt.Errorf("reading the key-encryption key: %w", err)
	}
	return e, nil
}

// SigningKey signs audit checkpoints.
func (k *Keyring) SigningKey() ed25519.PrivateKey { return k.signing }

// Fingerprints names every key and tells it from any other, without revealing it.
// The database remembers them, so that it isn't opened with another's keyring.
func (k *Keyring) Fingerprints() map[string]string {
	out := map[string]string{
		"key_encryption_key": fingerprint(k.wrapping[:]),
		"audit_signing_key":  fingerprint(k.signing.Seed()),
	}
	for version, key := range k.peppers {
		out["pepper_"+strconv.Itoa(version)] = fingerprint(key)
	}
	for ref, key := range k.imports {
		out["import_key_"+ref] = fingerprint(key)
	}
	return out
}

func fingerprint(key []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("claviger keyring fingerprint"))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// String hides the keys.
func (*Keyring) String() string { return "[redacted]" }

// GoString hides the keys.
func (*Keyring) GoString() string { return "[redacted]" }

// Format hides the keys under every verb.
func (*Keyring) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[redacted]") }
