package node

import (
	"fmt"
	"net/http"

	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/server"
)

// assemble makes the HTTP handler.
func (n *Node) assemble() (http.Handler, error) {
	c := &n.cfg
	s, err := server.New(server.Config{
		Authority: n.authority, Index: n.index, Signin: n.people, Store: n.store, Outbox: n.outbox,
		Tokens: n.tokens, Format: secret.Format{Brand: c.Brand},
		Logger: c.Logger, Now: c.Now, Version: c.Version, PublicURL: n.publicURL(),
		TrustedProxies: c.TrustedProxies, Hosts: c.Hosts, Registry: n.registry,
	})
	if err != nil {
		return nil, fmt.Errorf("assembling the server: %w", err)
	}
	return onlyFrom(c.BehindProxy, s), nil
}
