//go:build linux || darwin

package e2e

import (
	"os"
	"runtime"
	"syscall"
)

// peak returns the most memory that a process had that has ended, in bytes. It
// includes what the process that started it had, so that one has to stay small.
func peak(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10
}

// flush writes out what one contender left to be written, which the next would
// have to wait for.
func flush() { syscall.Sync() }
