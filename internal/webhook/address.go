package webhook

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/claviger-io/claviger/internal/problem"
)

// MaxURL is the longest address of a webhook, in bytes.
const MaxURL = 2000

// notPublic are the addresses that are not the world's (IANA's registries of special-purpose
// addresses), beside those that package netip knows by name. Of IPv6 everything outside
// 2000::/3 is refused anyway, and with it whatever holds an IPv4 address: mapped, compatible
// and translated ones.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),        // this network
	netip.MustParsePrefix("100.64.0.0/10"),    // shared by carriers' NAT, and by clouds
	netip.MustParsePrefix("168.63.129.16/32"), // Azure's platform, which its machines alone reach there
	netip.MustParsePrefix("192.0.0.0/24"),     // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),     // documentation
	netip.MustParsePrefix("192.88.99.0/24"),   // 6to4 relays
	netip.MustParsePrefix("198.18.0.0/15"),    // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"),  // documentation
	netip.MustParsePrefix("203.0.113.0/24"),   // documentation
	netip.MustParsePrefix("240.0.0.0/4"),      // reserved, and broadcast
	netip.MustParsePrefix("2001::/23"),        // protocol assignments: Teredo, ORCHID
	netip.MustParsePrefix("2001:db8::/32"),    // documentation
	netip.MustParsePrefix("2002::/16"),        // 6to4: holds an IPv4 address
	netip.MustParsePrefix("3fff::/20"),        // documentation
}

var globalIPv6 = netip.MustParsePrefix("2000::/3")

// public reports whether an address is the world's.
func public(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() {
		return false
	}
	if a.Is6() && !globalIPv6.Contains(a) {
		return false
	}
	return !within(notPublic, a)
}

// within reports whether one of the networks has the address.
func within(networks []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap()
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// CheckURL says what is wrong with the address of a webhook, as far as that can be known
// without looking its name up: that is done at each call. allow are networks that the
// operator permits although they are not public; in them http will do.
func CheckURL(text string, allow []netip.Prefix) error {
	u, err := url.Parse(text)
	if err != nil || len(text) > MaxURL || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) || u.Opaque != "" {
		return problem.InvalidField("/url", "Give an address such as https://hooks.example.com/claviger, in ASCII, of at most "+strconv.Itoa(MaxURL)+" characters.")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || len(allow) == 0) {
		return problem.InvalidField("/url", "Give an address that begins with https://.")
	}
	if u.User != nil || u.Fragment != "" || strings.HasSuffix(text, "#") {
		return problem.InvalidField("/url", "Leave out the user, the password and the fragment.")
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if host == "" || !validPort(u) {
		return problem.InvalidField("/url", "Name a host, and if you like a port from 1 to 65535.")
	}
	a, err := netip.ParseAddr(host)
	local := err != nil && (host == "localhost" || strings.HasSuffix(host, ".localhost"))
	permitted := err != nil || public(a) || a.Zone() == "" && within(allow, a)
	if !permitted || local && len(allow) == 0 {
		return problem.InvalidField("/url", "Give a public address. This one is private or local, and webhooks don't go there.")
	}
	return nil
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

// Shown is a webhook's address without what may be a secret in it: for the audit log.
func Shown(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
