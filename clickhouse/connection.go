package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// farewell is how long a connection that was closed is read on, until the server closes its end too.
const farewell = 30 * time.Second

// connection is one to the engine that is never reset. The kernel resets a connection that is closed while there is
// something unread, which is what a cancelled query or login leaves behind; an exception that leaves the library's
// connection handler ends its whole process, and "connection reset by peer" is one. (It sets ClickHouse's
// KillingErrorHandler, as everything does that is not a daemon; seen with 26.7.3.) So Close says that nothing more will
// be sent, and what still comes is read and thrown away before the socket is closed.
type connection struct {
	*net.TCPConn
	reading sync.Mutex // held by whoever reads

	mu     sync.Mutex
	closed bool
}

// dialEngine connects to the engine.
func dialEngine(ctx context.Context, address string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("connect to the engine: %s is no TCP address", address), conn.Close())
	}
	return &connection{TCPConn: tcp}, nil
}

// Read reads until the connection is closed.
func (c *connection) Read(b []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.isClosed() {
		return 0, net.ErrClosed
	}
	n, err := c.TCPConn.Read(b)
	if c.isClosed() {
		return 0, net.ErrClosed
	}
	return n, err
}

// Write writes until the connection is closed.
func (c *connection) Write(b []byte) (int, error) {
	if c.isClosed() {
		return 0, net.ErrClosed
	}
	return c.TCPConn.Write(b)
}

// SetDeadline sets both deadlines, as long as the connection is open.
func (c *connection) SetDeadline(t time.Time) error {
	return c.whileOpen(func() error { return c.TCPConn.SetDeadline(t) })
}

// SetReadDeadline sets the deadline of reading, as long as the connection is open.
func (c *connection) SetReadDeadline(t time.Time) error {
	return c.whileOpen(func() error { return c.TCPConn.SetReadDeadline(t) })
}

// Close ends the connection for its user at once, and for the server in the background.
func (c *connection) Close() error {
	err := c.whileOpen(func() error {
		c.closed = true
		return errors.Join(c.CloseWrite(), c.TCPConn.SetReadDeadline(time.Unix(1, 0))) // a Read that waits returns
	})
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	if err != nil { // the server has gone
		return c.TCPConn.Close()
	}
	go func() {
		c.reading.Lock() // whoever reads gives up first, and nobody begins again
		err := c.TCPConn.SetReadDeadline(time.Now().Add(farewell))
		c.reading.Unlock()
		if err == nil {
			_, _ = io.Copy(io.Discard, c.TCPConn) // any end of it is the end
		}
		_ = c.TCPConn.Close() // there is nobody to tell
	}()
	return nil
}

func (c *connection) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

func (c *connection) whileOpen(do func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	return do()
}
