package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/claviger-io/claviger/api"
)

const description = "Issue, show, rotate, revoke and verify API credentials.\n\n" +
	"Every refusal is an `application/problem+json` with a stable `code`, a `request_id` and, for malformed requests, " +
	"`errors` that say where and what to do. Lists are paged with opaque cursors."

// apiConfig is huma's, without what loads from elsewhere or adds to bodies.
func (s *Server) apiConfig() huma.Config {
	c := huma.DefaultConfig("Claviger", "1")
	c.Info.Description = description
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.CreateHooks = nil
	c.RejectUnknownQueryParameters = true
	strict := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshalStrict}
	c.Formats = map[string]huma.Format{"application/json": strict, "json": strict}
	c.DefaultFormat = "application/json"
	c.Transformers = []huma.Transformer{s.transform}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer":  {Type: "http", Scheme: "bearer", Description: "A key that Claviger issued."},
		"basic":   {Type: "http", Scheme: "basic", Description: "A user ID and a key."},
		"key":     {Type: "apiKey", In: "header", Name: "X-API-Key", Description: "A key that Claviger issued."},
		"session": {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "A person's session."},
	}
	return c
}

func security(rt Route) []map[string][]string {
	if rt.Public {
		return []map[string][]string{}
	}
	return []map[string][]string{{"bearer": {}}, {"basic": {}}, {"key": {}}, {"session": {}}}
}

// problemResponses describes every refusal. Two entries keep huma from adding its own.
func (s *Server) problemResponses() map[string]*huma.Response {
	schema := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[api.Problem](), true, "Problem")
	problems := &huma.Response{
		Description: "A problem.",
		Content:     map[string]*huma.MediaType{problemJSON: {Schema: schema}},
	}
	return map[string]*huma.Response{"4XX": problems, "5XX": problems}
}

// describeVerify adds the operations that the router doesn't know to the document, and
// takes out of it what nothing refers to.
func (s *Server) describeVerify() {
	doc := s.api.OpenAPI()
	schemas := doc.Components.Schemas
	describe := func(id, path, summary string, in, out reflect.Type) {
		answers := s.problemResponses()
		answers["200"] = &huma.Response{
			Description: "The verdict, whatever it is.",
			Content:     map[string]*huma.MediaType{"application/json": {Schema: schemas.Schema(out, true, "")}},
		}
		doc.AddOperation(&huma.Operation{
			OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, Tags: []string{"Verification"},
			Description: "Needs a verifier key, or the permission `claviger.credentials:verify`. A tenant's caller sees that tenant's credentials only.",
			RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: schemas.Schema(in, true, "")}}},
			Responses:   answers, Security: security(Route{}),
		})
	}
	describe("Verify", "/v1/verify", "Is this credential good, right now, for this?",
		reflect.TypeFor[api.VerifyRequest](), reflect.TypeFor[api.VerifyResponse]())
	describe("VerifyBatch", "/v1/verify/batch", "The same for up to 1,000 credentials",
		reflect.TypeFor[api.VerifyBatchRequest](), reflect.TypeFor[api.VerifyBatchResponse]())
	for _, unused := range []string{"ErrorModel", "ErrorDetail"} {
		delete(schemas.Map(), unused)
	}
}

// transform turns huma's own errors into our problems; the rest passes.
func (s *Server) transform(ctx huma.Context, _ string, v any) (any, error) {
	switch v := v.(type) {
	case *answer:
		return v.Problem, nil
	case *huma.ErrorModel:
		return problemOf(ctx, v).Problem, nil
	}
	return v, nil
}

// maxDepth is how deep JSON may nest; ours needs five levels.
const maxDepth = 16

// bodyError is what is wrong with a body as a whole. Its text may be shown.
type bodyError string

func (e bodyError) Error() string { return string(e) }

const (
	errBodyJSON   = bodyError("The body must be one JSON value in UTF-8.")
	errBodyDepth  = bodyError("The body nests too deep.")
	errBodyTwice  = bodyError("A name appears twice in one object.")
	errBodyName   = bodyError("There is a name that is not known here.")
	errBodyValue  = bodyError("The body has a value that cannot be accepted.")
	errBodyNumber = bodyError("The body has a number that cannot be accepted.")
)

// unmarshalStrict is encoding/json without its leniences: names may not repeat, nor be
// known by another case; text must be UTF-8; nesting is bounded; nothing may follow. Its
// errors never hold what was sent.
func unmarshalStrict(data []byte, v any) error {
	if _, first := v.(*any); first {
		// huma decodes twice, first into any; once is enough to look at the tokens.
		if err := checkTokens(data); err != nil {
			return err
		}
	}
	if err := json.Unmarshal(data, v); err != nil {
		return errBodyValue
	}
	return nil
}

// level is one object or list that is open.
type level struct {
	names map[string]bool // nil in a list
	name  string          // the one whose value comes next
	value bool            // a value comes next, not a name
	free  bool            // names are the caller's own
}

func checkTokens(data []byte) error {
	if !utf8.Valid(data) || loneSurrogate(data) {
		return errBodyJSON
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var open []level
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(open) == 0 {
			return nil
		}
		if err != nil {
			return errBodyJSON
		}
		if open, err = step(open, token); err != nil {
			return err
		}
		if len(open) == 0 {
			if _, err := d.Token(); !errors.Is(err, io.EOF) {
				return errBodyJSON
			}
			return nil
		}
	}
}

// loneSurrogate reports an escape that stands for no character. encoding/json would put
// U+FFFD in its place.
func loneSurrogate(data []byte) bool {
	d := decoder{b: data}
	for d.i < len(data) {
		if data[d.i] != '\\' {
			d.i++
			continue
		}
		d.i++
		if _, ok := d.escape(); !ok {
			return true
		}
	}
	return false
}

func step(open []level, token json.Token) ([]level, error) {
	top := len(open) - 1
	delim, isDelim := token.(json.Delim)
	if isDelim && (delim == '}' || delim == ']') {
		return open[:top], nil
	}
	if top >= 0 && open[top].names != nil && !open[top].value {
		name, ok := token.(string)
		if !ok {
			return nil, errBodyJSON
		}
		if err := open[top].take(name); err != nil {
			return nil, err
		}
		return open, nil
	}
	parent := ""
	if top >= 0 {
		parent, open[top].value = open[top].name, false
	}
	if number, ok := token.(json.Number); ok && len(number) > 20 {
		return nil, errBodyNumber
	}
	if !isDelim {
		return open, nil
	}
	if len(open) >= maxDepth {
		return nil, errBodyDepth
	}
	next := level{free: parent == "metadata"}
	if delim == '{' {
		next.names = map[string]bool{}
	}
	return append(open, next), nil
}

// take notes a name of an object.
func (l *level) take(name string) error {
	if !l.free && strings.ContainsFunc(name, notInName) {
		return errBodyName
	}
	if l.names[name] {
		return errBodyTwice
	}
	l.names[name], l.name, l.value = true, name, true
	return nil
}

// notInName reports what our own names never have: upper case, above all, by which
// encoding/json would know them too.
func notInName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_'
}
