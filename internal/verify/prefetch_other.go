//go:build !amd64 && !arm64

package verify

func prefetch(uintptr) {}
