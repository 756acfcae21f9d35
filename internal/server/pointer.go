package server

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/claviger-io/claviger/internal/problem"
)

// problemOf makes our problem of one that huma found: pointers instead of paths, our words
// instead of its own, and nothing of what was sent.
func problemOf(ctx huma.Context, m *huma.ErrorModel) *answer {
	id := stateOf(ctx.Context()).id
	switch m.Status {
	case http.StatusRequestEntityTooLarge:
		return answerOf(errTooLarge(maxBody), id)
	case http.StatusUnsupportedMediaType:
		return plainAnswer(m.Status, "not_json", "The body must be JSON: send it with Content-Type: application/json.", id)
	case http.StatusRequestTimeout:
		return plainAnswer(m.Status, "body_slow", "The body took too long.", id)
	case http.StatusNotAcceptable:
		return plainAnswer(m.Status, "not_acceptable", "Answers are JSON: accept application/json.", id)
	}
	if m.Status >= http.StatusInternalServerError {
		// The only such error that huma makes by itself: the body could not be read.
		return answerOf(bodyReadProblem(m), id)
	}
	var fields []problem.Field
	for _, e := range m.Errors {
		if f := fieldOf(ctx, e); len(fields) < 50 && !contains(fields, f) {
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 {
		fields = []problem.Field{{Pointer: "", Message: "A JSON body is required."}}
	}
	return answerOf(problem.InvalidFields(fields), id)
}

func bodyReadProblem(m *huma.ErrorModel) error {
	for _, e := range m.Errors {
		if e != nil && strings.Contains(e.Message, "request body too large") {
			return errTooLarge(maxBody)
		}
	}
	if m.Detail == "cannot read request body" {
		return errUnread(errors.New("reading the body failed"))
	}
	return errors.New("unexpected error in the router")
}

func contains(fields []problem.Field, f problem.Field) bool {
	for _, have := range fields {
		if have == f {
			return true
		}
	}
	return false
}

// fieldOf says where and what. A location is followed only as far as our own schema goes:
// what lies beyond are names that the caller chose.
func fieldOf(ctx huma.Context, e *huma.ErrorDetail) problem.Field {
	if e == nil {
		return problem.Field{Message: string(errBodyValue)}
	}
	where, rest, _ := strings.Cut(e.Location, ".")
	switch where {
	case "body":
		pointer := bodyPointer(ctx.Operation(), rest)
		if name, ok := strings.CutPrefix(e.Message, "expected required property "); ok {
			name, _, _ = strings.Cut(name, " ")
			return problem.Field{Pointer: pointer + "/" + name, Message: "This is required."}
		}
		return problem.Field{Pointer: pointer, Message: inOurWords(e.Message)}
	case "query", "path", "header":
		for _, p := range ctx.Operation().Parameters {
			if p.In == where && p.Name == rest {
				return problem.Field{Pointer: where + "." + p.Name, Message: inOurWords(e.Message)}
			}
		}
		return problem.Field{Pointer: where, Message: "There is a name that is not known here."}
	}
	return problem.Field{Message: inOurWords(e.Message)}
}

// bodyPointer turns "limits.rates[0].name" into "/limits/rates/0/name".
func bodyPointer(op *huma.Operation, location string) string {
	if op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
		return ""
	}
	pointer := ""
	schema := op.RequestBody.Content["application/json"].Schema
	for part := range strings.SplitSeq(strings.ReplaceAll(location, "[", ".["), ".") {
		schema = resolve(op, schema)
		if schema == nil || part == "" {
			continue
		}
		if index, ok := strings.CutPrefix(part, "["); ok && schema.Items != nil {
			n, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
			if err != nil {
				return pointer
			}
			pointer, schema = pointer+"/"+strconv.Itoa(n), schema.Items
			continue
		}
		property, ok := schema.Properties[part]
		if !ok {
			return pointer
		}
		pointer, schema = pointer+"/"+part, property
	}
	return pointer
}

// resolve follows a reference into the document's schemas.
func resolve(op *huma.Operation, s *huma.Schema) *huma.Schema {
	if s == nil || s.Ref == "" {
		return s
	}
	registry, ok := op.Metadata[registryKey].(huma.Registry)
	if !ok {
		return nil
	}
	return registry.SchemaFromRef(s.Ref)
}

// registryKey is where operations keep the registry of their schemas.
const registryKey = "registry"

// inOurWords says what huma found in plain words. Whatever isn't listed might hold a
// value, and is told in general.
func inOurWords(message string) string {
	if known, ok := bodyMessages[message]; ok {
		return known
	}
	for _, w := range words {
		rest, ok := strings.CutPrefix(message, w.prefix)
		if !ok {
			continue
		}
		if w.number {
			if _, err := strconv.ParseFloat(rest, 64); err != nil {
				break
			}
		}
		return w.before + strings.Trim(rest, `"`) + w.after
	}
	return "This cannot be accepted."
}

var bodyMessages = map[string]string{
	string(errBodyJSON): string(errBodyJSON), string(errBodyDepth): string(errBodyDepth), string(errBodyTwice): string(errBodyTwice),
	string(errBodyName): string(errBodyName), string(errBodyValue): string(errBodyValue), string(errBodyNumber): string(errBodyNumber),
	"request body is required":                    "A JSON body is required.",
	"unexpected property":                         string(errBodyName),
	"expected string":                             "This must be text.",
	"expected boolean":                            "This must be true or false.",
	"expected integer":                            "This must be a whole number.",
	"expected number":                             "This must be a number.",
	"expected array":                              "This must be a list.",
	"expected object":                             "This must be an object.",
	"expected string to be RFC 3339 date-time":    "This must be a time, such as 2027-01-31T00:00:00Z.",
	"invalid date/time for format " + rfc3339Nano: "This must be a time, such as 2027-01-31T00:00:00Z.",
	"invalid integer":                             "This must be a whole number.",
	"invalid boolean":                             "This must be true or false.",
	"required path parameter is missing":          "This is required.",
	"required query parameter is missing":         "This is required.",
	"required header parameter is missing":        "This is required.",
	"unknown query parameter":                     "There is a name that is not known here.",
}

const rfc3339Nano = "2006-01-02T15:04:05.999999999Z07:00"

// words are messages that end in something of our own schema.
var words = []struct {
	prefix, before, after string
	number                bool
}{
	{"expected value to be one of ", "This must be one of: ", ".", false},
	{"expected length >= ", "This must have at least this many characters: ", ".", true},
	{"expected length <= ", "This may have at most this many characters: ", ".", true},
	{"expected array length >= ", "This must have at least this many entries: ", ".", true},
	{"expected array length <= ", "This may have at most this many entries: ", ".", true},
	{"expected number >= ", "The least possible is ", ".", true},
	{"expected number <= ", "The most possible is ", ".", true},
}
