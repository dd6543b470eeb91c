// Package ingest takes traffic in. The [Door] answers the tracking API: it authenticates, validates and stamps messages
// and answers 200 only once they are fsynced in the spool. The [Drain] carries them from the spool into ClickHouse,
// each exactly once.
package ingest
