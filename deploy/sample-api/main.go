// Command sample-api is a small voice API: it starts scenarios and lists recordings. There is
// nothing in it about credentials. Either a proxy in front of it asks Claviger and tells it
// who is calling, in headers; or, with --claviger, the middleware does, in this program.
//
// Any other address answers what the API was told about the request.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sort"
	"strings"
	"syscall"
	"time"
)

// Seen is the answer: the request as it arrived behind the proxy.
type Seen struct {
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Query    string            `json:"query"`
	Identity map[string]string `json:"identity"` // every header named Claviger-*
	// Unexpected names headers that a well-kept proxy never lets through: credentials,
	// and look-alikes of the identity headers.
	Unexpected []string `json:"unexpected"`
}

// identityHeaders are the headers the proxy sets, all of them on every request.
var identityHeaders = map[string]bool{
	"Claviger-Credential": true, "Claviger-Tenant": true, "Claviger-Principal": true,
	"Claviger-Principal-Type": true, "Claviger-External-Id": true,
}

// look describes what of the request concerns identity.
func look(r *http.Request) Seen {
	seen := Seen{Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Identity: map[string]string{}, Unexpected: []string{}}
	for name, values := range r.Header {
		plain := strings.ReplaceAll(strings.ToLower(name), "_", "-")
		switch {
		case identityHeaders[name]:
			seen.Identity[name] = strings.Join(values, ", ")
		case strings.HasPrefix(plain, "claviger-"), plain == "authorization", plain == "x-api-key":
			seen.Unexpected = append(seen.Unexpected, name)
		}
	}
	sort.Strings(seen.Unexpected)
	return seen
}

func handle(w http.ResponseWriter, r *http.Request) { answer(w, http.StatusOK, look(r)) }

// serve listens until ctx ends; it writes its URL to readyFile once it does.
func serve(ctx context.Context, addr, readyFile string, handler http.Handler) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String()
	fmt.Println("sample-api: listening at", url)
	if readyFile != "" {
		if err := os.WriteFile(readyFile, []byte(url+"\n"), 0o600); err != nil {
			return err
		}
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(grace)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

func main() {
	addr := flag.String("addr", "127.0.0.1:8081", "address to listen at")
	readyFile := flag.String("ready-file", "", "file that is written, with the URL, once the API listens")
	claviger := flag.String("claviger", "", "`URL` of Claviger, asked on every call; empty: a proxy asks (CLAVIGER_VERIFIER_KEY holds the key to ask with)")
	flag.Parse()
	handler, err := protected(newVoice(time.Now), *claviger, os.Getenv("CLAVIGER_VERIFIER_KEY"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "sample-api: error:", err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = serve(ctx, *addr, *readyFile, handler)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sample-api: error:", err)
		os.Exit(1)
	}
}
