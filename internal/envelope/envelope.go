// Package envelope encrypts the secrets that may be shown again.
//
// Each tenant has a keyset of its own (AES-256-GCM), and each keyset is stored wrapped
// under one key-encryption key that is outside the database: in the installation's
// keyring, or in a key management service. Its promises: what Seal returns opens only
// under the same tenant's keyset and for the very tenant, credential, field and version
// that it was sealed for, so nothing is gained by moving rows about; and whoever has the
// database alone opens nothing. Dropping a wrapped keyset destroys everything under it.
//
// Errors never hold a key or a secret.
package envelope

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
	"gocloud.dev/secrets"
	"gocloud.dev/secrets/localsecrets" // also links its driver in

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// ErrSealed means that something does not open: it was damaged, or sealed for something
// else, or under another keyset. Which of them cannot be told.
var ErrSealed = errors.New("what is sealed does not open with this key and for this purpose")

// localScheme is that of addresses which hold the key itself.
const localScheme = localsecrets.Scheme

// Envelope wraps and unwraps tenants' keysets. Safe for concurrent use.
type Envelope struct {
	keeper *secrets.Keeper
}

// Open opens the key-encryption key at a gocloud.dev address. base64key://KEY holds the
// key itself, 32 bytes in URL-safe base64; other schemes work where their driver is
// linked in. It is Close's to give back.
func Open(ctx context.Context, keyURL string) (*Envelope, error) {
	u, err := url.Parse(keyURL)
	if err != nil {
		// The cause repeats the address, which may hold the key itself.
		return nil, errors.New("opening key-encryption key: the address is not a URL")
	}
	if u.Scheme == localScheme && u.Host == "" {
		// The driver would make up a key, and forget it when the process ends.
		return nil, errors.New("opening key-encryption key: the address holds no key")
	}
	mux := secrets.DefaultURLMux()
	if !mux.ValidKeeperScheme(u.Scheme) {
		return nil, fmt.Errorf("opening key-encryption key: the scheme of the address is none of %s", strings.Join(mux.KeeperSchemes(), ", "))
	}
	keeper, err := mux.OpenKeeperURL(ctx, u)
	if err != nil && u.Scheme == localScheme {
		// The cause tells which character of the key is wrong; nobody needs to know.
		return nil, errors.New("opening key-encryption key: the address does not hold 32 bytes in URL-safe base64")
	}
	if err != nil {
		return nil, fmt.Errorf("opening key-encryption key: %w", err)
	}
	return &Envelope{keeper: keeper}, nil
}

// Close gives the key-encryption key back. Tenants already loaded go on working.
func (e *Envelope) Close() error {
	if err := e.keeper.Close(); err != nil {
		return fmt.Errorf("closing key-encryption key: %w", err)
	}
	return nil
}

// NewKeyset makes a tenant's keyset and returns it wrapped, for the database.
func (e *Envelope) NewKeyset(ctx context.Context) (wrapped []byte, err error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("making keyset: %w", err)
	}
	var out bytes.Buffer
	if err := handle.WriteWithContext(ctx, keyset.NewBinaryWriter(&out), keeperAEAD{e.keeper}, nil); err != nil {
		return nil, fmt.Errorf("wrapping keyset: %w", err)
	}
	return out.Bytes(), nil
}

// Load unwraps a tenant's keyset. The error is ErrSealed when it is damaged or wrapped
// under another key-encryption key.
func (e *Envelope) Load(ctx context.Context, wrapped []byte) (Tenant, error) {
	handle, err := keyset.ReadWithContext(ctx, keyset.NewBinaryReader(bytes.NewReader(wrapped)), keeperAEAD{e.keeper}, nil)
	if err != nil {
		if ctx.Err() != nil {
			return Tenant{}, fmt.Errorf("unwrapping keyset: %w", ctx.Err())
		}
		return Tenant{}, fmt.Errorf("unwrapping keyset: %w", ErrSealed)
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return Tenant{}, fmt.Errorf("using keyset: %w", err)
	}
	return Tenant{aead: primitive}, nil
}

// Tenant seals and opens the secrets of one tenant. The zero Tenant refuses to. Safe for
// concurrent use.
type Tenant struct {
	aead tink.AEAD
}

// AAD says what a sealed secret is for. All of it must be given.
type AAD struct {
	Tenant     tenancy.TenantID
	Credential credential.ID
	Field      string // as credential.Material has it: "key" or "secret"
	Version    int    // of the secret, 1 and up
}

var errIncomplete = errors.New("sealing needs a tenant, a credential, a field and a version")

// Seal encrypts a secret for one purpose. Sealing the same twice gives two different
// results.
func (t Tenant) Seal(s secret.Secret, purpose AAD) ([]byte, error) {
	bound, err := purpose.encode()
	if err != nil {
		return nil, err
	}
	return t.seal(s, bound)
}

