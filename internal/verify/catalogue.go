package verify

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
)

// catalogue is what the vendor's catalogue means to verification.
type catalogue struct {
	apis     map[string]access.Set // what an app may do that chose an API; legacy ones are not there (VC7)
	licences map[string]access.Set // what each licence lets client credentials carry
	clients  map[string]access.Set // what a licence lets people do through a desktop client, by clientKey
	all      access.Set            // of every API but the legacy ones
	legacy   access.Set
}

func catalogueOf(c *catalog.Catalog) catalogue {
	k := catalogue{
		apis: make(map[string]access.Set), licences: make(map[string]access.Set), clients: make(map[string]access.Set),
		legacy: c.Legacy(),
	}
	everything := access.SetOf(c.Permissions()...)
	var all []access.Permission
	for _, a := range c.APIs() {
		if !a.Legacy {
			k.apis[a.Key] = access.SetOf(a.Permissions...)
			all = append(all, a.Permissions...)
		}
	}
	k.all = access.SetOf(all...)
	for _, l := range c.Licences {
		if scopes, ok := c.ScopesOffered(l.Key, everything); ok {
			k.licences[l.Key] = access.SetOf(scopes...)
		}
		for _, client := range l.Clients {
			if set, ok := c.ClientPermissions(client, l.Key); ok {
				k.clients[clientKey(client, l.Key)] = set.Vendor()
			}
		}
	}
	return k
}

// clientKey joins two keys of the catalogue, which have no spaces.
func clientKey(client, licence string) string { return client + " " + licence }

// chosen is what APIs, as choiceOf names them, give together. What isn't in the catalogue
// any more gives nothing.
func (k *catalogue) chosen(choice string) access.Set {
	var grants []access.Grant
	for key := range strings.SplitSeq(choice, ",") {
		grants = append(grants, k.apis[key].Grants()...)
	}
	return access.NewSet(grants...)
}

// choiceOf is the same text for the same choice of APIs. Their keys have no commas.
func choiceOf(apis []string) string { return strings.Join(slices.Sorted(slices.Values(apis)), ",") }

// legacyAnswer is whether a query asks a legacy API, of one state of the catalogue.
type legacyAnswer struct {
	of  *access.Set
	yes bool
}

// compiled is a permission query with what was found out about it.
type compiled struct {
	text string
	*access.Query
	legacy atomic.Pointer[legacyAnswer]
}

// asksLegacy reports whether the query names a permission of a legacy API. No other API
// has one, so a legacy API is being called.
func (c *compiled) asksLegacy(legacy *access.Set) bool {
	if legacy == nil {
		return false
	}
	if known := c.legacy.Load(); known != nil && known.of == legacy {
		return known.yes
	}
	answer := &legacyAnswer{of: legacy}
	for _, p := range c.Names() {
		answer.yes = answer.yes || legacy.Allows(p)
	}
	c.legacy.Store(answer)
	return answer.yes
}
