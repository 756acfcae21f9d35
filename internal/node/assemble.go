package node

import (
	"fmt"
	"net/http"

	"github.com/claviger-io/claviger/internal/server"
)

// assemble makes the HTTP handler.
func (n *Node) assemble() (http.Handler, error) {
	c := &n.cfg
	publicURL := c.PublicURL
	if publicURL == "" {
		publicURL = n.url
	}
	s, err := server.New(server.Config{
		Authority: n.authority, Index: n.index, Signin: n.people, Store: n.store,
		Logger: c.Logger, Now: c.Now, Version: c.Version, PublicURL: publicURL,
		TrustedProxies: c.TrustedProxies, Hosts: c.Hosts,
	})
	if err != nil {
		return nil, fmt.Errorf("assembling the server: %w", err)
	}
	return onlyFrom(c.BehindProxy, s), nil
}
