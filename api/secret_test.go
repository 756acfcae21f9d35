package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/api"
)

// A secret travels in JSON and shows nowhere else.
func TestSecretIsNotPrinted(t *testing.T) {
	const canary = "c4n4ryc4n4ry"
	issued := api.IssuedAPIKey{Key: canary, SecretAvailable: true}
	ask := api.VerifyRequest{Credential: canary, Authorization: canary, Secret: canary}
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.InfoContext(t.Context(), "test", "key", issued.Key, "ask", ask)
	printed := log.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed += fmt.Sprintf(verb+verb+verb, issued.Key, issued, ask)
	}
	for _, form := range []string{canary, fmt.Sprintf("%x", canary)} {
		if strings.Contains(printed, form) {
			t.Errorf("it was printed: %s", printed)
		}
	}
	raw, err := json.Marshal(issued)
	if err != nil || !strings.Contains(string(raw), canary) || issued.Key.Reveal() != canary {
		t.Errorf("it does not travel: %s, %v", raw, err)
	}
}
