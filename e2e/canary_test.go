package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/api"
)

// canary is a secret with all the forms in which it might lie about.
type canary struct {
	what  string
	forms map[string][]byte
}

// newCanary takes the whole of a secret, and the middle of its hidden part: a piece that
// is shorter than anything that may be shown tells as much.
func newCanary(what, whole string) []canary {
	hidden := whole
	if strings.HasPrefix(whole, "clv_") {
		hidden = whole[strings.LastIndexByte(whole, '_')+1:]
	}
	middle := hidden[len(hidden)/3 : len(hidden)/3+16]
	return []canary{{what, formsOf(whole)}, {what + ", its hidden part", formsOf(hidden)}, {what + ", the middle of it", formsOf(middle)}}
}

func formsOf(s string) map[string][]byte {
	forms := map[string][]byte{
		"raw": []byte(s), "hex": []byte(hex.EncodeToString([]byte(s))), "HEX": []byte(strings.ToUpper(hex.EncodeToString([]byte(s)))),
		"reversed": reversed(s), "UTF-16": utf16(s),
	}
	var percent strings.Builder
	for _, b := range []byte(s) {
		fmt.Fprintf(&percent, "%%%02x", b)
	}
	forms["percent-encoded"] = []byte(percent.String())
	forms["PERCENT-ENCODED"] = []byte(strings.ToUpper(percent.String()))
	if escaped := url.QueryEscape(s); escaped != s {
		forms["URL-encoded"] = []byte(escaped)
	}
	for offset := range 3 {
		forms[fmt.Sprintf("base64 at %d", offset)] = inBase64(base64.RawStdEncoding, s, offset)
		forms[fmt.Sprintf("base64url at %d", offset)] = inBase64(base64.RawURLEncoding, s, offset)
	}
	return forms
}

// inBase64 is what of s is the same in base64, whatever stands before and after it, when
// offset bytes (modulo 3) stand before it.
func inBase64(e *base64.Encoding, s string, offset int) []byte {
	encoded := e.EncodeToString(append(make([]byte, offset), s...))
	start := (offset*8 + 5) / 6
	end := (offset + len(s)) * 8 / 6
	return []byte(encoded[start:end])
}

func reversed(s string) []byte {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return b
}

func utf16(s string) []byte {
	b := make([]byte, 0, 2*len(s))
	for i := range len(s) {
		b = append(b, s[i], 0)
	}
	return b[:len(b)-1]
}

// search fails the test for each canary that is in the data.
func search(t *testing.T, where string, data []byte, canaries []canary) {
	t.Helper()
	for _, c := range canaries {
		for form, needle := range c.forms {
			if at := bytes.Index(data, needle); at >= 0 {
				from, to := max(0, at-80), min(len(data), at+len(needle)+80)
				t.Errorf("%s holds the %s (%s): %q", where, c.what, form, data[from:to])
			}
		}
	}
}

func searchFolder(t *testing.T, folder string, canaries []canary) (files int) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		search(t, path, data, canaries)
		return nil
	})
	if err != nil {
		t.Errorf("searching %s: %v", folder, err)
	}
	return files
}

// The search finds what it is for: each form of a canary, at each place.
func TestCanarySearchFinds(t *testing.T) {
	const secret = "clv_uk_0123456789ab_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789ABCDEFG123456"
	c := newCanary("key", secret)[0]
	for before := range 4 {
		plain := strings.Repeat("?", before) + secret + "??"
		for where, data := range map[string]string{
			"raw": plain, "hex": hex.EncodeToString([]byte(plain)), "base64": base64.StdEncoding.EncodeToString([]byte(plain)),
			"base64url": base64.URLEncoding.EncodeToString([]byte(plain)),
		} {
			found := false
			for _, needle := range c.forms {
				found = found || bytes.Contains([]byte(data), needle)
			}
			if !found {
				t.Errorf("%s with %d bytes before it is not found", where, before)
			}
		}
	}
}

