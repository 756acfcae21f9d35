package server

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/verify"
)

func decodeSingle(body string) (verify.Request, error) {
	var q verify.Request
	d := decoder{b: []byte(body)}
	err := d.single(&q)
	return q, err
}

func TestDecodeVerify(t *testing.T) {
	for name, row := range map[string]struct {
		body string
		want verify.Request
	}{
		"credential":         {`{"credential":"clv_uk_x"}`, verify.Request{Credential: "clv_uk_x"}},
		"white space":        {" \n{ \"credential\" :\t\"a\" }\r\n", verify.Request{Credential: "a"}},
		"pair":               {`{"id":"usr_1","secret":"k"}`, verify.Request{ID: "usr_1", Secret: "k"}},
		"everything":         {`{"credential":"k","permissions":"a:b","source_ip":"192.0.2.7","user_agent":"c/1","cost":3,"dry_run":true}`, verify.Request{Credential: "k", Permissions: "a:b", SourceIP: netip.MustParseAddr("192.0.2.7"), UserAgent: "c/1", Cost: 3, DryRun: true}},
		"mapped address":     {`{"credential":"k","source_ip":"::ffff:192.0.2.7"}`, verify.Request{Credential: "k", SourceIP: netip.MustParseAddr("192.0.2.7")}},
		"escapes":            {`{"credential":"\u0041\n\"\\\/\b\f\r\t\u00e9\uD83D\uDE00z"}`, verify.Request{Credential: "A\n\"\\/\b\f\r\té😀z"}},
		"escaped name":       {`{"cr\u0065dential":"k"}`, verify.Request{Credential: "k"}},
		"UTF-8":              {`{"credential":"é😀"}`, verify.Request{Credential: "é😀"}},
		"empty query":        {`{"credential":"k","permissions":""}`, verify.Request{Credential: "k"}},
		"most cost":          {`{"cost":1000000 ,"credential":"k"}`, verify.Request{Credential: "k", Cost: 1_000_000}},
		"dry run off":        {`{"dry_run":false,"credential":"k"}`, verify.Request{Credential: "k"}},
		"odd authorization":  {`{"authorization":"Digest x"}`, verify.Request{Credential: malformed}},
		"order is no matter": {`{"secret":"s","permissions":"a:b","id":"i"}`, verify.Request{ID: "i", Secret: "s", Permissions: "a:b"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decodeSingle(row.body)
			if err != nil {
				t.Fatalf("refused: %v %v", err, problem.As(err).Fields)
			}
			if d := cmp.Diff(row.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
				t.Error(d)
			}
		})
	}
}

// canary stands for a secret in everything that is refused.
const canary = "c4n4ryc4n4ry"

