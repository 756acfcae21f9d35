package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
)

// pretend stands in for a server in the examples.
func pretend(answer string) (url string, stop func()) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
	return s.URL, s.Close
}

func ExampleClient_Verify() {
	url, stop := pretend(`{"valid":true,"code":"VALID","tenant_id":"ten_1","principal":{"type":"user","id":"usr_1"}}`)
	defer stop()
	c, err := client.New(url, client.WithCredential("your-verifier-key"))
	if err != nil {
		fmt.Println(err)
		return
	}
	verdict, err := c.Verify(context.Background(), api.VerifyRequest{
		Credential:  "the key that your caller sent",
		Permissions: "call_recordings:read",
	})
	if err != nil || !verdict.Valid { // an error means that nobody knows: refuse
		fmt.Println("refused")
		return
	}
	fmt.Println(verdict.Principal.ID, "of", verdict.TenantID, "may read recordings")
	// Output: usr_1 of ten_1 may read recordings
}

func ExampleClient_IssueAPIKey() {
	url, stop := pretend(`{"id":"crd_8fK2mPq0Zr4T","name":"Nightly report","key":"clv_uk_…","secret_available":true}`)
	defer stop()
	c, err := client.New(url, client.WithCredential("your-own-key"))
	if err != nil {
		fmt.Println(err)
		return
	}
	end := time.Now().AddDate(0, 3, 0)
	issued, err := c.IssueAPIKey(context.Background(), api.IssueAPIKeyRequest{Name: "Nightly report", ExpiresAt: &end})
	var refused *api.Problem
	if errors.As(err, &refused) {
		fmt.Println("refused:", refused.Code)
		return
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	save(issued.Key.Reveal()) // it is shown this once
	fmt.Println(issued.ID, issued.Name, issued.Key)
	// Output: crd_8fK2mPq0Zr4T Nightly report [redacted]
}

func save(string) {}

func ExampleClient_APIKeys() {
	url, stop := pretend(`{"items":[{"name":"Dashboards"},{"name":"Nightly report"}],"total":2}`)
	defer stop()
	c, err := client.New(url, client.WithCredential("your-own-key"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for key, err := range c.APIKeys(context.Background(), client.APIKeyFilter{State: "active"}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(key.Name)
	}
	// Output:
	// Dashboards
	// Nightly report
}
