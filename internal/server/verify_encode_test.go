package server

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

func TestAppendVerdict(t *testing.T) {
	ends := time.Date(2027, 1, 31, 1, 2, 3, 500, time.UTC)
	full := verify.Result{
		Valid: true, Code: verify.Valid, Kind: credential.UserKey, TenantID: "ten_1", OrganizationID: "org_1",
		Labels:         &tenancy.Labels{ExternalID: "x\"y\\z\u2028", Metadata: map[string]string{"b": "2", "a": "é\x01"}},
		Principal:      access.Principal{Type: access.PrincipalUser, ID: "usr_1"},
		PrincipalLabel: &tenancy.Labels{ExternalID: "p"},
		Permissions:    &verify.PermissionSet{JSON: []byte(`["a:read","b:write"]`)},
		ExpiresAt:      ends, SecretVersion: 2, Revision: 7, Staleness: 12 * time.Millisecond,
		Limits: []verify.LimitState{{Name: "burst", Limit: 10, Remaining: 9, ResetAt: ends}, {Name: "all", Limit: 5}},
	}
	copy(full.CredentialID[:], "0123456789ab")
	want := api.VerifyResponse{
		Valid: true, Code: api.VerifyValid, CredentialID: "crd_0123456789ab", Kind: "user_key", TenantID: "ten_1", OrganizationID: "org_1",
		ExternalID: "x\"y\\z\u2028", Metadata: map[string]string{"a": "é\x01", "b": "2"},
		Principal:   &api.VerifyPrincipal{Type: "user", ID: "usr_1", ExternalID: "p"},
		Permissions: []string{"a:read", "b:write"}, ExpiresAt: &ends, SecretVersion: 2, Revision: 7, StalenessMS: 12,
		Limits: []api.LimitState{{Name: "burst", Limit: 10, Remaining: 9, ResetAt: &ends}, {Name: "all", Limit: 5}},
	}
	missing := full
	missing.Valid, missing.Code, missing.Permissions = false, verify.InsufficientPermissions, nil
	missing.Missing = []access.Permission{"c:read", "d:read"}
	wantMissing := want
	wantMissing.Valid, wantMissing.Code, wantMissing.Permissions = false, api.VerifyInsufficientPermissions, []string{}
	wantMissing.Missing = []string{"c:read", "d:read"}

	for name, row := range map[string]struct {
		in   verify.Result
		want api.VerifyResponse
	}{
		"everything": {full, want},
		"missing":    {missing, wantMissing},
		"not found": {
			// Whatever else a result might hold, of an unknown credential nothing is told.
			verify.Result{Code: verify.NotFound, TenantID: "ten_1", Revision: 3, Staleness: time.Second},
			api.VerifyResponse{Code: api.VerifyNotFound, Revision: 3, StalenessMS: 1000},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got api.VerifyResponse
			raw := appendVerdict(nil, &row.in)
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatalf("%v: %s", err, raw)
			}
			if d := cmp.Diff(row.want, got); d != "" {
				t.Errorf("%s\n%s", d, raw)
			}
		})
	}
}

func FuzzAppendText(f *testing.F) {
	f.Add("plain")
	f.Add("a\"\\\x00\x7f\u2028é😀\xff")
	f.Fuzz(func(t *testing.T, s string) {
		var got, want string
		raw := appendText(nil, s)
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		standard, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(standard, &want); err != nil || got != want {
			t.Errorf("%q became %q, want %q", s, got, want)
		}
	})
}
