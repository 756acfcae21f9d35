package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

// answer is what came back, body read.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// header is a header of a request, as a name and a value.
type header struct{ name, value string }

// testClient follows no redirects and keeps no cookies: what a test sends is what it says.
var testClient = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
}

// try sends a request with a JSON body (nil for none). Header names go out as written.
func try(method, url string, body any, headers ...header) (answer, error) {
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		reader = bytes.NewReader(data)
	}
	req, err := http.NewRequest(method, url, reader)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		req.Header[h.name] = append(req.Header[h.name], h.value)
	}
	res, err := testClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	return answer{Status: res.StatusCode, Header: res.Header, Body: string(data)}, err
}

// mustSend is try for requests that must be answered, whatever the answer.
func mustSend(t *testing.T, method, url string, body any, headers ...header) answer {
	t.Helper()
	a, err := try(method, url, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return a
}

// mustDecode reads an answer's body into a T.
func mustDecode[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.Body), &v); err != nil {
		t.Fatalf("decoding %q: %v", a.Body, err)
	}
	return v
}

func bearer(credential string) header { return header{"Authorization", "Bearer " + credential} }
func apiKey(credential string) header { return header{"X-API-Key", credential} }

// into decodes the answer, or is an error that says what came instead.
func (a answer) into(status int, v any) error {
	if a.Status != status {
		return fmt.Errorf("status %d, want %d: %s", a.Status, status, a.Body)
	}
	return json.Unmarshal([]byte(a.Body), v)
}
