//go:build amd64 || arm64

package verify

// prefetch asks the processor to fetch a cache line while it does something else. It is a
// hint: any address will do, also one that isn't there any more.
func prefetch(addr uintptr)
