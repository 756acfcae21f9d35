package client

import (
	"context"
	"errors"
	"net/http"

	"github.com/claviger-io/claviger/api"
)

// errNoVerdict is for a success that decides nothing: whatever answered, it was no Claviger.
var errNoVerdict = errors.New("verifying: the server's answer is no verdict; is the base URL that of Claviger?")

// Verify asks whether a credential is good right now, and for what is asked of it.
//
// A denial is an answer: look at Valid and Code. Refuse also when an error comes back:
// then nobody knows. The caller needs a verifier key or claviger.credentials:verify.
//
// A verification that got no answer isn't repeated, since it may have been charged to the
// credential's limits; one that the server could not decide is, when it says so.
func (c *Client) Verify(ctx context.Context, r api.VerifyRequest) (api.VerifyResponse, error) {
	var out api.VerifyResponse
	err := c.do(ctx, request{
		method: http.MethodPost, path: "/v1/verify", body: r, into: &out, idempotent: r.DryRun,
	})
	if err != nil {
		return api.VerifyResponse{}, err
	}
	if out.Code == "" {
		return api.VerifyResponse{}, errNoVerdict
	}
	return out, nil
}

// VerifyBatch asks for up to api.MaxVerifyBatch verdicts at once and returns them in the
// same order. If one request is malformed, none is answered and nothing is charged.
func (c *Client) VerifyBatch(ctx context.Context, requests []api.VerifyRequest) ([]api.VerifyResponse, error) {
	var out api.VerifyBatchResponse
	err := c.do(ctx, request{
		method: http.MethodPost, path: "/v1/verify/batch",
		body: api.VerifyBatchRequest{Items: requests}, into: &out,
	})
	if err != nil {
		return nil, err
	}
	if len(out.Items) != len(requests) {
		return nil, errNoVerdict
	}
	for i := range out.Items {
		if out.Items[i].Code == "" {
			return nil, errNoVerdict
		}
	}
	return out.Items, nil
}
