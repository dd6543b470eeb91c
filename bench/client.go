package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// client sends one request after another on a connection of its own. The load is made on the machine that is measured, where a
// client's own work takes from the door's share, so it does as little as HTTP allows: one goroutine, one write a request.
type client struct {
	conn    net.Conn
	header  string // of every request, from its first line's end to its length
	request []byte
	answers *bufio.Reader
	answer  bytes.Buffer
	hangUp  func() bool
}

// dial connects to the service, to use a key of it. The connection breaks when ctx ends, and must be closed.
func dial(ctx context.Context, url, key string) (*client, error) {
	host := strings.TrimPrefix(url, "http://")
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	return &client{
		conn: conn, answers: bufio.NewReader(conn), hangUp: context.AfterFunc(ctx, func() { _ = conn.Close() }),
		header: " HTTP/1.1\r\nHost: " + host +
			"\r\nAuthorization: Basic " + base64.StdEncoding.EncodeToString([]byte(key+":")) +
			"\r\nContent-Type: application/json\r\nContent-Length: ",
	}, nil
}

func (c *client) close() {
	c.hangUp()
	_ = c.conn.Close()
}

// post sends a body and returns when all its messages were accepted.
func (c *client) post(path string, body []byte) error {
	c.request = fmt.Appendf(c.request[:0], "POST %s%s%d\r\n\r\n%s", path, c.header, len(body), body)
	status, err := c.roundTrip()
	if err == nil && (status != http.StatusOK || !bytes.Contains(c.answer.Bytes(), []byte(`"rejected":[]`))) {
		err = fmt.Errorf("the door answers %d: %s", status, c.answer.Bytes())
	}
	return err
}

// get asks for a path and returns when all of a good answer has come.
func (c *client) get(path string) error {
	c.request = fmt.Appendf(c.request[:0], "GET %s%s0\r\n\r\n", path, c.header)
	status, err := c.roundTrip()
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s answers %d: %s", path, status, c.answer.Bytes())
	}
	return err
}

// roundTrip sends the request and reads its answer.
func (c *client) roundTrip() (status int, err error) {
	if _, err := c.conn.Write(c.request); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	c.answer.Reset()
	_, err = io.Copy(&c.answer, response.Body)
	return response.StatusCode, err
}