var refusedVerifications = map[string]struct{ body, pointer string }{
	"empty":                  {``, ""},
	"not an object":          {`["` + canary + `"]`, ""},
	"text":                   {`"` + canary + `"`, ""},
	"BOM":                    {"\xef\xbb\xbf" + `{"credential":"k"}`, ""},
	"truncated":              {`{"credential":"` + canary, "/credential"},
	"truncated escape":       {`{"credential":"\`, "/credential"},
	"truncated hex":          {`{"credential":"\u12`, "/credential"},
	"after the object":       {`{"credential":"k"} {"` + canary + `":1}`, ""},
	"trailing comma":         {`{"credential":"k",}`, ""},
	"no comma":               {`{"credential":"k" "cost":1}`, ""},
	"unknown name":           {`{"credential":"k","` + canary + `":1}`, ""},
	"other case":             {`{"Credential":"` + canary + `"}`, ""},
	"empty name":             {`{"":"` + canary + `"}`, ""},
	"twice":                  {`{"credential":"k","credential":"` + canary + `"}`, "/credential"},
	"twice by escape":        {`{"credential":"k","cr\u0065dential":"` + canary + `"}`, "/credential"},
	"no form":                {`{}`, "/credential"},
	"no form, others":        {`{"permissions":"` + canary + `:read"}`, "/credential"},
	"two forms":              {`{"credential":"k","authorization":"Bearer ` + canary + `"}`, ""},
	"all forms":              {`{"credential":"k","authorization":"b","id":"i","secret":"s"}`, ""},
	"credential and id":      {`{"credential":"k","id":"` + canary + `"}`, ""},
	"id alone":               {`{"id":"` + canary + `"}`, "/secret"},
	"secret alone":           {`{"secret":"` + canary + `"}`, "/id"},
	"empty credential":       {`{"credential":""}`, "/credential"},
	"empty authorization":    {`{"authorization":""}`, "/authorization"},
	"empty id":               {`{"id":"","secret":"` + canary + `"}`, "/id"},
	"empty secret":           {`{"id":"` + canary + `","secret":""}`, "/secret"},
	"number as credential":   {`{"credential":12}`, "/credential"},
	"null as credential":     {`{"credential":null}`, "/credential"},
	"list as credential":     {`{"credential":["` + canary + `"]}`, "/credential"},
	"object as credential":   {`{"credential":{"a":"` + canary + `"}}`, "/credential"},
	"bool as permissions":    {`{"credential":"k","permissions":true}`, "/permissions"},
	"text as cost":           {`{"credential":"k","cost":"` + canary + `"}`, "/cost"},
	"zero cost":              {`{"credential":"k","cost":0}`, "/cost"},
	"negative cost":          {`{"credential":"k","cost":-1}`, "/cost"},
	"fraction":               {`{"credential":"k","cost":1.5}`, "/cost"},
	"exponent":               {`{"credential":"k","cost":1e3}`, "/cost"},
	"leading zero":           {`{"credential":"k","cost":01}`, "/cost"},
	"cost too high":          {`{"credential":"k","cost":1000001}`, "/cost"},
	"cost overflows":         {`{"credential":"k","cost":99999999999999999999999}`, "/cost"},
	"text as dry run":        {`{"credential":"k","dry_run":"true"}`, "/dry_run"},
	"trues":                  {`{"credential":"k","dry_run":trues}`, ""},
	"no address":             {`{"credential":"k","source_ip":"` + canary + `"}`, "/source_ip"},
	"empty address":          {`{"credential":"k","source_ip":""}`, "/source_ip"},
	"address with zone":      {`{"credential":"k","source_ip":"fe80::1%` + canary + `"}`, "/source_ip"},
	"address with port":      {`{"credential":"k","source_ip":"192.0.2.1:80"}`, "/source_ip"},
	"number as user agent":   {`{"credential":"k","user_agent":1}`, "/user_agent"},
	"control character":      {"{\"credential\":\"a\x01" + canary + "\"}", "/credential"},
	"line end in text":       {"{\"credential\":\"a\n" + canary + "\"}", "/credential"},
	"not UTF-8":              {"{\"credential\":\"a\xff" + canary + "\"}", "/credential"},
	"not UTF-8, escaped":     {"{\"credential\":\"\\n\xff" + canary + "\"}", "/credential"},
	"lone surrogate":         {`{"credential":"\ud800` + canary + `"}`, "/credential"},
	"low surrogate first":    {`{"credential":"\udc00\ud800"}`, "/credential"},
	"two high surrogates":    {`{"credential":"\ud800\ud800"}`, "/credential"},
	"unknown escape":         {`{"credential":"\x41"}`, "/credential"},
	"deep nesting":           {`{"credential":` + strings.Repeat("[", 10_000) + `}`, "/credential"},
	"deep nesting, unknown":  {`{"x":` + strings.Repeat(`{"a":`, 10_000) + `}`, ""},
	"name without a value":   {`{"credential"}`, ""},
	"value without a name":   {`{:"k"}`, ""},
	"single quotes":          {`{'credential':'` + canary + `'}`, ""},
	"comment":                {`{"credential":"k"/*` + canary + `*/}`, ""},
	"text without a quote":   {`{"credential":` + canary + `}`, "/credential"},
	"name ends in backslash": {`{"credential\`, ""},
}

func TestDecodeVerifyRefuses(t *testing.T) {
	for name, row := range refusedVerifications {
		t.Run(name, func(t *testing.T) {
			_, err := decodeSingle(row.body)
			checkRefusal(t, err, row.pointer)
		})
		t.Run("batch/"+name, func(t *testing.T) {
			d := decoder{b: []byte(`{"items":[{"credential":"k"},` + row.body + `]}`)}
			_, err := d.batch(nil)
			var p *problem.Problem
			if !errors.As(err, &p) || p.Kind != problem.Invalid {
				t.Fatalf("got %v, want an Invalid problem", err)
			}
			if strings.Contains(p.Error()+p.Fields[0].Message+p.Fields[0].Pointer, canary) {
				t.Error("the problem repeats what was sent")
			}
			if row.pointer != "" && p.Fields[0].Pointer != "/items/1"+row.pointer {
				t.Errorf("pointer %q, want %q", p.Fields[0].Pointer, "/items/1"+row.pointer)
			}
		})
	}
}

func checkRefusal(t *testing.T, err error, pointer string) {
	t.Helper()
	var p *problem.Problem
	if !errors.As(err, &p) || p.Kind != problem.Invalid || len(p.Fields) != 1 {
		t.Fatalf("got %v, want an Invalid problem of one field", err)
	}
	if p.Fields[0].Pointer != pointer {
		t.Errorf("pointer %q, want %q", p.Fields[0].Pointer, pointer)
	}
	if strings.Contains(p.Error()+p.Fields[0].Message+p.Fields[0].Pointer, canary) {
		t.Error("the problem repeats what was sent")
	}
}

func TestDecodeBatch(t *testing.T) {
	items := func(n int) string {
		return `{"items":[` + strings.TrimSuffix(strings.Repeat(`{"credential":"k"},`, n), ",") + `]}`
	}
	for name, row := range map[string]struct {
		body string
		want int
	}{
		"one":              {items(1), 1},
		"white space":      {" { \"items\" : [ {\"credential\":\"k\"} , {\"credential\":\"k\"} ] } ", 2},
		"most":             {items(api.MaxVerifyBatch), api.MaxVerifyBatch},
		"too many":         {items(api.MaxVerifyBatch + 1), 0},
		"none":             {`{"items":[]}`, 0},
		"no items":         {`{}`, 0},
		"items is text":    {`{"items":"` + canary + `"}`, 0},
		"item is text":     {`{"items":["` + canary + `"]}`, 0},
		"unknown name":     {`{"` + canary + `":[]}`, 0},
		"second name":      {`{"items":[{"credential":"k"}],"` + canary + `":1}`, 0},
		"twice":            {`{"items":[{"credential":"k"}],"items":[]}`, 0},
		"after the object": {items(1) + canary, 0},
		"trailing comma":   {`{"items":[{"credential":"k"},]}`, 0},
		"not closed":       {`{"items":[{"credential":"k"}`, 0},
		"a list":           {`[{"credential":"k"}]`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := decoder{b: []byte(row.body)}
			got, err := d.batch(nil)
			if row.want == 0 {
				p := problem.As(err)
				if err == nil || p.Kind != problem.Invalid {
					t.Fatalf("got %v, want an Invalid problem", err)
				}
				if strings.Contains(p.Error()+p.Fields[0].Message+p.Fields[0].Pointer, canary) {
					t.Error("the problem repeats what was sent")
				}
				return
			}
			if err != nil || len(got) != row.want {
				t.Errorf("got %d items, error %v, want %d", len(got), err, row.want)
			}
		})
	}
}

// What we take, encoding/json takes too, and understands alike.
func FuzzDecodeVerify(f *testing.F) {
	for _, row := range refusedVerifications {
		f.Add([]byte(row.body))
	}
	f.Add([]byte(`{"credential":"\u0041\ud83d\ude00","cost":3,"permissions":"a:b","dry_run":true,"source_ip":"::1"}`))
	f.Add([]byte(`{"id":"a","secret":"b"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var want struct {
			Credential, Authorization, ID, Secret, Permissions *string
			SourceIP                                           *string `json:"source_ip"`
			Cost                                               *int64
			DryRun                                             *bool `json:"dry_run"`
		}
		standard := json.Unmarshal(body, &want)
		d := decoder{b: append([]byte(nil), body...)}
		var got verify.Request
		if d.single(&got) != nil {
			return
		}
		if standard != nil {
			t.Fatalf("taken, but encoding/json refuses it: %v", standard)
		}
		if want.Credential != nil && *want.Credential != got.Credential {
			t.Errorf("credential %q, want %q", got.Credential, *want.Credential)
		}
		if want.Secret != nil && (*want.Secret != got.Secret || *want.ID != got.ID) {
			t.Errorf("pair %q %q, want %q %q", got.ID, got.Secret, *want.ID, *want.Secret)
		}
		if want.Permissions != nil && *want.Permissions != got.Permissions {
			t.Errorf("permissions %q, want %q", got.Permissions, *want.Permissions)
		}
		if want.Cost != nil && *want.Cost != got.Cost {
			t.Errorf("cost %d, want %d", got.Cost, *want.Cost)
		}
	})
}

func TestDecodeVerifyMakesNoGarbage(t *testing.T) {
	body := []byte(`{"credential":"clv_uk_0123456789ab_x","permissions":"call_recordings:read","source_ip":"192.0.2.7"}`)
	var q verify.Request
	allocations := testing.AllocsPerRun(100, func() {
		d := decoder{b: body}
		if d.single(&q) != nil {
			t.Fatal("refused")
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations, want none", allocations)
	}
}
