package authority_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

var importRows = map[string]row{
	"OpenImportWindow": tenantRow("tenant.open_import", func(w *world) any {
		in, _ := freshTenant(w).(authority.TenantInput)
		return authority.OpenImportWindowInput{ID: in.ID, For: time.Hour}
	}),
	"CloseImportWindow": tenantRow("tenant.close_import", freshTenant),
	"BeginImport": {action: "import.begin", input: func(w *world) any {
		w.openImports()
		return authority.BeginImportInput{Tenant: w.acme.ID, Source: "keys.csv"}
	}},
	"ImportKeys": {action: "api_key.import", input: func(w *world) any {
		return authority.ImportKeysInput{ID: w.beginImport(w.super, authority.BeginImportInput{}), Lines: []authority.ImportLine{
			{Line: 2, Name: "from before", Owner: string(userOf(w.super)), Key: secret.New(oldKey(1))},
		}}
	}},
	"FinishImport": {action: "import.finish", input: func(w *world) any {
		return authority.OperationInput{ID: w.beginImport(w.super, authority.BeginImportInput{})}
	}},
	"ImportRefusals": {input: func(w *world) any {
		return authority.ImportRefusalsInput{ID: w.beginImport(w.super, authority.BeginImportInput{})}
	}},
}

// oldKey is a key as the system before made them.
func oldKey(n int) string {
	sum := sha256.Sum256(fmt.Append(nil, "key of before ", n))
	return "pv-" + hex.EncodeToString(sum[:16])
}

// openImports lets acme's own people import for an hour.
func (w *world) openImports() {
	w.Helper()
	_, err := w.a.OpenImportWindow(w.Context(), w.system, authority.OpenImportWindowInput{ID: w.acme.ID, For: time.Hour})
	w.must(err)
}

func (w *world) beginImport(c access.Caller, in authority.BeginImportInput) string {
	w.Helper()
	w.openImports()
	in.Tenant = w.acme.ID
	o, err := w.a.BeginImport(w.Context(), c, in)
	w.must(err)
	return o.ID
}

// lines are the good ones of so many keys, from line 2 on as in a file with a head.
func (w *world) lines(from, n int) []authority.ImportLine {
	list := make([]authority.ImportLine, n)
	for i := range list {
		list[i] = authority.ImportLine{Line: int64(from + i + 1), Name: fmt.Sprintf("old key %d", from+i), Owner: "holder", Key: secret.New(oldKey(from + i))}
	}
	return list
}

// indexed is a resident index that follows the world's database.
func (w *world) indexed() *verify.Index {
	w.Helper()
	x := verify.New(verify.Config{Source: w.store, Peppers: w.config.Peppers, ImportKeys: w.config.ImportKeys, Now: w.clock.Now})
	ctx, stop := context.WithCancel(w.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = x.Run(ctx) // that it was told to end
	}()
	w.Cleanup(func() { stop(); <-done })
	<-x.Loaded()
	return x
}

func (w *world) verdict(x *verify.Index, r verify.Request) verify.Result {
	w.Helper()
	var head uint64
	w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) error { head = tx.Head(); return nil }))
	w.must(x.Applied(w.Context(), head))
	res, err := x.Verify(&r)
	w.must(err)
	return res
}

