//go:build !linux

package clickhouse

// dieWithParent does nothing: other systems have no parent-death signal, and the pipe has to do.
func dieWithParent() {}
