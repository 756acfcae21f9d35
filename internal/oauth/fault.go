package oauth

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// fault is an error answer, RFC 6749 §5.2. Neither text ever holds what was sent.
type fault struct {
	status      int
	code        string
	description string
	retryAfter  time.Duration
}

func bad(code, description string) *fault {
	return &fault{status: http.StatusBadRequest, code: code, description: description}
}

func invalidRequest(description string) *fault { return bad("invalid_request", description) }
func invalidScope(description string) *fault   { return bad("invalid_scope", description) }

var (
	errMethod = &fault{status: http.StatusMethodNotAllowed, code: "invalid_request", description: "Use POST."}
	// errClient is the one answer to whatever may be wrong with a client: that it isn't known,
	// that its secret is wrong, or that it was stopped.
	errClient = &fault{status: http.StatusUnauthorized, code: "invalid_client", description: "The client is not known, or its secret is wrong, or it no longer works."}
	errNobody = &fault{status: http.StatusUnauthorized, code: "invalid_client", description: "The client must authenticate itself: HTTP Basic, or client_id and client_secret in the body."}
	// errHere is for clients that are who they say.
	errHere     = bad("unauthorized_client", "This client may not be used here: its networks or the plan of its account do not allow it.")
	errNotYours = bad("unauthorized_client", "This token was made for another client.")
	errServer   = &fault{status: http.StatusInternalServerError, code: "server_error", description: "Something went wrong on our side. Try again."}
	errTooLarge = &fault{status: http.StatusRequestEntityTooLarge, code: "invalid_request", description: "The body may have at most 64 KiB."}
)

// undecided says to come back. RFC 6749 has no code for it at this endpoint; the one of the
// authorization endpoint says what is meant.
func undecided(after time.Duration) *fault {
	return &fault{
		status: http.StatusServiceUnavailable, code: "temporarily_unavailable",
		description: "This cannot be decided right now. Try again in a moment.", retryAfter: max(after, time.Second),
	}
}

const (
	basicChallenge  = `Basic realm="claviger", charset="UTF-8"`
	bearerChallenge = `Bearer realm="claviger"` //nolint:gosec // no credential, the name of a scheme
)

// write answers.
func (f *fault) write(w http.ResponseWriter) {
	h := w.Header()
	switch f.status {
	case http.StatusUnauthorized:
		h["Www-Authenticate"] = append(h["Www-Authenticate"], basicChallenge)
	case http.StatusMethodNotAllowed:
		h["Allow"] = []string{http.MethodPost}
	}
	if f.retryAfter > 0 {
		h["Retry-After"] = []string{strconv.FormatInt(int64((f.retryAfter+time.Second-1)/time.Second), 10)}
	}
	body, err := json.Marshal(struct {
		Error       string `json:"error"`
		Description string `json:"error_description,omitempty"`
	}{f.code, f.description})
	if err != nil {
		body = nil // two texts of ours always marshal
	}
	private(w, f.status, append(body, '\n'))
}