// SealSigningKey encrypts the private half of a signing key for its key ID.
func (t Tenant) SealSigningKey(s secret.Secret, keyID string) ([]byte, error) {
	bound, err := signingPurpose(keyID)
	if err != nil {
		return nil, err
	}
	return t.seal(s, bound)
}

// SealWebhookSecret encrypts the secret that signs what a webhook of the tenant gets.
func (t Tenant) SealWebhookSecret(s secret.Secret, tenant tenancy.TenantID, webhookID string, version int) ([]byte, error) {
	bound, err := webhookPurpose(tenant, webhookID, version)
	if err != nil {
		return nil, err
	}
	return t.seal(s, bound)
}

func (t Tenant) seal(s secret.Secret, bound []byte) ([]byte, error) {
	if t.aead == nil {
		return nil, errors.New("sealing needs a keyset")
	}
	if s.IsZero() {
		return nil, errors.New("there is nothing to seal")
	}
	sealed, err := t.aead.Encrypt([]byte(s.Reveal()), bound)
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return sealed, nil
}

// Open decrypts what was sealed for the purpose. The error is ErrSealed when it was not,
// or was changed since.
func (t Tenant) Open(sealed []byte, purpose AAD) (secret.Secret, error) {
	bound, err := purpose.encode()
	if err != nil {
		return secret.Secret{}, err
	}
	return t.open(sealed, bound)
}

// OpenSigningKey decrypts what SealSigningKey sealed for the key ID. The error is as Open's.
func (t Tenant) OpenSigningKey(sealed []byte, keyID string) (secret.Secret, error) {
	bound, err := signingPurpose(keyID)
	if err != nil {
		return secret.Secret{}, err
	}
	return t.open(sealed, bound)
}

// OpenWebhookSecret decrypts what SealWebhookSecret sealed for the same webhook and version.
// The error is as Open's.
func (t Tenant) OpenWebhookSecret(sealed []byte, tenant tenancy.TenantID, webhookID string, version int) (secret.Secret, error) {
	bound, err := webhookPurpose(tenant, webhookID, version)
	if err != nil {
		return secret.Secret{}, err
	}
	return t.open(sealed, bound)
}

func (t Tenant) open(sealed, bound []byte) (secret.Secret, error) {
	if t.aead == nil {
		return secret.Secret{}, errors.New("opening needs a keyset")
	}
	plain, err := t.aead.Decrypt(sealed, bound)
	if err != nil {
		return secret.Secret{}, ErrSealed
	}
	s := secret.New(string(plain))
	clear(plain)
	return s, nil
}

// The labels keep the kinds of purposes apart, and from any other that a later version
// invents.
const (
	purposeLabel        = "claviger sealed secret 1"
	signingPurposeLabel = "claviger signing key 1"
	webhookPurposeLabel = "claviger webhook secret 1"
)

func webhookPurpose(tenant tenancy.TenantID, webhookID string, version int) ([]byte, error) {
	if tenant == "" || webhookID == "" || version < 1 {
		return nil, errors.New("sealing a webhook's secret needs a tenant, a webhook and a version")
	}
	return binary.BigEndian.AppendUint64(joined(webhookPurposeLabel, string(tenant), webhookID), uint64(version)), nil
}

func signingPurpose(keyID string) ([]byte, error) {
	if keyID == "" {
		return nil, errors.New("sealing a signing key needs its key ID")
	}
	return joined(signingPurposeLabel, keyID), nil
}

// joined writes each part after its length, so that no two lists read the same.
func joined(parts ...string) (out []byte) {
	for _, part := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
		out = append(out, part...)
	}
	return out
}

func (a AAD) encode() ([]byte, error) {
	if a.Tenant == "" || a.Credential.IsZero() || a.Field == "" || a.Version < 1 {
		return nil, errIncomplete
	}
	out := joined(purposeLabel, string(a.Tenant), a.Credential.String(), a.Field)
	return binary.BigEndian.AppendUint64(out, uint64(a.Version)), nil
}

// keeperAEAD lets a secrets keeper wrap keysets. Keepers know no associated data.
type keeperAEAD struct {
	keeper *secrets.Keeper
}

var errAssociated = errors.New("a keeper cannot bind associated data")

func (k keeperAEAD) EncryptWithContext(ctx context.Context, plain, associated []byte) ([]byte, error) {
	if len(associated) > 0 {
		return nil, errAssociated
	}
	return k.keeper.Encrypt(ctx, plain)
}

func (k keeperAEAD) DecryptWithContext(ctx context.Context, sealed, associated []byte) ([]byte, error) {
	if len(associated) > 0 {
		return nil, errAssociated
	}
	return k.keeper.Decrypt(ctx, sealed)
}
