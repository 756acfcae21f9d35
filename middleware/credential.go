package middleware

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/claviger-io/claviger/api"
)

// maxCredential is more than any key or token has, and little enough to send on.
const maxCredential = 8 << 10

// presented takes the one credential out of the headers. ok is false when there is none,
// more than one, or one that is malformed.
func presented(h http.Header) (question api.VerifyRequest, ok bool) {
	authorization, key := h["Authorization"], h["X-Api-Key"]
	if len(authorization)+len(key) != 1 {
		return question, false
	}
	if len(key) == 1 {
		return bare(key[0])
	}
	scheme, value, found := strings.Cut(authorization[0], " ")
	if !found {
		return question, false
	}
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return bare(value)
	case strings.EqualFold(scheme, "Basic"):
		return pair(value)
	}
	return question, false
}

func bare(credential string) (question api.VerifyRequest, ok bool) {
	credential = strings.Trim(credential, " ")
	if credential == "" || len(credential) > maxCredential || strings.ContainsAny(credential, " ,\t") {
		return question, false
	}
	return api.VerifyRequest{Credential: api.Secret(credential)}, true
}

// pair reads user-id:key. IDs hold no colon.
func pair(encoded string) (question api.VerifyRequest, ok bool) {
	encoded = strings.Trim(encoded, " ")
	if len(encoded) > maxCredential {
		return question, false
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return question, false
	}
	id, secret, found := strings.Cut(string(decoded), ":")
	if !found || id == "" || secret == "" {
		return question, false
	}
	return api.VerifyRequest{ID: id, Secret: api.Secret(secret)}, true
}
