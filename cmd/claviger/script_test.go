package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"claviger": main})
}

// Each script in testdata runs the real main, as its own process.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ready":    readyCommand,
			"demo":     demoScriptCommand,
			"status":   statusCommand,
			"mode":     modeCommand,
			"exit":     exitCommand,
			"write":    writeCommand,
			"id":       idCommand,
			"append":   appendCommand,
			"verifies": verifiesCommand,
		},
	})
}

// ready FILE VAR waits until the file is there and puts the URL in it into the variable.
func readyCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ready FILE VAR")
	}
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond) // what happens in another process can only be polled
	defer tick.Stop()
	for {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil {
			ts.Setenv(args[1], strings.TrimSuffix(string(data), "\n"))
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s did not appear", args[0])
		}
		<-tick.C
	}
}

// demo FILE EXPRESSION VAR puts something of demo.json into the variable: "url",
// "verifier_key", "key NAME" or "id NAME" (of a credential), "state NAME", "organization NAME".
func demoScriptCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: demo FILE EXPRESSION VAR")
	}
	var d demoFile
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	decoder.DisallowUnknownFields()
	ts.Check(decoder.Decode(&d))
	values := map[string]string{"url": d.URL, "verifier_key": d.VerifierKey}
	for _, o := range d.Tenants[0].Organizations {
		values["organization "+o.Name] = o.ID
	}
	for _, c := range d.Tenants[0].Credentials {
		values["key "+c.Name], values["id "+c.Name], values["state "+c.Name], values["owner "+c.Name] = c.Key, c.ID, c.State, c.Owner
	}
	value, ok := values[args[1]]
	if !ok || value == "" {
		ts.Fatalf("%s has no %q", args[0], args[1])
	}
	ts.Setenv(args[2], value)
}

// status WANT URL [HOST] asks the URL and compares the status of the answer.
func statusCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status WANT URL [HOST]")
	}
	req, err := http.NewRequest(http.MethodGet, args[1], nil)
	ts.Check(err)
	if len(args) > 2 {
		req.Host = args[2]
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	ts.Check(err)
	body, err := io.ReadAll(res.Body)
	ts.Check(err)
	ts.Check(res.Body.Close())
	if strconv.Itoa(res.StatusCode) != args[0] {
		ts.Fatalf("status %d, want %s: %s", res.StatusCode, args[0], body)
	}
}

// mode WANT FILE compares the file's permissions.
func modeCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode WANT FILE")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := strconv.FormatUint(uint64(info.Mode().Perm()), 8); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// write FILE TEXT makes the file.
func writeCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: write FILE TEXT")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(args[1]+"\n"), 0o600))
}

// append FILE TEXT adds to the file.
func appendCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: append FILE TEXT")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(ts.ReadFile(args[0])+args[1]), 0o600))
}

// verifies FILE waits until the key in the file verifies: a server hears of what another
// process changed within a second.
func verifiesCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: verifies FILE")
	}
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond) // what happens in another process can only be polled
	defer tick.Stop()
	for verifyOnce(ts, args[0]) != nil {
		if time.Now().After(deadline) {
			ts.Fatalf("%s did not verify", args[0])
		}
		<-tick.C
	}
}

func verifyOnce(ts *testscript.TestScript, file string) error {
	cmd := clavigerCommand(ts, "verify")
	cmd.Stdin = strings.NewReader(ts.ReadFile(file))
	return cmd.Run()
}

// id FILE VAR puts the "id" of a JSON object into the variable.
func idCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: id FILE VAR")
	}
	var object struct{ ID string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &object))
	ts.Setenv(args[1], object.ID)
}

// exit STATUS STDIN ARGS… runs claviger with the file as stdin ("-": none) and compares
// its exit status. What it prints goes to the script's stdout and stderr.
func exitCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: exit STATUS STDIN ARGS…")
	}
	var out, errOut bytes.Buffer
	cmd := clavigerCommand(ts, args[2:]...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if args[1] != "-" {
		cmd.Stdin = strings.NewReader(ts.ReadFile(args[1]))
	}
	err := cmd.Run()
	_, _ = ts.Stdout().Write(out.Bytes())
	_, _ = ts.Stderr().Write(errOut.Bytes())
	if got := strconv.Itoa(cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit status %s (%v), want %s\n%s%s", got, err, args[0], out.String(), errOut.String())
	}
}

// clavigerCommand is the program in the script's surroundings.
func clavigerCommand(ts *testscript.TestScript, args ...string) *exec.Cmd {
	cmd := exec.Command("claviger", args...)
	if path, err := exec.LookPath(filepath.Join(strings.Split(ts.Getenv("PATH"), string(filepath.ListSeparator))[0], "claviger")); err == nil {
		cmd.Path, cmd.Err = path, nil
	}
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "CLAVIGER_URL", "CLAVIGER_CREDENTIAL", "TESTSCRIPT_COMMAND"} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	return cmd
}
