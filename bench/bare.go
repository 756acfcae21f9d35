package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// bareCommand makes this program the server that Claviger is compared with.
const bareCommand = "bare"

// serveBare reads each request's body and answers fixed bytes: what any Go server spends.
func serveBare(args []string) error {
	flags := flag.NewFlagSet(bareCommand, flag.ContinueOnError)
	ready := flags.String("ready-file", "", "file to write the URL to")
	body := flags.String("body", "", "what to answer a POST")
	headers := flags.String("headers", "", "what to answer a GET: NAME=VALUE, one a line")
	pad := flags.Int("pad", 0, "bytes of header more in the answer to a POST")
	if err := flags.Parse(args); err != nil {
		return err
	}
	type pair struct{ name, value string }
	var list []pair
	for line := range strings.Lines(*headers) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			list = append(list, pair{name, value})
		}
	}
	answer, padding := []byte(*body), strings.Repeat("x", *pad)
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := os.WriteFile(*ready, []byte("http://"+listener.Addr().String()+"\n"), 0o600); err != nil {
		return err
	}
	mux := http.NewServeMux()
	for _, path := range []string{"/v1/verify", tokenPath, introspectPath} {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.ReadAll(r.Body); err != nil {
				return
			}
			w.Header().Set("Content-Type", "application/json")
			if padding != "" {
				w.Header().Set("Padding", padding)
			}
			_, _ = w.Write(answer)
		})
	}
	mux.HandleFunc("GET /gateway/auth", func(w http.ResponseWriter, _ *http.Request) {
		for _, p := range list {
			w.Header().Set(p.name, p.value)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
