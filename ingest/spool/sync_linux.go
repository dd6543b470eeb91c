package spool

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData makes what was written to a file last, and the length it has. It leaves out the time of the change, which would
// make every append an entry in the file system's journal too.
func syncData(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR { //nolint:errorlint // It is one.
			return err
		}
	}
}
