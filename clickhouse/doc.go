// Package clickhouse connects to ClickHouse: to the embedded engine, which it starts and watches as a child process, or to
// any server by its address. It is the only package that knows how the server is started.
package clickhouse
