package node_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// mustRun opens and runs a node; stop ends it and waits.
func mustRun(t *testing.T, c node.Config) (n *node.Node, stop func()) {
	t.Helper()
	n, err := node.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := n.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	t.Cleanup(stop)
	select {
	case <-n.Ready():
	case err := <-ended:
		ended <- err
		t.Fatalf("ended before it was ready: %v", err)
	}
	return n, stop
}

func config(folder string) node.Config {
	return node.Config{
		Database:    "sqlite:" + filepath.Join(folder, "claviger.db"),
		KeyringFile: filepath.Join(folder, "keyring.json"),
		Journal:     filepath.Join(folder, "revocations.journal"),
		Checkpoints: filepath.Join(folder, "checkpoints.jsonl"),
	}
}

func mustVerifierKey(t *testing.T, n *node.Node) (id, key string) {
	t.Helper()
	k, err := n.Authority().IssueVerifierKey(t.Context(), authority.SystemCaller(), authority.IssueVerifierKeyInput{
		Tenant: tenancy.SystemTenantID, Name: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return k.ID.String(), k.Secret.Reveal()
}

func mustConnect(t *testing.T, url, key string, options ...client.Option) *client.Client {
	t.Helper()
	c, err := client.New(url, append(options, client.WithCredential(key))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// What was issued in one life of the node verifies in the next, and what was counted at
// the very end of a life is there in the next.
func TestRestartKeepsKeysAndUsage(t *testing.T) {
	folder := t.TempDir()
	n, stop := mustRun(t, config(folder))
	id, key := mustVerifierKey(t, n)
	c := mustConnect(t, n.URL(), key)
	v, err := c.Verify(t.Context(), api.VerifyRequest{Credential: api.Secret(key)})
	if err != nil || !v.Valid {
		t.Fatalf("%+v, %v", v, err)
	}
	c.CloseIdleConnections()
	stop()

	n, _ = mustRun(t, config(folder))
	c = mustConnect(t, n.URL(), key)
	if v, err := c.Verify(t.Context(), api.VerifyRequest{Credential: api.Secret(key)}); err != nil || !v.Valid {
		t.Errorf("after a restart: %+v, %v", v, err)
	}
	var list []authority.Key
	keys, err := n.Authority().VerifierKeys(t.Context(), authority.SystemCaller(), authority.KeysInput{Tenant: tenancy.SystemTenantID})
	if err != nil {
		t.Fatal(err)
	}
	list = append(list, keys.Items...)
	if len(list) != 1 || list[0].ID.String() != id || list[0].LastUsedAt.IsZero() {
		t.Errorf("after a restart: %+v", list)
	}
}

// Two nodes of one database with different keyrings would each refuse the other's keys.
func TestForeignKeyringIsRefused(t *testing.T) {
	folder := t.TempDir()
	_, stop := mustRun(t, config(folder))
	stop()
	foreign := config(folder)
	foreign.KeyringFile = filepath.Join(t.TempDir(), "keyring.json")
	var hinted *node.HintedError
	if _, err := node.Open(t.Context(), foreign); !errors.As(err, &hinted) {
		t.Errorf("without its keyring: %v", err)
	}
	if _, err := os.Stat(foreign.KeyringFile); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a keyring was made for a database that has one: %v", err)
	}
	other, err := node.NewKeyring(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Save(foreign.KeyringFile); err != nil {
		t.Fatal(err)
	}
	if _, err := node.Open(t.Context(), foreign); !errors.As(err, &hinted) || !strings.Contains(err.Error(), "does not belong") {
		t.Errorf("with another keyring: %v", err)
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	folder := t.TempDir()
	_, stop := mustRun(t, config(folder))
	stop()
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(files) < 4 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", filepath.Base(file), info.Mode().Perm())
		}
	}
}

// mustCertificate writes a certificate for 127.0.0.1 and its key.
func mustCertificate(t *testing.T, folder string) (pool *x509.CertPool, serial string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	number, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: number, Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(certificate)
	return pool, number.String()
}

// TLS works, and a renewed certificate is used without a restart.
func TestTLS(t *testing.T) {
	folder := t.TempDir()
	pool, serial := mustCertificate(t, folder)
	c := config(t.TempDir())
	c.TLSCert, c.TLSKey = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	n, _ := mustRun(t, c)
	if !strings.HasPrefix(n.URL(), "https://127.0.0.1:") {
		t.Fatalf("the URL is %s", n.URL())
	}
	served := func(pool *x509.CertPool) string {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}
		res, err := (&http.Client{Transport: transport}).Get(n.URL() + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		return res.TLS.PeerCertificates[0].SerialNumber.String()
	}
	if got := served(pool); got != serial {
		t.Errorf("served certificate %s, want %s", got, serial)
	}
	pool, serial = mustCertificate(t, folder)
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(c.TLSCert, later, later); err != nil {
		t.Fatal(err)
	}
	if got := served(pool); got != serial {
		t.Errorf("after renewal: served certificate %s, want %s", got, serial)
	}
	// A half-written renewal leaves the last good one in use.
	if err := os.WriteFile(c.TLSCert, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := served(pool); got != serial {
		t.Errorf("during a renewal: served certificate %s, want %s", got, serial)
	}
}
