package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// document is as much of the OpenAPI document as is needed here.
type document struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]schema }
}

type operation struct {
	OperationID string
	Parameters  []struct {
		Name, In string
		Schema   schema
	}
	RequestBody *struct {
		Content map[string]struct{ Schema schema }
	}
}

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 any
	Format               string
	Properties           map[string]schema
	Required             []string
	Items                *schema
	Enum                 []any
	AdditionalProperties json.RawMessage
}

// beside is what must stand beside a property: of a verification one form of a credential,
// of a bulk change what it is about.
func (s schema) beside(name string) []string {
	if _, bulk := s.Properties["expected_count"]; bulk {
		switch name {
		case "filter", "as_of", "expected_count":
			return []string{"filter", "as_of", "expected_count"}
		case "ids":
			return nil
		}
		return []string{"ids"}
	}
	if _, verification := s.Properties["dry_run"]; !verification {
		return nil
	}
	switch name {
	case "credential", "authorization":
		return nil
	case "id":
		return []string{"secret"}
	case "secret":
		return []string{"id"}
	}
	return []string{"credential"}
}

func (d *document) resolve(s schema) schema {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return d.Components.Schemas[name]
	}
	return s
}

func (s schema) kind() string {
	if t, ok := s.Type.(string); ok {
		return t
	}
	return ""
}

// free is the schema of a map's values, where the names are the caller's own.
func (s schema) free() (schema, bool) {
	var values schema
	if len(s.AdditionalProperties) == 0 || s.AdditionalProperties[0] != '{' {
		return values, false
	}
	return values, json.Unmarshal(s.AdditionalProperties, &values) == nil
}

// field is one place in a body, and how to put raw JSON there.
type field struct {
	pointer string
	kind    string
	put     func(value string) string // the whole body
}

// fields walks a schema. around puts a value of this schema into a whole body.
func (d *document) fields(h *hunt, s schema, pointer string, around func(string) string) []field {
	s = d.resolve(s)
	out := []field{{pointer, s.kind(), around}}
	if values, ok := s.free(); ok {
		out = append(out, d.fields(h, values, pointer+"/*", func(v string) string { return around(`{"key":` + v + `}`) })...)
		if h.keysAreText(pointer) {
			out = append(out, field{pointer + "/*key", "string", func(v string) string { return around(`{` + v + `:"value"}`) }})
		}
	}
	if s.Items != nil {
		out = append(out, d.fields(h, *s.Items, pointer+"/0", func(v string) string { return around(`[` + v + `]`) })...)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		out = append(out, d.fields(h, s.Properties[name], pointer+"/"+name, func(v string) string {
			return around(d.object(h, s, name, v))
		})...)
	}
	return out
}

// object is a good object of the schema with one property replaced.
func (d *document) object(h *hunt, s schema, name, value string) string {
	var parts []string
	for _, p := range slices.Sorted(maps.Keys(s.Properties)) {
		switch {
		case p == name:
			parts = append(parts, quoted(p)+":"+value)
		case slices.Contains(s.Required, p), slices.Contains(s.beside(name), p):
			parts = append(parts, quoted(p)+":"+d.good(h, p, s.Properties[p]))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// good is a value that the rules take.
func (d *document) good(h *hunt, name string, s schema) string {
	s = d.resolve(s)
	if v, ok := h.samples[name]; ok && s.kind() == "string" {
		return quoted(v(h.w))
	}
	switch {
	case len(s.Enum) > 0:
		return quoted(fmt.Sprint(s.Enum[0]))
	case s.Format == "date-time":
		return `"2040-01-01T00:00:00Z"`
	}
	switch s.kind() {
	case "integer", "number":
		if v, ok := h.samples[name]; ok {
			return v(h.w)
		}
		return "1"
	case "boolean":
		return "true"
	case "array":
		return "[" + d.good(h, name, *s.Items) + "]"
	case "object":
		return d.object(h, s, "", "")
	}
	return quoted(h.w.unique("value"))
}
