package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	listRounds = 24 // requests of each kind
	deepPages  = 40 // of 200 keys, before the page that is timed
)

// question is one kind of list request.
type question struct{ name, query string }

// listQuestions are orders and filters as the console's page asks them.
func (s *site) listQuestions() []question {
	l := s.large
	org := func(i int) string { return url.QueryEscape(string(l.orgs[i].ID)) }
	filters := []question{
		{"all", ""},
		{"active", "state=active"},
		{"suspended", "state=suspended"},
		{"revoked", "state=revoked"},
		{"expired", "state=expired&include_deleted=true"},
		{"with deleted", "include_deleted=true"},
		{"organization of a tenth", "organization_id=" + org(0)},
		{"region", "organization_id=" + org(1)},
		{"team", "organization_id=" + org(2)},
		{"team, revoked", "state=revoked&organization_id=" + org(2)},
		{"owner", "owner_id=" + url.QueryEscape(string(l.users[len(l.users)/2].ID))},
		{"organization keys", "kind=organization_key"},
		{"expiring within a month", "expiring_before=" + url.QueryEscape(time.Now().AddDate(0, 1, 0).UTC().Format(time.RFC3339))},
		{"expiring within a week, active", "state=active&expiring_before=" + url.QueryEscape(time.Now().AddDate(0, 0, 7).UTC().Format(time.RFC3339))},
	}
	var list []question
	for _, f := range filters {
		for _, sort := range []string{"name", "created_at", "expires_at", "last_used_at"} {
			for _, order := range []string{"asc", "desc"} {
				list = append(list, question{f.name + " by " + sort + " " + order, strings.Trim(f.query+"&sort="+sort+"&order="+order, "&")})
			}
		}
	}
	return list
}

// measureList times pages of 50 in every order, with every filter, at the beginning and far on.
func measureList(ctx context.Context, o options, s *site, t *table) error {
	srv, err := s.serve(ctx, o, s.dir)
	if err != nil {
		return err
	}
	defer srv.stop()
	var first, deep timings
	for _, q := range s.listQuestions() {
		if err := s.timeQuestion(ctx, srv.url, q, "", &first); err != nil {
			return err
		}
		cursor, err := s.deepCursor(ctx, srv.url, q.query)
		if err != nil {
			return err
		}
		if cursor != "" {
			if err := s.timeQuestion(ctx, srv.url, q, cursor, &deep); err != nil {
				return err
			}
		}
	}
	first.row(t, "a page of 50 of a million keys, first page, "+s.engine, 10*time.Millisecond)
	deep.row(t, fmt.Sprintf("a page of 50, %d keys on, %s", deepPages*200, s.engine), 10*time.Millisecond)
	return nil
}

// searchQuestions are texts that everything, much, little and nothing has.
func (s *site) searchQuestions() []question {
	var list []question
	id := s.keys[len(s.keys)/2][7:19]
	for _, text := range []string{
		"pr", "de", "de ", "za", "xq", "42", // two characters: the beginnings of words
		"pro", "def", "zan", "ill", "xqz", "123",
		"wareho", "defaul", "zanzib", "report", "nosuch", "region",
		"warehouse sy", "quality revi", "zanzibar pil", "no such name", "user00100", "closing", id[:4], id[:6], "team 03.4",
	} {
		list = append(list, question{fmt.Sprintf("%q", text), "search=" + url.QueryEscape(text)})
	}
	for _, text := range []string{"prod", "zanzibar", "report", "wallboard"} { // no wallboard's is revoked
		list = append(list, question{fmt.Sprintf("%q, revoked", text), "state=revoked&search=" + url.QueryEscape(text)})
	}
	return list
}

// sortedSearchQuestions are searches whose answers are wanted in another order than the
// latest first, which is what the console asks for until somebody chooses a column.
func sortedSearchQuestions() []question {
	var list []question
	for _, text := range []string{"prod", "zanzibar", "report", "wallboard"} {
		list = append(list, question{fmt.Sprintf("%q, by name", text), "sort=name&search=" + url.QueryEscape(text)})
	}
	return list
}

// measureSearch times searches for part of a word.
func measureSearch(ctx context.Context, o options, s *site, t *table) error {
	srv, err := s.serve(ctx, o, s.dir)
	if err != nil {
		return err
	}
	defer srv.stop()
	for _, asked := range []struct {
		what      string
		questions []question
	}{
		{"substring search in a million keys, ", s.searchQuestions()},
		{"  the same sorted by name, ", sortedSearchQuestions()},
	} {
		var found timings
		for _, q := range asked.questions {
			if err := s.timeQuestion(ctx, srv.url, q, "", &found); err != nil {
				return err
			}
		}
		found.row(t, asked.what+s.engine, 20*time.Millisecond)
	}
	return nil
}

// timings gathers delays by question.
type timings struct {
	all       []time.Duration
	questions []question
	p95       []time.Duration
}

func (g *timings) row(t *table, what string, target time.Duration) {
	if len(g.p95) == 0 {
		return
	}
	p95 := quantile(slices.Clone(g.all), 0.95)
	t.add(p95 <= target, what, fmt.Sprintf("p95 %s, median %s, %d requests", short(p95), short(quantile(slices.Clone(g.all), 0.5)), len(g.all)), "p95 ≤ "+target.String())
	worst := slices.Index(g.p95, slices.Max(g.p95))
	t.add(g.p95[worst] <= target, "  its slowest kind: "+g.questions[worst].name, "p95 "+short(g.p95[worst]).String(), "p95 ≤ "+target.String())
}

func (s *site) timeQuestion(ctx context.Context, base string, q question, cursor string, into *timings) error {
	where := base + "/v1/api-keys?limit=50&" + q.query
	if cursor != "" {
		where += "&cursor=" + url.QueryEscape(cursor)
	}
	var delays []time.Duration
	for n := range listRounds + 1 {
		began := time.Now()
		r, err := send(ctx, "GET", where, s.issuer, "")
		if err != nil {
			return err
		}
		if r.status != 200 {
			return fmt.Errorf("listing %s answers %d: %s", q.query, r.status, r.body)
		}
		if n > 0 { // the first reads what nobody has asked for yet
			delays = append(delays, time.Since(began))
		}
	}
	into.all = append(into.all, delays...)
	into.questions = append(into.questions, q)
	p95 := quantile(delays, 0.95)
	into.p95 = append(into.p95, p95)
	if verbose {
		say("    %-60s p95 %8s median %8s", q.name, short(p95), short(quantile(delays, 0.5)))
	}
	return nil
}

// deepCursor goes on through a list; empty when it ends before.
func (s *site) deepCursor(ctx context.Context, base, query string) (string, error) {
	cursor := ""
	for range deepPages {
		var page struct {
			NextCursor string `json:"next_cursor"`
		}
		r, err := send(ctx, "GET", base+"/v1/api-keys?limit=200&"+query+"&cursor="+url.QueryEscape(cursor), s.issuer, "")
		if err != nil {
			return "", err
		}
		if err := json.Unmarshal(r.body, &page); err != nil || r.status != 200 {
			return "", fmt.Errorf("listing %s answers %d: %s", query, r.status, r.body)
		}
		if page.NextCursor == "" {
			return "", nil
		}
		cursor = page.NextCursor
	}
	return cursor, nil
}