// PV3: keys that existed before go on working, with an owner and a name; they are listed,
// renamed, rotated and revoked like any other.
func TestImportedKeysAreLikeAnyOther(t *testing.T) {
	engines(t, func(w *world) {
		keys, err := secret.NewImportKeys(map[string][]byte{"old": []byte("the key of the system before")})
		w.must(err)
		w.config.ImportKeys = keys
		w.a = w.another()
		x := w.indexed()
		m := hmac.New(sha256.New, []byte("the key of the system before"))
		m.Write([]byte(oldKey(2)))
		plainSum := sha256.Sum256([]byte(oldKey(1)))
		id := w.beginImport(w.super, authority.BeginImportInput{Total: 3, Source: "keys.csv"})
		out, err := w.a.ImportKeys(w.Context(), w.super, authority.ImportKeysInput{ID: id, Lines: []authority.ImportLine{
			{Line: 2, Name: "in clear", Owner: "HOLDER", Key: secret.New(oldKey(0)), ExpiresAt: "2027-01-31"},
			{Line: 3, Name: "as SHA-256", Owner: string(userOf(w.holder)), Digest: "sha256:" + hex.EncodeToString(plainSum[:])},
			{Line: 4, Name: "as HMAC", Owner: "holder", Digest: "hmac-sha256:old:" + strings.ToUpper(hex.EncodeToString(m.Sum(nil)))},
		}})
		w.must(err)
		if out.Done != 3 || out.FailedTotal != 0 || len(out.Refused) != 0 || out.State != authority.OperationRunning {
			t.Fatalf("%+v", out)
		}
		list, err := w.a.APIKeys(w.Context(), w.super, authority.KeysInput{Tenant: w.acme.ID, Owner: userOf(w.holder)})
		w.must(err)
		if len(list.Items) != 3 {
			t.Fatalf("%d keys are listed", len(list.Items))
		}
		byName := map[string]authority.Key{}
		for _, k := range list.Items {
			byName[k.Name] = k
			if k.Origin != credential.Imported || k.OwnerName != "holder" || k.Kind != credential.UserKey || k.SecretVersion != 1 || k.State != credential.Active {
				t.Errorf("%+v", k)
			}
		}
		clear := byName["in clear"]
		if clear.ExpiresAt != time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC) || clear.Hint != "…"+oldKey(0)[len(oldKey(0))-4:] || byName["as HMAC"].Hint != "" {
			t.Errorf("expires %v, hints %q and %q", clear.ExpiresAt, clear.Hint, byName["as HMAC"].Hint)
		}
		for n, name := range []string{"in clear", "as SHA-256", "as HMAC"} {
			res := w.verdict(x, verify.Request{Credential: oldKey(n), Permissions: "recordings:read"})
			if !res.Valid || res.CredentialID != byName[name].ID || res.Principal != w.holder.Principal {
				t.Errorf("%s: %s", name, res.Code)
			}
			if res := w.verdict(x, verify.Request{ID: w.holder.Principal.ID, Secret: oldKey(n)}); !res.Valid { // PV1
				t.Errorf("%s with its user: %s", name, res.Code)
			}
		}
		_, err = w.a.RenameAPIKey(w.Context(), w.super, authority.RenameKeyInput{ID: clear.ID, Name: "renamed"})
		w.must(err)
		_, err = w.a.SuspendAPIKey(w.Context(), w.super, authority.KeyInput{ID: clear.ID})
		w.must(err)
		if res := w.verdict(x, verify.Request{Credential: oldKey(0)}); res.Code != verify.Suspended {
			t.Errorf("suspended: %s", res.Code)
		}
		_, err = w.a.RevokeAPIKey(w.Context(), w.super, authority.KeyInput{ID: clear.ID})
		w.must(err)
		if res := w.verdict(x, verify.Request{Credential: oldKey(0)}); res.Code != verify.Revoked {
			t.Errorf("revoked: %s", res.Code)
		}
		rotated, err := w.a.RotateAPIKey(w.Context(), w.holder, authority.RotateKeyInput{ID: byName["as HMAC"].ID, Grace: time.Hour})
		w.must(err)
		if rotated.Origin != credential.Made || !strings.HasPrefix(rotated.Secret.Reveal(), "clv_uk_") {
			t.Errorf("rotated: %+v", rotated.Key)
		}
		for _, text := range []string{oldKey(2), rotated.Secret.Reveal()} {
			if res := w.verdict(x, verify.Request{Credential: text}); !res.Valid || res.CredentialID != rotated.ID {
				t.Errorf("in grace: %s", res.Code)
			}
		}
		back, err := w.a.RollBackAPIKey(w.Context(), w.holder, authority.KeyInput{ID: rotated.ID})
		w.must(err)
		if res := w.verdict(x, verify.Request{Credential: oldKey(2)}); !res.Valid || back.Origin != credential.Imported {
			t.Errorf("rolled back: %s, origin %d", res.Code, back.Origin)
		}
		if res := w.verdict(x, verify.Request{Credential: rotated.Secret.Reveal()}); res.Code != verify.NotFound {
			t.Errorf("what it was rotated to: %s", res.Code)
		}
		w.nowhere(oldKey(0), oldKey(1), oldKey(2))
	})
}

