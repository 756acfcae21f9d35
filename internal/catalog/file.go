package catalog

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
)

// MaxFile is the largest catalogue file, in bytes.
const MaxFile = 4 << 20

const maxFileDepth = 8

//go:embed demo.json
var demo []byte

// Demo is the catalogue of the demo: the groups and APIs of EE4, neutral names.
func Demo() Catalog {
	c, err := Parse(demo)
	if err != nil {
		panic("catalog: the embedded demo catalogue is not valid: " + err.Error())
	}
	return c
}

// file is the form of a catalogue on disk. Its order is the order in which Format writes.
type file struct {
	Groups   []fileGroup   `json:"groups"`
	Clients  []fileClient  `json:"clients"`
	Licences []fileLicence `json:"licences"`
}

type fileGroup struct {
	Key  string    `json:"key"`
	Name string    `json:"name"`
	APIs []fileAPI `json:"apis"`
}

type fileAPI struct {
	Key              string              `json:"key"`
	Name             string              `json:"name"`
	DocumentationURL string              `json:"documentation_url,omitempty"`
	Permissions      []access.Permission `json:"permissions"`
	Requires         []access.Permission `json:"requires,omitempty"`
	Legacy           bool                `json:"legacy,omitempty"`
}

type fileClient struct {
	Key         string         `json:"key"`
	Name        string         `json:"name"`
	Permissions []access.Grant `json:"permissions"`
}

type fileLicence struct {
	Key       string              `json:"key"`
	Name      string              `json:"name"`
	AllScopes bool                `json:"all_scopes,omitempty"`
	Scopes    []access.Permission `json:"scopes,omitempty"`
	Clients   []string            `json:"clients,omitempty"`
}

// Parse reads and validates a catalogue file: one JSON object of at most MaxFile bytes.
// Unknown fields, names that differ in case and names that stand twice in an object are
// refused. Its problem is Invalid; it points at the fault and doesn't repeat the text.
func Parse(data []byte) (Catalog, error) {
	if len(data) > MaxFile {
		return Catalog{}, problem.InvalidField("", fmt.Sprintf("The catalogue must have at most %d bytes.", MaxFile))
	}
	if !utf8.Valid(data) {
		return Catalog{}, problem.InvalidField("", "The catalogue must be valid UTF-8.")
	}
	s := scanner{json.NewDecoder(bytes.NewReader(data))}
	if err := s.value("", 0, catalogShape); err != nil {
		return Catalog{}, err
	}
	if _, err := s.Token(); !errors.Is(err, io.EOF) {
		return Catalog{}, problem.InvalidField("", "Nothing may follow the catalogue.")
	}
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return Catalog{}, wrongType(err)
	}
	c := f.catalog()
	return c, c.Validate()
}

func wrongType(err error) error {
	p := problem.InvalidField("", "A value has the wrong type.")
	p.Err = err
	return p
}

// shape says which names an object may have, and what they hold; nil is a plain value.
type shape map[string]shape

var catalogShape = shape{
	"groups": {
		"key": nil, "name": nil,
		"apis": {"key": nil, "name": nil, "documentation_url": nil, "permissions": nil, "requires": nil, "legacy": nil},
	},
	"clients":  {"key": nil, "name": nil, "permissions": nil},
	"licences": {"key": nil, "name": nil, "all_scopes": nil, "scopes": nil, "clients": nil},
}

// scanner walks the tokens before decoding, because encoding/json takes the last of two
// equal names and ignores case.
type scanner struct{ *json.Decoder }

func (s scanner) value(at string, depth int, allowed shape) error {
	token, err := s.Token()
	if err != nil {
		return notJSON(at, err)
	}
	delim, ok := token.(json.Delim)
	if !ok {
		if depth == 0 || token == nil {
			return problem.InvalidField(at, "This has the wrong type.")
		}
		return nil
	}
	switch {
	case depth >= maxFileDepth:
		return problem.InvalidField(at, "This is nested too deeply.")
	case delim == '{' && allowed != nil:
		err = s.object(at, depth, allowed)
	case delim == '[' && depth > 0:
		err = s.array(at, depth, allowed)
	default:
		return problem.InvalidField(at, "This has the wrong type.")
	}
	if err != nil {
		return err
	}
	if _, err := s.Token(); err != nil { // the closing delimiter
		return notJSON(at, err)
	}
	return nil
}

func (s scanner) object(at string, depth int, allowed shape) error {
	seen := map[string]bool{}
	for s.More() {
		token, err := s.Token()
		if err != nil {
			return notJSON(at, err)
		}
		name, ok := token.(string)
		inner, known := allowed[name]
		switch {
		case !ok || !known:
			return problem.InvalidField(at, "This has a field that a catalogue doesn't know.")
		case seen[name]:
			return problem.InvalidField(at+"/"+name, "This field stands twice.")
		}
		seen[name] = true
		if err := s.value(at+"/"+name, depth+1, inner); err != nil {
			return err
		}
	}
	return nil
}

func (s scanner) array(at string, depth int, allowed shape) error {
	for i := 0; s.More(); i++ {
		if err := s.value(at+"/"+strconv.Itoa(i), depth+1, allowed); err != nil {
			return err
		}
	}
	return nil
}

func notJSON(at string, err error) error {
	p := problem.InvalidField(at, "This is not JSON.")
	p.Err = err
	return p
}

func (f file) catalog() Catalog {
	var c Catalog
	for _, g := range f.Groups {
		group := Group{Key: g.Key, Name: g.Name}
		for _, a := range g.APIs {
			group.APIs = append(group.APIs, API(a))
		}
		c.Groups = append(c.Groups, group)
	}
	for _, client := range f.Clients {
		c.Clients = append(c.Clients, Client(client))
	}
	for _, l := range f.Licences {
		c.Licences = append(c.Licences, Licence(l))
	}
	return c
}

// Format writes the catalogue as Parse reads it.
func (c Catalog) Format() ([]byte, error) {
	f := file{Groups: []fileGroup{}, Clients: []fileClient{}, Licences: []fileLicence{}}
	for _, g := range c.Groups {
		group := fileGroup{Key: g.Key, Name: g.Name, APIs: []fileAPI{}}
		for _, a := range g.APIs {
			group.APIs = append(group.APIs, fileAPI(a))
		}
		f.Groups = append(f.Groups, group)
	}
	for _, client := range c.Clients {
		f.Clients = append(f.Clients, fileClient(client))
	}
	for _, l := range c.Licences {
		f.Licences = append(f.Licences, fileLicence(l))
	}
	return json.MarshalIndent(f, "", "  ")
}
