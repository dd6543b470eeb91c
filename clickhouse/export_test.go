package clickhouse

import (
	"net/url"
	"strconv"
)

// Address returns where the engine listens.
func (e *Engine) Address() string { return "127.0.0.1:" + strconv.Itoa(e.port) }

// DSN returns the address of a database of the engine, with the user and the password.
func (e *Engine) DSN(database string) string {
	u := url.URL{Scheme: "clickhouse", User: url.UserPassword(engineUser, e.password), Host: e.Address(), Path: database}
	return u.String()
}