// nowhere fails when one of the texts is in the audit log or in what is kept of imports.
func (w *world) nowhere(texts ...string) {
	w.Helper()
	var all bytes.Buffer
	w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) error {
		events, err := tx.AuditEventsAfter(0, 1000)
		for _, e := range events {
			fmt.Fprintf(&all, "%s %s %s %s\n", e.Action, e.TargetName, e.Before, e.After)
		}
		return err
	}))
	rows, err := w.raw.QueryContext(w.Context(), "SELECT failed || position || created_by_name FROM operations UNION ALL SELECT code || message FROM import_refusals "+
		"UNION ALL SELECT name || hint || search_text FROM credentials")
	w.must(err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		w.must(rows.Scan(&s))
		all.WriteString(s + "\n")
	}
	w.must(rows.Err())
	for _, text := range texts {
		if strings.Contains(all.String(), text) {
			w.Error("a key in clear was written down")
		}
	}
}

// Each line that can't be brought in is refused with its reason, harms no other, and is told
// again in the report.
func TestImportRefusesLines(t *testing.T) {
	engines(t, func(w *world) {
		sleeper := w.someone()
		_, err := w.a.SuspendUser(w.Context(), w.super, authority.UserInput{ID: userOf(sleeper)})
		w.must(err)
		gone := w.someone()
		_, err = w.a.DeleteUser(w.Context(), w.super, authority.UserInput{ID: userOf(gone)})
		w.must(err)
		external := tenancy.Labels{ExternalID: "nobody"}
		_, err = w.a.ChangeUser(w.Context(), w.super, authority.ChangeUserInput{ID: userOf(w.someone()), Labels: &external})
		w.must(err)
		good := func() authority.ImportLine {
			return authority.ImportLine{Name: "n", Owner: "holder", Key: secret.New(oldKey(77))}
		}
		rows := []struct {
			code string
			edit func(*authority.ImportLine)
		}{
			{"", func(*authority.ImportLine) {}},
			{"key_taken", func(l *authority.ImportLine) { l.Name = "again" }},
			{"malformed", func(l *authority.ImportLine) { *l = authority.ImportLine{Malformed: true} }},
			{"name", func(l *authority.ImportLine) { l.Name = "" }},
			{"key_in_clear", func(l *authority.ImportLine) { l.Name = l.Key.Reveal() }},
			{"owner_unknown", func(l *authority.ImportLine) { l.Owner = "who" }},
			{"owner_unknown", func(l *authority.ImportLine) { l.Owner = "" }},
			{"owner_unknown", func(l *authority.ImportLine) { l.Owner = string(userOf(gone)) }},
			{"owner_unknown", func(l *authority.ImportLine) { l.Owner = string(userOf(w.foreign)) }},
			{"owner_suspended", func(l *authority.ImportLine) { l.Owner = string(userOf(sleeper)) }},
			{"owner_ambiguous", func(l *authority.ImportLine) { l.Owner = "nobody" }},
			{"key_or_digest", func(l *authority.ImportLine) { l.Key = secret.Secret{} }},
			{"key_or_digest", func(l *authority.ImportLine) { l.Digest = "sha256:" + strings.Repeat("0a", 32) }},
			{"digest_malformed", func(l *authority.ImportLine) { l.Key, l.Digest = secret.Secret{}, "md5:"+strings.Repeat("0a", 16) }},
			{"import_key_unknown", func(l *authority.ImportLine) {
				l.Key, l.Digest = secret.Secret{}, "hmac-sha256:none:"+strings.Repeat("0a", 32)
			}},
			{"key_of_claviger", func(l *authority.ImportLine) { l.Key = w.key(w.super).Secret }},
			{"key_is_token", func(l *authority.ImportLine) {
				l.Key = secret.New("eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOjEsImlhdCI6MSwiZXhwIjoyfQ.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw")
			}},
			{"key_weak", func(l *authority.ImportLine) { l.Key = secret.New("password1") }},
			{"key_malformed", func(l *authority.ImportLine) { l.Key = secret.New("short") }},
			{"expires_at", func(l *authority.ImportLine) { l.ExpiresAt = "soon" }},
			{"expires_at", func(l *authority.ImportLine) { l.ExpiresAt = "2026-02-28" }},
			{"", func(l *authority.ImportLine) { l.Key = secret.New(oldKey(78)) }},
		}
		id := w.beginImport(w.system, authority.BeginImportInput{})
		var lines []authority.ImportLine
		for i, r := range rows {
			l := good()
			if r.code != "key_taken" && r.code != "" {
				l.Key = secret.New(oldKey(100 + i))
			}
			r.edit(&l)
			l.Line = int64(i + 2)
			lines = append(lines, l)
		}
		out, err := w.a.ImportKeys(w.Context(), w.system, authority.ImportKeysInput{ID: id, Lines: lines})
		w.must(err)
		want := map[int64]string{}
		for i, r := range rows {
			if r.code != "" {
				want[int64(i+2)] = r.code
			}
		}
		check := func(what string, got []store.ImportRefusal) {
			t.Helper()
			for _, r := range got {
				if want[r.Line] != r.Code || r.Message == "" {
					t.Errorf("%s, line %d: %s %q, want %s", what, r.Line, r.Code, r.Message, want[r.Line])
				}
			}
			if len(got) != len(want) {
				t.Errorf("%s: %d of %d refused", what, len(got), len(want))
			}
		}
		check("answered", out.Refused)
		report, err := w.a.ImportRefusals(w.Context(), w.super, authority.ImportRefusalsInput{ID: id})
		w.must(err)
		check("reported", report)
		if out.Done != int64(len(rows)) || out.FailedTotal != int64(len(want)) || len(out.Failed) != len(want) {
			t.Errorf("%d done, %d failed, %d listed", out.Done, out.FailedTotal, len(out.Failed))
		}
		// Sent once more, as after an answer that was lost, nothing changes.
		before := w.state()
		again, err := w.a.ImportKeys(w.Context(), w.system, authority.ImportKeysInput{ID: id, Lines: lines})
		w.must(err)
		check("again", again.Refused)
		if w.state() != before || again.Done != out.Done {
			t.Error("the same lines were dealt with twice")
		}
		w.nowhere("password1", oldKey(104))
		// What was revoked does not come back.
		list, err := w.a.APIKeys(w.Context(), w.super, authority.KeysInput{Tenant: w.acme.ID, Search: "n", Owner: userOf(w.holder)})
		w.must(err)
		for _, k := range list.Items {
			_, err := w.a.DeleteAPIKey(w.Context(), w.super, authority.KeyInput{ID: k.ID})
			w.must(err)
		}
		l := good()
		l.Line = 1000
		out, err = w.a.ImportKeys(w.Context(), w.system, authority.ImportKeysInput{ID: id, Lines: []authority.ImportLine{l}})
		w.must(err)
		if len(out.Refused) != 1 || out.Refused[0].Code != "key_taken" {
			t.Errorf("a revoked key came back: %v", out.Refused)
		}
	})
}

