//go:build !linux

package spool

import "os"

// syncData makes what was written to a file last.
func syncData(f *os.File) error { return f.Sync() }
