package middleware_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/claviger-io/claviger/client"
	"github.com/claviger-io/claviger/middleware"
)

func Example() {
	// Stands in for Claviger: https://claviger.internal, say.
	claviger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"valid":true,"code":"VALID","tenant_id":"ten_1","principal":{"type":"user","id":"usr_1"}}`)
	}))
	defer claviger.Close()

	asker, err := client.New(claviger.URL, client.WithCredential("your-verifier-key"))
	if err != nil {
		fmt.Println(err)
		return
	}
	protect := middleware.New(middleware.Config{Client: asker, Permissions: "call_recordings:read"})
	recordings := protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := middleware.FromContext(r.Context())
		_, _ = fmt.Fprintf(w, "recordings of %s, for %s\n", who.TenantID, who.Principal.ID)
	}))

	call := httptest.NewRequest(http.MethodGet, "/recordings", nil)
	call.SetBasicAuth("usr_1", "the-key") // PV1; Bearer and X-API-Key do as well
	answer := httptest.NewRecorder()
	recordings.ServeHTTP(answer, call)
	fmt.Print(answer.Code, " ", answer.Body)
	// Output: 200 recordings of ten_1, for usr_1
}