// A dry run finds what a real one would, also twice the same key in two requests, and brings
// nothing in.
func TestDryRunBringsNothingIn(t *testing.T) {
	engines(t, func(w *world) {
		id := w.beginImport(w.super, authority.BeginImportInput{DryRun: true, AcceptWeak: true})
		before := w.state()
		weak := authority.ImportLine{Line: 4, Name: "weak", Owner: "holder", Key: secret.New("password1")}
		send := func(lines ...authority.ImportLine) authority.ImportProgress {
			t.Helper()
			out, err := w.a.ImportKeys(w.Context(), w.super, authority.ImportKeysInput{ID: id, Lines: lines})
			w.must(err)
			return out
		}
		send(w.lines(1, 2)...)
		twice := w.lines(1, 1)[0]
		twice.Line = 5
		out := send(weak, twice)
		if out.Done != 4 || len(out.Refused) != 1 || out.Refused[0].Line != 5 || out.Refused[0].Code != "key_taken" {
			t.Errorf("%+v", out)
		}
		if w.state() != before {
			t.Error("a dry run changed something")
		}
		done, err := w.a.FinishImport(w.Context(), w.super, authority.OperationInput{ID: id})
		w.must(err)
		if done.State != authority.OperationDone || done.FinishedAt.IsZero() {
			t.Errorf("%+v", done)
		}
		e := w.lastEvent(w.acme.ID)
		if e.Action != "import.finish" || !strings.Contains(string(e.After), `"dry_run":true`) || !strings.Contains(string(e.After), `"weak":1`) {
			t.Errorf("%s %s", e.Action, e.After)
		}
		// Nothing of it stands in the way of the real one.
		id = w.beginImport(w.super, authority.BeginImportInput{AcceptWeak: true})
		if out := send(append(w.lines(1, 2), weak)...); len(out.Refused) != 0 {
			t.Errorf("%+v", out.Refused)
		}
		list, err := w.a.APIKeys(w.Context(), w.super, authority.KeysInput{Tenant: w.acme.ID, Search: "weak"})
		w.must(err)
		if len(list.Items) != 1 || list.Items[0].Origin != credential.ImportedWeak {
			t.Errorf("%+v", list.Items)
		}
	})
}