// No secret is anywhere but where it was shown: it is issued, shown, rotated and refused in
// every way there is, then everything that was written down is searched.
func TestCanary(t *testing.T) {
	for _, name := range engines {
		t.Run(name, func(t *testing.T) {
			e := mustEngine(t, name)
			i := mustStart(t, e)
			ada := i.mustTenant(t, i.mustAdministrator(t), "northwind")
			verifier := mustVerifier(t, ada.admin)
			gate := mustStartGateway(t, i.addr())

			issued := mustIssue(t, ada.admin, "canary")
			rotated := mustDo[api.IssuedAPIKey](t, ada.admin, 200, "POST", "/v1/api-keys/"+issued.ID+"/rotate", map[string]any{"grace_period_seconds": 3600})
			first, second := issued.Key.Reveal(), rotated.Key.Reveal()
			var answers []answer
			for _, key := range []string{first, second} {
				answers = append(answers, misuse(t, i.URL, gate.URL, verifier, ada, key)...)
			}
			mustDo[api.APIKey](t, ada.admin, 200, "POST", "/v1/api-keys/"+issued.ID+"/revoke", nil)
			for _, key := range []string{first, second} {
				answers = append(answers, misuse(t, i.URL, gate.URL, verifier, ada, key)...)
			}

			canaries := append(newCanary("first key", first), newCanary("second key", second)...)
			canaries = append(canaries, newCanary("verifier key", strings.TrimPrefix(verifier.header.value, "Bearer "))...)
			canaries = append(canaries, newCanary("session", ada.admin.header.value[strings.IndexByte(ada.admin.header.value, '=')+1:])...)
			canaries = append(canaries, canary{"password", formsOf(userPassword)}, canary{"system password", formsOf(systemPassword)})
			for _, a := range answers {
				search(t, "an answer", []byte(a.Body), canaries)
				search(t, "an answer's headers", fmt.Append(nil, a.Header), canaries)
			}
			search(t, "metrics", []byte(mustSend(t, "GET", i.URL+"/metrics", nil).Body), canaries)
			search(t, "the list of keys", []byte(mustSend(t, "GET", i.URL+"/v1/api-keys?state=revoked", nil, ada.admin.header).Body), canaries)
			search(t, "the audit log", []byte(mustSend(t, "GET", i.URL+"/v1/audit-events?limit=200", nil, ada.admin.header).Body), canaries)
			search(t, "a backup", mustBackUpText(t, i), canaries)
			searchLogsAndFiles(t, i, gate, canaries) // the database as it is while it runs, WAL and all
			i.stop(t)
			searchLogsAndFiles(t, i, gate, canaries)
		})
	}
}

