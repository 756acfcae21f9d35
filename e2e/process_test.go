package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program that a test started. It ends with the test at the latest.
type process struct {
	name   string
	cmd    *exec.Cmd
	output *lockedBuffer // stdout and stderr
	exited chan struct{} // closed when it has ended; err is set then
	err    error
}

// lockedBuffer is a bytes.Buffer for two goroutines: the process's output and the test.
type lockedBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// mustSpawn starts a program.
func mustSpawn(t *testing.T, name, binary string, args ...string) *process {
	t.Helper()
	return mustSpawnWith(t, nil, name, binary, args...)
}

// mustSpawnWith is mustSpawn with more in the program's environment.
func mustSpawnWith(t *testing.T, environment []string, name, binary string, args ...string) *process {
	t.Helper()
	p := &process{name: name, cmd: exec.Command(binary, args...), output: &lockedBuffer{}, exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.Env = append(cleanEnvironment(), environment...)
	// The program dies with the test, even when the test is killed.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			t.Logf("output of %s:\n%s", name, tail(p.output.String(), 30))
		}
	})
	return p
}

// cleanEnvironment is the test's own without what would configure Claviger.
func cleanEnvironment() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "CLAVIGER_") {
			env = append(env, e)
		}
	}
	return env
}

// kill is kill -9: no chance to tidy up.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.exited
}

// stop asks the program to end and waits; one that won't is killed and fails the test.
func (p *process) stop(t *testing.T) {
	t.Helper()
	select {
	case <-p.exited:
		return
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(20 * time.Second):
		t.Errorf("%s did not end within 20 s of SIGTERM", p.name)
		p.kill()
	}
}

// mustBeReady waits until the program has written its URL to the file, and returns it.
func (p *process) mustBeReady(t *testing.T, file string) string {
	t.Helper()
	var url string
	mustHappen(t, 60*time.Second, p.name+" getting ready", func() bool {
		select {
		case <-p.exited:
			t.Fatalf("%s ended before it was ready: %v\n%s", p.name, p.err, tail(p.output.String(), 40))
		default:
		}
		data, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		url = strings.TrimSpace(string(data))
		return url != "" && strings.HasSuffix(string(data), "\n")
	})
	return url
}

// mustHappen polls, for what happens in another process, until it has happened.
func mustHappen(t *testing.T, within time.Duration, what string, happened func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen within %s", what, within)
		}
		<-tick.C
	}
}

func tail(s string, lines int) string {
	all := strings.Split(s, "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return strings.Join(all, "\n")
}
