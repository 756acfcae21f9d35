package client_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/client"
	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/server"
)

// Each operation of the server is a method here, under the same name.
func TestEveryOperationHasAMethod(t *testing.T) {
	n, err := node.Open(t.Context(), node.Config{Database: "sqlite:" + filepath.Join(t.TempDir(), "claviger.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = n.Close() }()
	s, ok := n.Handler().(*server.Server)
	if !ok {
		t.Fatalf("the handler is a %T", n.Handler())
	}
	of := reflect.TypeFor[*client.Client]()
	looked := 0
	for _, r := range s.Routes() {
		if !strings.HasPrefix(r.Pattern, "/v1/") { // what proxies, monitoring and browsers ask
			continue
		}
		looked++
		if _, ok := of.MethodByName(r.Operation); !ok {
			t.Errorf("%s %s is %s, and the client has no such method", r.Method, r.Pattern, r.Operation)
		}
	}
	if looked < 50 {
		t.Errorf("only %d operations were looked at", looked)
	}
}
