//go:build linux && !race

package verify

import "syscall"

// hugePages is MADV_HUGEPAGE: entries are read at random, and with small pages most reads
// would also miss the page table's cache.
const hugePages = 14

// outsideHeap returns n zeroed bytes that the collector neither scans nor counts, or, if
// the system refuses, bytes of the heap.
func outsideHeap(n int, huge bool) []byte {
	mem, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return make([]byte, n)
	}
	if huge {
		_ = syscall.Madvise(mem, hugePages) // only advice
	}
	return mem
}

// backToSystem returns what outsideHeap gave. Bytes of the heap are left to the collector.
func backToSystem(mem []byte) { _ = syscall.Munmap(mem) }
