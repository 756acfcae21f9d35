//go:build !linux

package store

import "runtime"

// yield lets this process's goroutines run that wait for a processor.
func yield() { runtime.Gosched() }
