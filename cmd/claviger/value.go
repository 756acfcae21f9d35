package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// The kinds of values of the settings' table. Their errors don't repeat the value: it
// may come from the environment, where secrets live.

type textValue struct{ to *string }

func (v textValue) Set(s string) error { *v.to = s; return nil }
func (v textValue) String() string     { return orEmpty(v.to) }
func (v textValue) Type() string       { return "string" }

type choiceValue struct {
	to   *string
	from []string
}

func (v choiceValue) Set(s string) error {
	if !slices.Contains(v.from, s) {
		return fmt.Errorf("it must be one of: %s", strings.Join(v.from, ", "))
	}
	*v.to = s
	return nil
}
func (v choiceValue) String() string { return orEmpty(v.to) }
func (v choiceValue) Type() string   { return "string" }

type flagValue struct{ to *bool }

func (v flagValue) Set(s string) error {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return fmt.Errorf("it must be true or false")
	}
	*v.to = b
	return nil
}
func (v flagValue) String() string { return strconv.FormatBool(v.to != nil && *v.to) }
func (v flagValue) Type() string   { return "bool" }

type durationValue time.Duration

func (v *durationValue) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return fmt.Errorf("it must be a positive duration such as 30s or 5m")
	}
	*v = durationValue(d)
	return nil
}
func (v *durationValue) String() string { return time.Duration(*v).String() }
func (v *durationValue) Type() string   { return "duration" }

type networkList []netip.Prefix

func (v *networkList) Set(s string) error {
	var list networkList
	for part := range strings.SplitSeq(s, ",") {
		prefix, err := parseNetwork(strings.TrimSpace(part))
		if err != nil {
			return fmt.Errorf("it must be a list of networks such as 10.0.0.0/8,::1/128")
		}
		list = append(list, prefix)
	}
	*v = list
	return nil
}

func (v *networkList) String() string {
	parts := make([]string, len(*v))
	for i, p := range *v {
		parts[i] = p.String()
	}
	return strings.Join(parts, ",")
}
func (v *networkList) Type() string { return "networks" }

// parseNetwork accepts a network, and an address as the network of that address alone.
func parseNetwork(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Prefix(addr.BitLen())
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func text(to func(*options) *string, initial string) func(*options) pflag.Value {
	return func(o *options) pflag.Value { *to(o) = initial; return textValue{to(o)} }
}

func choice(to func(*options) *string, from ...string) func(*options) pflag.Value {
	return func(o *options) pflag.Value { *to(o) = from[0]; return choiceValue{to(o), from} }
}

func onOff(to func(*options) *bool) func(*options) pflag.Value {
	return func(o *options) pflag.Value { return flagValue{to(o)} }
}

func duration(to func(*options) *durationValue, initial string) func(*options) pflag.Value {
	return func(o *options) pflag.Value {
		if err := to(o).Set(initial); err != nil {
			panic("the default " + initial + " is no duration")
		}
		return to(o)
	}
}

func networks(to func(*options) *networkList) func(*options) pflag.Value {
	return func(o *options) pflag.Value { return to(o) }
}
