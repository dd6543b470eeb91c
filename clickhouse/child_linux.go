package clickhouse

import "golang.org/x/sys/unix"

// dieWithParent asks the kernel to end this process when the thread that started it does. It backs up the pipe, which
// cannot be watched while the library holds up this process's own scheduler.
func dieWithParent() {
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
}
