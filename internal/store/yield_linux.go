package store

import "syscall"

// yield lets threads run that wait for this processor, also other processes'. It never fails,
// and costs less than a microsecond where nobody waits.
func yield() { _, _, _ = syscall.Syscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