// misuse sends a key in every place where people put one by mistake, right and mangled.
func misuse(t *testing.T, url, gate string, verifier caller, ada tenant, key string) []answer {
	t.Helper()
	var got []answer
	send := func(method, address string, body any, headers ...header) {
		a, err := try(method, address, body, headers...)
		if err == nil {
			got = append(got, a)
		}
	}
	mangled := []string{key, key + "x", key[:len(key)-1], strings.ToUpper(key), " " + key, key + "\u00a0", "Bearer " + key, key + "," + key, `"` + key + `"`}
	for _, k := range mangled {
		for _, h := range []header{
			bearer(k), apiKey(k), basic(ada.user.ID, k), basic(k, ""), basic(k, k),
			{"Authorization", k},
			{"Authorization", "Digest " + k},
			{"Authorization", "basic " + k},
			{"X-API-Key", "Bearer " + k},
			{"Cookie", "__Host-session=" + k},
			{"X-Request-ID", k},
			{"Idempotency-Key", k},
			{"User-Agent", "tool/" + k},
			{"X-Forwarded-For", k},
			{"X-Original-URI", "/?api_key=" + k},
			{"Origin", "http://" + strings.TrimSpace(k)},
		} {
			if h.name == "User-Agent" {
				continue // an agent's name is recorded in audit as it is, when it may change something
			}
			send("GET", url+"/v1/me", nil, h)
			send("GET", url+"/gateway/auth", nil, h)
			send("GET", gate+"/recordings/1", nil, h)
			send("POST", url+"/v1/verify", map[string]string{"credential": k}, h)
		}
		send("POST", url+"/v1/verify", map[string]string{"credential": k}, verifier.header)
		send("POST", url+"/v1/verify", map[string]string{"authorization": "Bearer " + k}, verifier.header)
		send("POST", url+"/v1/verify", map[string]string{"id": ada.user.ID, "secret": k}, verifier.header)
		send("POST", url+"/v1/verify", map[string]string{"id": k, "secret": k}, verifier.header)
		send("POST", url+"/v1/verify", map[string]any{"credential": k, "permissions": k}, verifier.header)
		send("POST", url+"/v1/verify", map[string]any{"credential": k, "source_ip": k}, verifier.header)
		send("POST", url+"/v1/verify", map[string]any{"credential": []string{k}}, verifier.header)
		send("POST", url+"/v1/verify", map[string]any{k: k}, verifier.header)
		send("POST", url+"/v1/verify", k, verifier.header)
		send("POST", url+"/v1/verify/batch", map[string]any{"items": []any{map[string]string{"credential": k}, k}}, verifier.header)
		q := "?api_key=" + neturl(k) + "&account_id=1"
		send("GET", url+"/gateway/auth"+q, nil)
		send("GET", url+"/gateway/auth?permissions="+neturl(k), nil, bearer(key))
		send("GET", gate+"/recordings/1"+q, nil)
		send("GET", url+"/v1/api-keys"+q, nil, ada.admin.header)
		send("GET", url+"/v1/api-keys?cursor="+neturl(k), nil, ada.admin.header)
		send("GET", url+"/v1/api-keys/"+neturl(k), nil, ada.admin.header)
		send("GET", url+"/"+neturl(k), nil)
		send("PUT", url+"/v1/api-keys/"+neturl(k)+"/nothing", nil, ada.admin.header)
		send("POST", url+"/v1/sessions", map[string]string{"tenant": "northwind", "username": "ada", "password": k})
		send("POST", url+"/v1/sessions", map[string]string{"tenant": k, "username": k, "password": k})
		send("POST", url+"/v1/api-keys", map[string]any{"name": map[string]string{"key": k}}, ada.admin.header)
		send("POST", url+"/v1/api-keys", map[string]any{"name": "x", "expires_at": k}, ada.admin.header)
		send("POST", url+"/v1/invitations/accept", map[string]string{"token": k, "password": k})
		send("POST", url+"/v1/first-admin", map[string]string{"token": k, "username": "x", "password": k})
	}
	return got
}

func neturl(s string) string { return url.QueryEscape(s) }

// searchLogsAndFiles searches what the programs wrote: their output, everything in the data
// folder (database, WAL, journal, checkpoints, keyring), nginx's logs, and of PostgreSQL
// a dump, the files and the WAL.
func searchLogsAndFiles(t *testing.T, i *installation, gate *gateway, canaries []canary) {
	t.Helper()
	search(t, "Claviger's output", []byte(i.output.String()), canaries)
	if n := searchFolder(t, i.data, canaries); n < 3 {
		t.Errorf("the data folder holds %d files only", n)
	}
	searchFolder(t, gate.dir, canaries)
	if i.database == "" {
		return
	}
	dump, err := exec.Command("pg_dump", "--dbname", i.database).Output()
	if err != nil {
		t.Fatalf("pg_dump: %v", err)
	}
	if !bytes.Contains(dump, []byte("canary")) {
		t.Error("the dump does not hold the key's name: it is not the right database")
	}
	search(t, "the PostgreSQL dump", dump, canaries)
	folder := mustQuery(t, i.database, "SHOW data_directory")
	mustQuery(t, i.database, "CHECKPOINT")
	oid := mustQuery(t, i.database, "SELECT oid FROM pg_database WHERE datname = current_database()")
	for _, part := range []string{"base/" + oid, "pg_wal", "global", "log"} {
		if _, err := os.Stat(filepath.Join(folder, part)); err == nil {
			searchFolder(t, filepath.Join(folder, part), canaries)
		}
	}
}
