package webhook

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/internal/problem"
)

// B9: addresses that lead into networks are told from those of the world, in whatever form
// they are written.
func TestB9PublicAddresses(t *testing.T) {
	for _, text := range []string{
		"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.1", "192.167.1.1", "223.255.255.254",
		"2606:4700:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8",
	} {
		if !public(netip.MustParseAddr(text)) {
			t.Errorf("%s is public", text)
		}
	}
	for _, text := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.9.9.9", "168.63.129.16", "169.254.169.254", "172.16.0.1",
		"172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
		"224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:127.0.0.1",
		"64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1",
		"4000::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2606:4700:4700::1111%eth0",
	} {
		if public(netip.MustParseAddr(text)) {
			t.Errorf("%s is not public", text)
		}
	}
}

func TestCheckURL(t *testing.T) {
	inside := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("127.0.0.1/32")}
	for _, c := range []struct {
		url         string
		ok, allowed bool // without and with the networks above
	}{
		{"https://hooks.example.com", true, true},
		{"https://hooks.example.com:8443/a/b?c=d", true, true},
		{"https://8.8.8.8/", true, true},
		{"https://[2606:4700:4700::1111]/", true, true},
		{"https://10.1.2.3/", false, true},
		{"https://10.2.2.3/", false, false},
		{"https://[::ffff:10.2.2.3]/", false, false},
		{"https://169.254.169.254/latest/meta-data", false, false},
		{"https://localhost/", false, true},
		{"https://LOCALHOST./", false, true},
		{"https://api.localhost/", false, true},
		{"http://hooks.example.com/", false, true},
		{"http://127.0.0.1:8080/", false, true},
		{"ftp://hooks.example.com/", false, false},
		{"file:///etc/passwd", false, false},
		{"https:hooks.example.com", false, false},
		{"https:///path", false, false},
		{"//hooks.example.com", false, false},
		{"", false, false},
		{"https://user@hooks.example.com/", false, false},
		{"https://user:secret@hooks.example.com/", false, false},
		{"https://hooks.example.com/#part", false, false},
		{"https://hooks.example.com/#", false, false},
		{"https://hooks.example.com:0/", false, false},
		{"https://hooks.example.com:/", false, false},
		{"https://hooks.example.com:65536/", false, false},
		{"https://hooks.example.com/a b", false, false},
		{"https://hooks.example.com/\x00", false, false},
		{"https://münchen.example/", false, false},
		{"https://hooks.example.com/" + strings.Repeat("x", MaxURL), false, false},
	} {
		for _, allow := range [][]netip.Prefix{nil, inside} {
			want := c.ok
			if allow != nil {
				want = c.allowed
			}
			err := CheckURL(c.url, allow)
			if (err == nil) != want || err != nil && !problem.Is(err, problem.Invalid) {
				t.Errorf("%.60q with %d networks: %v", c.url, len(allow), err)
			}
		}
	}
}

func TestShownLeavesSecretsOut(t *testing.T) {
	if got := Shown("https://hooks.example.com:8443/services/T00/secret?token=x"); got != "https://hooks.example.com:8443" {
		t.Error(got)
	}
}
