package clavigertest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/clavigertest"
)

// The walk that the package is for: a key is good until it is revoked, and not a call
// longer (PV9).
func TestServer(t *testing.T) {
	s := clavigertest.NewServer(t)
	ada := s.MustCreateUser("ada", "super_admin")
	key := s.MustIssueAPIKey(ada)
	if !key.SecretAvailable || key.Owner.ID != ada.ID {
		t.Errorf("issued %+v", key.APIKey)
	}
	v := s.MustVerify(key.Key, "call_recordings:read")
	if !v.Valid || v.TenantID != s.Tenant.ID || v.Principal == nil || v.Principal.ID != ada.ID || v.CredentialID != key.ID {
		t.Errorf("verdict %+v", v)
	}
	s.MustSuspendAPIKey(key.ID)
	if v := s.MustVerify(key.Key, ""); v.Code != api.VerifySuspended {
		t.Errorf("suspended: %s", v.Code)
	}
	s.MustResumeAPIKey(key.ID)
	if v := s.MustVerify(key.Key, ""); v.Code != api.VerifyValid {
		t.Errorf("resumed: %s", v.Code)
	}
	s.MustRevokeAPIKey(key.ID)
	if v := s.MustVerify(key.Key, ""); v.Code != api.VerifyRevoked {
		t.Errorf("revoked: %s", v.Code)
	}
}

func TestKeyOptions(t *testing.T) {
	s := clavigertest.NewServer(t)
	ada := s.MustCreateUser("ada", "super_admin")
	ends := time.Now().Add(time.Hour)
	key := s.MustIssueAPIKey(ada, clavigertest.WithName("dashboards"), clavigertest.WithExpiry(ends),
		clavigertest.WithRate(2, time.Hour), clavigertest.WithNetworks("192.0.2.0/24"))
	if key.Name != "dashboards" || key.ExpiresAt == nil || key.ExpiresAt.Sub(ends).Abs() > time.Second {
		t.Errorf("issued %+v", key.APIKey)
	}
	if v := s.MustVerify(key.Key, ""); v.Code != api.VerifyForbidden {
		t.Errorf("from nowhere: %s", v.Code)
	}
	want := []api.VerifyCode{api.VerifyValid, api.VerifyValid, api.VerifyRateLimited}
	for i, code := range want {
		v, err := s.Verifier().Verify(t.Context(), api.VerifyRequest{Credential: key.Key, SourceIP: "192.0.2.9"})
		if err != nil || v.Code != code {
			t.Errorf("call %d: %s, %v; want %s", i+1, v.Code, err, code)
		}
	}
}

func isUnauthenticated(err error) bool {
	var p *api.Problem
	return errors.As(err, &p) && p.Status == 401
}

// Two servers of one test are two installations.
func TestServersAreApart(t *testing.T) {
	one, other := clavigertest.NewServer(t), clavigertest.NewServer(t)
	key := one.MustIssueAPIKey(one.MustCreateUser("ada", "agent"))
	if v := other.MustVerify(key.Key, ""); v.Code != api.VerifyNotFound {
		t.Errorf("another installation says %s", v.Code)
	}
}

// A person signs in and manages their own keys, as in the console.
func TestPerson(t *testing.T) {
	s := clavigertest.NewServer(t)
	me := s.MustSignIn(s.TenantAdmin)
	who, err := me.Me(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if who.Username != s.TenantAdmin.Username || who.Tenant.ID != s.Tenant.ID || who.System {
		t.Errorf("Me: %+v", who)
	}
	key, err := me.IssueAPIKey(t.Context(), api.IssueAPIKeyRequest{Name: "mine"})
	if err != nil {
		t.Fatal(err)
	}
	if v := s.MustVerify(key.Key, ""); !v.Valid {
		t.Errorf("verdict %s", v.Code)
	}
	if err := me.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := me.Me(t.Context()); !isUnauthenticated(err) {
		t.Errorf("after signing out: %v", err)
	}
}
