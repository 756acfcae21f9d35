package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/client"
)

// connect makes the client of a command that speaks to a server.
func (p *program) connect(o *options) (*client.Client, error) {
	credential, err := p.credential(o)
	if err != nil {
		return nil, err
	}
	c, err := client.New(o.url, client.WithCredential(credential), client.WithUserAgent("claviger-cli/"+version))
	if err != nil {
		return nil, &usageError{err: err, hint: "--url or CLAVIGER_URL names the server; CLAVIGER_CREDENTIAL holds what to call with."}
	}
	return c, nil
}

// maxPiped is more than any credential has.
const maxPiped = 64 << 10

// readSecret reads a secret from stdin. It is never an argument: other users of the
// machine can see those, and shells remember them.
func readSecret(cmd *cobra.Command) (string, error) {
	data, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxPiped+1))
	if err != nil {
		return "", fmt.Errorf("reading stdin: %w", err)
	}
	s := strings.TrimSpace(string(data))
	if s == "" || len(data) > maxPiped {
		return "", &usageError{
			err:  errors.New("no credential on stdin"),
			hint: "Pipe it in: " + cmd.CommandPath() + " < key.txt",
		}
	}
	return s, nil
}
