package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// What operators read has every setting of the server.
func TestEverySettingIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range serverSettings {
		if !strings.Contains(string(page), "`--"+name+"`") {
			t.Errorf("docs/operations.md does not tell of --%s", name)
		}
	}
}

func TestNoSettingHoldsASecret(t *testing.T) {
	// What a flag is called last is what it holds: an algorithm of tokens is none.
	holds := func(flag, word string) bool { return flag == word || strings.HasSuffix(flag, "-"+word) }
	for _, s := range settings {
		if strings.HasSuffix(s.flag, "-file") {
			continue // which file, not what is in it
		}
		if strings.Contains(s.flag, "password") || strings.Contains(s.flag, "secret") || holds(s.flag, "token") || holds(s.flag, "key") && s.flag != "tls-key" {
			t.Errorf("--%s would show a secret to every user of the machine", s.flag)
		}
	}
}

func TestParseWhen(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	tests := map[string]string{
		"2027-01-31":           "2027-01-31T00:00:00Z",
		"2027-01-31T08:00:00Z": "2027-01-31T08:00:00Z",
		"90d":                  "2027-01-30T12:00:00Z",
		"12h":                  "2026-11-02T00:00:00Z",
	}
	for in, want := range tests {
		got, err := parseWhen(in, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q: %v, %v; want %s", in, got, err, want)
		}
	}
	if got, err := parseWhen("", now); got != nil || err != nil {
		t.Errorf("nothing: %v, %v", got, err)
	}
	for _, in := range []string{"soon", "-1h", "d", "-3d", "99999d", "2027-13-01", "1e3d"} {
		if got, err := parseWhen(in, now); err == nil {
			t.Errorf("%q was read as %v", in, got)
		}
	}
}

func TestLoopbackHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "localhost:8080": true, "127.0.0.1:8080": true, "127.9.9.9": true, "[::1]:80": true, "[::1]": true,
		"": false, ":8080": false, "0.0.0.0:8080": false, "evil.example": false, "localhost.evil.example": false,
		"127.0.0.1.evil.example:80": false, "192.168.0.1": false, "[::]:80": false, "0177.0.0.1": false,
	} {
		if loopbackHost(host) != want {
			t.Errorf("%q: %t", host, !want)
		}
	}
}

func TestPrintable(t *testing.T) {
	if got := printable("a\x1b[31mb\u202ec\u009bd\nüß"); got != "a?[31mb?c?d?üß" {
		t.Errorf("got %q", got)
	}
}