// A tenant's people import in a window only, and within what they may give; the operators
// always may. Others begin no import, and nobody goes on with another's.
func TestImportWindow(t *testing.T) {
	engines(t, func(w *world) {
		begin := func(c access.Caller) error {
			_, err := w.a.BeginImport(w.Context(), c, authority.BeginImportInput{Tenant: w.acme.ID})
			return err
		}
		w.refused("no window", problem.Denied, "import_closed", func() error { return begin(w.super) })
		id := w.beginImport(w.super, authority.BeginImportInput{})
		w.refused("at one organization only", problem.Denied, "", func() error { return begin(w.northern) })
		w.refused("another tenant", problem.NotFound, "", func() error { return begin(w.foreign) })
		send := func(c access.Caller, lines ...authority.ImportLine) (authority.ImportProgress, error) {
			return w.a.ImportKeys(w.Context(), c, authority.ImportKeysInput{ID: id, Lines: lines})
		}
		w.refused("the operators in another's import", problem.NotFound, "", func() error {
			_, err := send(w.system, w.lines(1, 1)...)
			return err
		})
		for what, lines := range map[string][]authority.ImportLine{
			"no lines": nil, "line 0": {{Line: 0}}, "falling": {{Line: 2}, {Line: 1}}, "twice": {{Line: 2}, {Line: 2}},
			"too many": make([]authority.ImportLine, authority.MaxImportLines+1),
		} {
			w.refused(what, problem.Invalid, "", func() error { _, err := send(w.super, lines...); return err })
		}
		_, err := send(w.super, w.lines(1, 1)...)
		w.must(err)
		w.clock.Add(time.Hour)
		w.refused("the window has closed", problem.Denied, "import_closed", func() error {
			_, err := send(w.super, w.lines(2, 1)...)
			return err
		})
		_, err = w.a.FinishImport(w.Context(), w.super, authority.OperationInput{ID: id})
		w.must(err) // that is still theirs
		w.openImports()
		w.refused("finished", problem.Conflict, "import_finished", func() error {
			_, err := send(w.super, w.lines(2, 1)...)
			return err
		})
		_, err = w.a.CloseImportWindow(w.Context(), w.system, authority.TenantInput{ID: w.acme.ID})
		w.must(err)
		w.refused("closed by hand", problem.Denied, "import_closed", func() error { return begin(w.super) })
		for what, open := range map[string]time.Duration{"no time": 0, "too long": authority.MaxImportWindow + time.Second} {
			w.refused(what, problem.Invalid, "", func() error {
				_, err := w.a.OpenImportWindow(w.Context(), w.system, authority.OpenImportWindowInput{ID: w.acme.ID, For: open})
				return err
			})
		}
		w.must(begin(w.system))

		// Nobody gives what they may not give: an owner who holds more than the importer.
		modest := w.someone(string(access.APIKeysManage), string(access.APIKeysGenerate))
		w.openImports()
		o, err := w.a.BeginImport(w.Context(), modest, authority.BeginImportInput{})
		w.must(err)
		id = o.ID
		line := w.lines(5, 1)[0]
		line.Owner = "super"
		out, err := send(modest, line)
		w.must(err)
		if len(out.Refused) != 1 || out.Done != 1 {
			t.Errorf("a key that may do more than its importer: %+v", out)
		}
	})
}

