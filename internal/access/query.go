package access

import (
	"fmt"

	"github.com/claviger-io/claviger/internal/problem"
)

// The caps of a permission query.
const (
	MaxQuery      = 1024 // bytes
	MaxQueryDepth = 16   // nested parentheses
	MaxQueryNames = 64   // permissions named
)

// Query is a compiled permission query, such as "a:read AND (b:write OR c:x)". AND binds
// tighter than OR. It never changes and may be shared. A "*" in it is literal: only
// someone who holds that very "*" satisfies it.
type Query struct{ root node }

type op uint8

const (
	opName op = iota
	opAnd
	opOr
)

type node struct {
	op   op
	name Permission // opName
	list []node     // opAnd, opOr: at least two
}

// Check reports whether s satisfies the query. If it doesn't, missing is what else would:
// of an AND all that is missing, of an OR the branch of which least is missing, the first
// of equals. It allocates nothing when the query is satisfied.
func (q *Query) Check(s Set) (ok bool, missing []Permission) {
	if q.root.holds(&s) {
		return true, nil
	}
	return false, q.root.missing(&s, nil)
}

// Names lists the permissions of the query in their order, duplicates included.
func (q *Query) Names() []Permission { return q.root.names(nil) }

func (n *node) names(to []Permission) []Permission {
	if n.op == opName {
		return append(to, n.name)
	}
	for i := range n.list {
		to = n.list[i].names(to)
	}
	return to
}

func (n *node) holds(s *Set) bool {
	switch n.op {
	case opName:
		return s.Allows(n.name)
	case opAnd:
		for i := range n.list {
			if !n.list[i].holds(s) {
				return false
			}
		}
		return true
	case opOr:
		for i := range n.list {
			if n.list[i].holds(s) {
				return true
			}
		}
	}
	return false
}

// missing appends what is missing and isn't in the list yet.
func (n *node) missing(s *Set, to []Permission) []Permission {
	switch n.op {
	case opName:
		if s.Allows(n.name) || contains(to, n.name) {
			return to
		}
		return append(to, n.name)
	case opAnd:
		for i := range n.list {
			to = n.list[i].missing(s, to)
		}
		return to
	case opOr:
		var least []Permission
		for i := range n.list {
			// Clipped, so that branches don't write into each other's space.
			branch := n.list[i].missing(s, to[:len(to):len(to)])
			if i == 0 || len(branch) < len(least) {
				least = branch
			}
		}
		return least
	}
	return to
}

func contains(list []Permission, p Permission) bool {
	for _, have := range list {
		if have == p {
			return true
		}
	}
	return false
}

// ParseQuery compiles a query. Its problem is Invalid and gives the position of the first
// byte at fault, counted from 1, never the text.
func ParseQuery(s string) (*Query, error) {
	if len(s) > MaxQuery {
		return nil, badQuery(MaxQuery+1, fmt.Sprintf("it is longer than %d bytes", MaxQuery))
	}
	p := parser{text: s}
	root, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.skip(); p.pos < len(s) {
		return nil, badQuery(p.pos+1, "AND, OR or the end must stand here")
	}
	return &Query{root}, nil
}

func badQuery(position int, why string) error {
	return problem.New(problem.Invalid, "bad_permission_query",
		fmt.Sprintf("The permission query can't be read at position %d: %s.", position, why))
}

// parser reads a query from text, at pos.
type parser struct {
	text  string
	pos   int
	names int
}

func (p *parser) or(depth int) (node, error)  { return p.sequence(opOr, "OR", depth) }
func (p *parser) and(depth int) (node, error) { return p.sequence(opAnd, "AND", depth) }

func (p *parser) sequence(kind op, word string, depth int) (node, error) {
	operand := p.and
	if kind == opAnd {
		operand = p.operand
	}
	var list []node
	for {
		n, err := operand(depth)
		if err != nil {
			return node{}, err
		}
		list = append(list, n)
		if !p.word(word) {
			break
		}
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return node{op: kind, list: list}, nil
}

func (p *parser) operand(depth int) (node, error) {
	p.skip()
	if p.pos == len(p.text) {
		return node{}, badQuery(p.pos+1, "a permission must stand here")
	}
	if p.text[p.pos] != '(' {
		return p.name()
	}
	if depth == MaxQueryDepth {
		return node{}, badQuery(p.pos+1, fmt.Sprintf("parentheses are nested deeper than %d", MaxQueryDepth))
	}
	p.pos++
	n, err := p.or(depth + 1)
	if err != nil {
		return node{}, err
	}
	if p.skip(); p.pos == len(p.text) || p.text[p.pos] != ')' {
		return node{}, badQuery(p.pos+1, "AND, OR or a closing parenthesis must stand here")
	}
	p.pos++
	return n, nil
}

func (p *parser) name() (node, error) {
	start := p.pos
	end := start
	for end < len(p.text) && (isSegmentByte(p.text[end]) || isSeparator(p.text[end]) || p.text[end] == '*') {
		end++
	}
	text := p.text[start:end]
	if !wellFormed(text, true) {
		return node{}, badQuery(start+1, "a permission must stand here, as resource:action")
	}
	if p.names++; p.names > MaxQueryNames {
		return node{}, badQuery(start+1, fmt.Sprintf("more than %d permissions are named", MaxQueryNames))
	}
	p.pos = end
	return node{op: opName, name: Permission(text)}, nil
}

// word steps over the keyword if it stands here as a whole word.
func (p *parser) word(w string) bool {
	p.skip()
	end := p.pos + len(w)
	if end > len(p.text) || p.text[p.pos:end] != w {
		return false
	}
	if end < len(p.text) && p.text[end] != ' ' && p.text[end] != '(' {
		return false
	}
	p.pos = end
	return true
}

// skip steps over spaces. Other white space is a mistake: a query is one line.
func (p *parser) skip() {
	for p.pos < len(p.text) && p.text[p.pos] == ' ' {
		p.pos++
	}
}
