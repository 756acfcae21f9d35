package node

import (
	"errors"
	"net/http"
)

// assemble makes the HTTP handler.
func (n *Node) assemble() (http.Handler, error) {
	return nil, errors.New("the HTTP server is not there yet")
}
