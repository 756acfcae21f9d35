package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// gateway is nginx with the configuration of deploy/nginx, between a Claviger and the
// sample API.
type gateway struct {
	URL string
	dir string // its configuration and logs
}

// mustStartGateway starts nginx, asking the Claviger at the address, and the sample API
// behind it.
func mustStartGateway(t *testing.T, clavigerAddr string) *gateway {
	t.Helper()
	api := mustStartSampleAPI(t)
	// nginx can't be told to take a free port: another program may be quicker.
	for attempt := 0; ; attempt++ {
		g, p := spawnGateway(t, freeAddr(t), clavigerAddr, api)
		if listening(p, strings.TrimPrefix(g.URL, "http://")) {
			return g
		}
		if attempt == 4 {
			t.Fatalf("nginx did not start:\n%s", p.output)
		}
	}
}

func spawnGateway(t *testing.T, addr, clavigerAddr, api string) (*gateway, *process) {
	t.Helper()
	binary := "/usr/sbin/nginx"
	if found, err := exec.LookPath("nginx"); err == nil {
		binary = found
	}
	_, err := os.Stat(binary)
	mustHave(t, err == nil, "nginx")

	g := &gateway{URL: "http://" + addr, dir: t.TempDir()}
	fill := strings.NewReplacer("${GATEWAY}", addr, "${CLAVIGER}", clavigerAddr, "${API}", api)
	files, err := filepath.Glob("../deploy/nginx/*.conf")
	if err != nil || len(files) == 0 {
		t.Fatalf("finding the configuration: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(g.dir, filepath.Base(file)), []byte(fill.Replace(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	directives := "daemon off; master_process off;"
	return g, mustSpawn(t, "nginx", binary, "-p", g.dir, "-c", filepath.Join(g.dir, "nginx.conf"), "-e", "stderr", "-g", directives)
}

// mustStartSampleAPI starts deploy/sample-api and returns its address.
func mustStartSampleAPI(t *testing.T) string {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready")
	p := mustSpawn(t, "sample-api", sampleAPIBinary, "--addr", "127.0.0.1:0", "--ready-file", ready)
	return strings.TrimPrefix(p.mustBeReady(t, ready), "http://")
}

// listening waits until the address takes connections; false means the program ended.
func listening(p *process, addr string) bool {
	for {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
			return true
		}
		select {
		case <-p.exited:
			return false
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// mustRead returns one of nginx's files: access.log or error.log.
func (g *gateway) mustRead(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(g.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
