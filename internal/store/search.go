package store

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/claviger-io/claviger/internal/problem"
)

// maxSearch is the longest text that can be searched for, in bytes.
const maxSearch = 200

// searchText is what a search looks through: the folded words of the texts, two spaces
// before each. Words inside words ("billing" in "prod-billing") come again at the end, so
// that a search by their first letters finds them.
func searchText(texts ...string) string { return searchTextOf(texts, "") }

// searchTextOf adds text whose parts are no words, such as a key's shown characters.
func searchTextOf(texts []string, opaque string) string {
	var b strings.Builder
	var inner []string
	for _, text := range texts {
		for word := range strings.FieldsSeq(fold(text)) {
			b.WriteString("  ")
			b.WriteString(word)
			if i := strings.IndexFunc(word, isBetween); i >= 0 {
				inner = append(inner, strings.FieldsFunc(word[i:], isBetween)...)
			}
		}
	}
	for _, word := range inner {
		b.WriteString("  ")
		b.WriteString(word)
	}
	for word := range strings.FieldsSeq(fold(opaque)) {
		b.WriteString("  ")
		b.WriteString(word)
	}
	return b.String()
}

// isBetween reports a character that separates words within a word.
func isBetween(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) }

// needle is a search made ready: the text to be found in a searchText.
type needle string

// newNeedle folds a search. One or two characters match the beginning of a word, because
// they'd match nearly everything else; three or more match anywhere. The empty needle
// matches everything.
func newNeedle(search string) (needle, error) {
	if len(search) > maxSearch || !validText(search) {
		return "", problem.InvalidField("query.search", "Search for at most 200 bytes of text.")
	}
	text := strings.Join(strings.Fields(fold(search)), "  ")
	if n := utf8.RuneCountInString(text); n > 0 && n < 3 {
		text = "  " + text
	}
	return needle(text), nil
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// like is the needle as a LIKE pattern with '\' as its escape.
func (n needle) like() string { return "%" + likeEscaper.Replace(string(n)) + "%" }

// trigrams is the needle as an FTS5 query: some of its trigrams, in any order. Three of each
// word are enough, and few to walk through: what the index finds is looked through once more.
func (n needle) trigrams() string {
	var picked []string
	add := func(t []rune) {
		if text := string(t); !slices.Contains(picked, text) {
			picked = append(picked, text)
		}
	}
	beginning := strings.HasPrefix(string(n), "  ")
	for i, word := range strings.Fields(string(n)) {
		runes := []rune(word)
		last := len(runes) - 3
		switch {
		case last >= 0:
			add(runes[:3])
			add(runes[last/2 : last/2+3])
			add(runes[last:])
		case i > 0 || beginning: // the first may be the end of a word
			add([]rune("  " + word)[len(runes)-1:])
		}
	}
	if runes := []rune(string(n)); len(picked) == 0 && len(runes) >= 3 {
		for i := range len(runes) - 2 {
			add(runes[i : i+3])
		}
	}
	var b strings.Builder
	for i, t := range picked {
		if i > 0 {
			b.WriteString(" AND ")
		}
		b.WriteByte('"')
		b.WriteString(strings.ReplaceAll(t, `"`, `""`))
		b.WriteByte('"')
	}
	return b.String()
}
