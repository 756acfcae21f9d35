// Package console holds the web console as it was built, so that one binary serves it.
//
// Its sources, in React and TypeScript, are in src; `make console` builds them into dist.
// Only programs built with the tag console have it inside, so that whoever works on the Go
// side needs no Node; all others answer with a page that says how to build it.
package console