// No answer tells whether a key exists in another tenant: importing it there goes as it would
// if it were new.
func TestImportTellsNothingOfOtherTenants(t *testing.T) {
	engines(t, func(w *world) {
		x := w.indexed()
		bring := func(tenant tenancy.TenantID) authority.ImportProgress {
			t.Helper()
			o, err := w.a.BeginImport(w.Context(), w.system, authority.BeginImportInput{Tenant: tenant})
			w.must(err)
			out, err := w.a.ImportKeys(w.Context(), w.system, authority.ImportKeysInput{ID: o.ID, Lines: []authority.ImportLine{
				{Line: 2, Name: "k", Owner: "super", Key: secret.New(oldKey(1))},
			}})
			w.must(err)
			return out
		}
		first, second := bring(w.acme.ID), bring(w.other.ID)
		if len(first.Refused)+len(second.Refused) != 0 || first.Done != second.Done {
			t.Errorf("%+v, then %+v", first, second)
		}
		if res := w.verdict(x, verify.Request{Credential: oldKey(1)}); !res.Valid || res.TenantID != w.acme.ID {
			t.Errorf("%s %s", res.Code, res.TenantID)
		}
		if res := w.verdict(x, verify.Request{Credential: oldKey(1), OnlyTenant: w.other.ID}); !res.Valid || res.TenantID != w.other.ID {
			t.Errorf("%s %s", res.Code, res.TenantID)
		}
		// A node that reads everything anew decides the same.
		if res := w.verdict(w.indexed(), verify.Request{Credential: oldKey(1)}); res.TenantID != w.acme.ID {
			t.Errorf("anew: %s %s", res.Code, res.TenantID)
		}
	})
}

// A process that dies in the middle loses nothing and does nothing twice; what nobody
// finishes ends after a day.
func TestImportGoesOn(t *testing.T) {
	engines(t, func(w *world) {
		id := w.beginImport(w.system, authority.BeginImportInput{Total: 250})
		lines := w.lines(1, 250)
		in := authority.ImportKeysInput{ID: id, Lines: lines}
		failure := errors.New("the node dies")
		w.applied.Then(func(calls int) {
			if calls == 2 {
				w.applied.Fail(failure)
			}
		})
		if _, err := w.a.ImportKeys(w.Context(), w.system, in); err == nil {
			t.Fatal("it did not die")
		}
		w.applied.Then(nil)
		w.applied.Fail(nil)
		w.a = w.another()
		out, err := w.a.ImportKeys(w.Context(), w.system, in)
		w.must(err)
		n, err := w.a.CountAPIKeys(w.Context(), w.super, authority.KeysInput{Tenant: w.acme.ID})
		w.must(err)
		if out.Done != 250 || n.Count != 250 || len(out.Refused) != 0 {
			t.Errorf("%d done, %d keys, %v", out.Done, n.Count, out.Refused)
		}
		w.must(w.a.WorkOperations(w.Context()))
		o, err := w.a.Operation(w.Context(), w.system, authority.OperationInput{ID: id})
		w.must(err)
		if o.State != authority.OperationRunning {
			t.Fatalf("%+v", o)
		}
		w.clock.Add(24 * time.Hour)
		w.refused("after a day", problem.Conflict, "import_finished", func() error {
			_, err := w.a.ImportKeys(w.Context(), w.system, authority.ImportKeysInput{ID: id, Lines: w.lines(500, 1)})
			return err
		})
		w.must(w.a.WorkOperations(w.Context()))
		o, err = w.a.Operation(w.Context(), w.system, authority.OperationInput{ID: id})
		w.must(err)
		if e := w.lastEvent(w.acme.ID); o.State != authority.OperationDone || e.Action != "import.stop" {
			t.Errorf("%+v %s", o, e.Action)
		}
	})
}
