package credential

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/claviger-io/claviger/internal/problem"
)

// MaxNetworks is how many networks one credential may list.
const MaxNetworks = 100

// ParseNetworks reads networks in CIDR form, or single addresses. It returns them sorted
// and without repetitions, IPv4 written as IPv6 turned into IPv4; nil for an empty list.
// Addresses with a zone or with bits after the prefix are refused rather than guessed at.
func ParseNetworks(list []string) ([]netip.Prefix, error) {
	if len(list) > MaxNetworks {
		return nil, problem.InvalidField("/networks", fmt.Sprintf("Give at most %d networks.", MaxNetworks))
	}
	var (
		out    []netip.Prefix
		fields []problem.Field
	)
	for i, s := range list {
		p, message := parseNetwork(s)
		if message != "" {
			fields = append(fields, problem.Field{Pointer: fmt.Sprintf("/networks/%d", i), Message: message})
			continue
		}
		out = append(out, p)
	}
	if err := problem.InvalidFields(fields); err != nil {
		return nil, err
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out), nil
}

// parseNetwork returns what to do in message when s is no network.
func parseNetwork(s string) (p netip.Prefix, message string) {
	const form = "Write an address or a network in CIDR form, such as 192.0.2.0/24 or 2001:db8::/32."
	var err error
	if strings.Contains(s, "/") {
		p, err = netip.ParsePrefix(s)
	} else {
		var a netip.Addr
		if a, err = netip.ParseAddr(s); err == nil {
			p, err = a.Prefix(a.BitLen())
		}
	}
	if err != nil || !p.IsValid() || strings.Contains(s, "%") {
		return netip.Prefix{}, form
	}
	if p.Addr().Is4In6() {
		// A prefix shorter than 96 would reach out of the IPv4 part.
		if p.Bits() < 96 {
			return netip.Prefix{}, form
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p != p.Masked() {
		return netip.Prefix{}, "The address has bits set after the prefix length. Write the first address of the network, or a longer prefix."
	}
	return p, ""
}
