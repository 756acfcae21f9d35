package audit

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"
)

// ErrBadSignature means that a checkpoint wasn't signed with the key, or was changed since.
var ErrBadSignature = errors.New("audit: the checkpoint's signature is not good")

// KeyID names a public key: the first 16 hex digits of its SHA-256.
func KeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// Checkpoint is an unsigned statement that the system chain ends at l. events is how many
// events it covers, for people.
func (l Link) Checkpoint(installation string, events int64) Checkpoint {
	return Checkpoint{Installation: installation, Sequence: l.Sequence, At: l.At, Hash: slices.Clone(l.Hash[:]), Events: events}
}

// Sign returns the checkpoint with its key ID and signature, and its time cut to
// microseconds in UTC.
func Sign(key ed25519.PrivateKey, c Checkpoint) Checkpoint {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return c // can't be: the type of an Ed25519 public key is fixed
	}
	c.At = c.At.UTC().Truncate(time.Microsecond)
	c.KeyID = KeyID(public)
	c.Signature = ed25519.Sign(key, c.signed())
	return c
}

// Verify returns nil when the checkpoint was signed with the key's private half and is
// unchanged, else ErrBadSignature.
func (c Checkpoint) Verify(key ed25519.PublicKey) error {
	if len(key) != ed25519.PublicKeySize || c.KeyID != KeyID(key) || !ed25519.Verify(key, c.signed(), c.Signature) {
		return ErrBadSignature
	}
	return nil
}

// signed is the canonical encoding of all but the signature.
func (c Checkpoint) signed() []byte {
	domain := checkpointDomain
	if c.Restored {
		domain = restoredDomain
	}
	w := newEncoder(domain)
	w.text(c.Installation)
	w.number(c.Sequence)
	w.time(c.At)
	w.bytes(c.Hash)
	w.number(c.Events)
	w.text(c.KeyID)
	return w.buf
}
