package node

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustKeyring(t *testing.T) *Keyring {
	t.Helper()
	k, err := NewKeyring(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeyringRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "keyring.json")
	k := mustKeyring(t)
	if err := k.Save(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	got, err := LoadKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(k.Fingerprints(), got.Fingerprints()); diff != "" {
		t.Error(diff)
	}
	if got.KeyEncryptionKey() != k.KeyEncryptionKey() || !got.SigningKey().Equal(k.SigningKey()) {
		t.Error("the keys changed")
	}
	if _, err := got.Peppers(); err != nil {
		t.Error(err)
	}
	if err := k.Save(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an existing keyring was written over: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestKeyringReadableByOthersIsRefused(t *testing.T) {
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: true, 0o440: true, 0o644: false, 0o660: false, 0o604: false} {
		path := filepath.Join(t.TempDir(), "keyring.json")
		if err := mustKeyring(t).Save(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := LoadKeyring(path)
		var hinted *HintedError
		if (err == nil) != ok || (!ok && !errors.As(err, &hinted)) {
			t.Errorf("%#o: %v", mode, err)
		}
	}
}

func TestDamagedKeyringIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring.json")
	if err := mustKeyring(t).Save(path); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damages := map[string]func(map[string]any){
		"another version":           func(f map[string]any) { f["version"] = 2 },
		"no current pepper":         func(f map[string]any) { f["current_pepper"] = 2 },
		"a short pepper":            func(f map[string]any) { f["peppers"] = map[string]any{"1": "c2hvcnQ="} },
		"a pepper without a number": func(f map[string]any) { f["peppers"] = map[string]any{"x": "c2hvcnQ="} },
		"no key-encryption key":     func(f map[string]any) { delete(f, "key_encryption_key") },
		"no audit signing seed":     func(f map[string]any) { delete(f, "audit_signing_seed") },
		"text that isn't base64":    func(f map[string]any) { f["key_encryption_key"] = "canary!" },
	}
	for name, damage := range damages {
		var f map[string]any
		if err := json.Unmarshal(whole, &f); err != nil {
			t.Fatal(err)
		}
		damage(f)
		data, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		_, err = parseKeyring(data)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "c2hvcnQ") {
			t.Errorf("%s: the error shows what the file holds: %v", name, err)
		}
	}
	if _, err := parseKeyring(whole[:len(whole)/2]); err == nil {
		t.Error("half a keyring was accepted")
	}
}

func TestKeyringIsNeverPrinted(t *testing.T) {
	k := mustKeyring(t)
	pepper := k.peppers[1]
	for _, printed := range []string{fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k), fmt.Sprintf("%x", k)} {
		if strings.Contains(printed, base64.StdEncoding.EncodeToString(pepper)) || bytes.Contains([]byte(printed), pepper) || printed != "[redacted]" {
			t.Errorf("printed: %s", printed)
		}
	}
}

func TestFingerprintsTellKeysApart(t *testing.T) {
	a, b := mustKeyring(t).Fingerprints(), mustKeyring(t).Fingerprints()
	if len(a) != 3 {
		t.Errorf("%d fingerprints", len(a))
	}
	for name := range a {
		if a[name] == b[name] {
			t.Errorf("%s is the same for different keys", name)
		}
	}
}
