package clickhouse

import (
	"net/url"
	"strconv"

	"github.com/ClickHouse/ch-go/proto"
)

// DialEngine is how the engine's connections are made.
var DialEngine = dialEngine

// Address returns where the engine listens.
func (e *Engine) Address() string { return "127.0.0.1:" + strconv.Itoa(e.port) }

// Login returns the packet with which a client logs in.
func (e *Engine) Login() []byte {
	var b proto.Buffer
	proto.ClientHello{Name: "test", Major: 1, ProtocolVersion: proto.Version, User: engineUser, Password: e.password}.Encode(&b)
	return b.Buf
}

// DSN returns the address of a database of the engine, with the user and the password.
func (e *Engine) DSN(database string) string {
	u := url.URL{Scheme: "clickhouse", User: url.UserPassword(engineUser, e.password), Host: e.Address(), Path: database}
	return u.String()
}
