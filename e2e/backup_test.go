package e2e

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/claviger-io/claviger/api"
)

// life is what a holder knows of a key: what was asked for, and what was acknowledged.
type life struct {
	id      string
	secrets []string // as they were shown, the last one current
	ended   int      // how many of them must not verify any more: acknowledged
	unsure  bool     // something was asked for and not acknowledged
}

// holder makes, rotates and revokes keys, one after another, until the node is gone.
type holder struct {
	caller
	random       *rand.Rand
	acknowledged *atomic.Int64
	mu           sync.Mutex // guards lives
	lives        []*life
}

func (h *holder) run(t *testing.T) {
	t.Helper()
	for {
		var l *life
		h.mu.Lock()
		if n := len(h.lives); n > 0 && h.random.IntN(2) == 0 {
			l = h.lives[h.random.IntN(n)]
		}
		h.mu.Unlock()
		if l == nil || l.ended == len(l.secrets) || l.unsure {
			if !h.issue(t) {
				return
			}
		} else if !h.end(t, l) {
			return
		}
	}
}

func (h *holder) issue(t *testing.T) (goesOn bool) {
	t.Helper()
	var issued api.IssuedAPIKey
	a, err := try("POST", h.URL+"/v1/api-keys", map[string]string{"name": "held"}, h.header)
	if err != nil {
		return false
	}
	if err := a.into(201, &issued); err != nil {
		t.Errorf("issuing: %v", err)
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acknowledged.Add(1)
	h.lives = append(h.lives, &life{id: issued.ID, secrets: []string{issued.Key.Reveal()}})
	return true
}

// end rotates the key away or revokes it.
func (h *holder) end(t *testing.T, l *life) (goesOn bool) {
	t.Helper()
	path, body := "/revoke", any(nil)
	if h.random.IntN(2) == 0 {
		path, body = "/rotate", map[string]any{"grace_period_seconds": 0}
	}
	h.mu.Lock()
	l.unsure = true
	h.mu.Unlock()
	var issued api.IssuedAPIKey
	a, err := try("POST", h.URL+"/v1/api-keys/"+l.id+path, body, h.header)
	if err != nil {
		return false
	}
	if err := a.into(200, &issued); err != nil {
		t.Errorf("%s: %v", path, err)
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acknowledged.Add(1)
	l.ended, l.unsure = len(l.secrets), false
	if body != nil {
		l.secrets = append(l.secrets, issued.Key.Reveal())
	}
	return true
}

// copyOf is what the holders know at a moment.
func copyOf(holders []*holder) map[string]life {
	known := map[string]life{}
	for _, h := range holders {
		h.mu.Lock()
		for _, l := range h.lives {
			known[l.id] = life{id: l.id, secrets: append([]string(nil), l.secrets...), ended: l.ended, unsure: l.unsure}
		}
		h.mu.Unlock()
	}
	return known
}

// Backups under load, some of them killed; the node killed; restores killed in the middle and
// gone on with: what was acknowledged as revoked or rotated away before the end doesn't
// verify, what lives on does, and the audit chain holds.
func TestKillBackupsAndRestores(t *testing.T) {
	for _, name := range engines {
		t.Run(name, func(t *testing.T) {
			i := mustStart(t, mustEngine(t, name))
			ada := i.mustTenant(t, i.mustAdministrator(t), "northwind")
			verifier := mustVerifier(t, ada.admin)
			as := caller{i, bearer(mustIssue(t, ada.admin, "the holders' own").Key.Reveal())}
			i.stop(t)
			i.mustRestart(t)
			var acknowledged atomic.Int64
			after := func(changes int) {
				until := acknowledged.Load() + int64(changes+rand.IntN(2*changes))
				mustHappen(t, time.Minute, "the load", func() bool { return acknowledged.Load() >= until })
			}
			keeper := &holder{caller: as, acknowledged: &acknowledged} // whose key nobody touches
			keeper.issue(t)
			every := []*holder{keeper}
			for round := range rounds(3, 20) {
				var all sync.WaitGroup
				for k := range 8 {
					h := &holder{caller: as, acknowledged: &acknowledged, random: rand.New(rand.NewPCG(uint64(round), uint64(k)))}
					every = append(every, h)
					all.Go(func() { h.run(t) })
				}
				after(60)
				before, file := backUp(t, i, every)
				after(30)
				i.kill()
				all.Wait()
				known := copyOf(every)
				r := mustRestore(t, i, file)
				compare(t, caller{r, verifier.header}, before, known)
				r.stop(t)
				for _, file := range []string{i.data, r.data} {
					r.mustRun(t, "audit", "verify", "--checkpoint", filepath.Join(file, "checkpoints.jsonl"))
				}
				if t.Failed() {
					t.Fatalf("round %d", round)
				}
				i.mustRestart(t)
			}
		})
	}
}

// wait lets a process run for up to so many milliseconds before it is killed.
func wait(most int) { time.Sleep(time.Duration(rand.IntN(most*1000)) * time.Microsecond) }

// backUp makes a backup after one that is killed, and returns what was known before it began.
func backUp(t *testing.T, i *installation, holders []*holder) (before map[string]life, file string) {
	t.Helper()
	killed, file := filepath.Join(t.TempDir(), "killed"), filepath.Join(t.TempDir(), "backup")
	p := mustSpawn(t, "claviger backup", clavigerBinary, i.withData("backup", "--out", killed)...)
	wait(60)
	p.kill()
	if _, err := os.Stat(killed); err == nil {
		i.mustRun(t, "restore", killed, "--dry-run") // it was faster than we were: then it is whole
	} else if !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	before = copyOf(holders)
	i.mustRun(t, "backup", "--out", file)
	return before, file
}

// mustRestore restores a backup elsewhere, killed once in the middle, and starts a node on it.
func mustRestore(t *testing.T, i *installation, file string) *installation {
	t.Helper()
	e := engine{name: i.name}
	if i.database != "" {
		e = mustPostgres(t)
	}
	r := &installation{engine: e, data: t.TempDir()}
	keyring, err := os.ReadFile(filepath.Join(i.data, "keyring.json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(r.data, "keyring.json"), keyring, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	journal := filepath.Join(i.data, "revocations.journal")
	p := mustSpawn(t, "claviger restore", clavigerBinary, r.withData("restore", file, "--journal", journal)...)
	wait(400)
	p.kill()
	// As an operator would: again, and where the database is filled already, on from there.
	cmd := exec.Command(clavigerBinary, r.withData("restore", file, "--journal", journal)...)
	cmd.Env = cleanEnvironment()
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil && strings.Contains(string(out), "the database is not empty"):
		out = []byte(r.mustRun(t, "restore", "--journal", journal))
	case err != nil:
		t.Fatalf("restoring: %v\n%s", err, out)
	}
	t.Logf("%s", out)
	r.mustRestart(t)
	return r
}

// compare asks the restored node about every secret.
func compare(t *testing.T, verifier caller, before, known map[string]life) {
	t.Helper()
	type claim struct {
		valid bool
		about string
	}
	var claims []claim
	var records []*record
	add := func(valid bool, l life, secret string) {
		claims = append(claims, claim{valid, l.id})
		records = append(records, &record{key: secret})
	}
	for id, l := range known {
		for _, secret := range l.secrets[:l.ended] {
			add(false, l, secret)
		}
		then, there := before[id]
		if there && !then.unsure && !l.unsure && l.ended < len(l.secrets) && len(then.secrets) == len(l.secrets) {
			add(true, l, l.secrets[len(l.secrets)-1])
		}
	}
	living := 0
	for start := 0; start < len(records); start += 1000 {
		part := records[start:min(len(records), start+1000)]
		for k, v := range mustVerifyAll(t, verifier, part) {
			c := claims[start+k]
			if c.valid != v.Valid {
				t.Errorf("%s verifies as %s, want valid: %t", c.about, v.Code, c.valid)
			}
			if c.valid {
				living++
			}
		}
	}
	t.Logf("%d secrets that live, %d that were ended", living, len(records)-living)
	if living == 0 || living == len(records) {
		t.Error("nothing was compared")
	}
}

// mustBackUpText is the text of a backup, which is compressed.
func mustBackUpText(t *testing.T, i *installation) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "backup")
	i.mustRun(t, "backup", "--out", file)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
