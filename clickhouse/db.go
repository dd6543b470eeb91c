package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// DefaultDatabase is where everything is kept unless a DSN names another database.
const DefaultDatabase = "muster"

// oldest is the oldest server that has what the schema and the queries need.
var oldest = [2]uint64{26, 3}

// connections bounds the pool. Two cores are busy with two; the others wait on the network.
const connections = 12

// DB is a pool of connections to one database over the native protocol.
type DB struct {
	driver.Conn
	name           string
	user, password string
	options        *driver.Options
}

// Parameters are the values of a statement's {name:Type} places, in ClickHouse's text format. The server puts them in;
// they are never part of the statement's text.
type Parameters = driver.Parameters

// WithParameters returns a context whose queries have these parameters.
func WithParameters(ctx context.Context, parameters Parameters) context.Context {
	return driver.Context(ctx, driver.WithParameters(parameters))
}

// WithInsertToken returns a context in which an insert is dropped when one with the same token was taken before.
func WithInsertToken(ctx context.Context, token string) context.Context {
	return driver.Context(ctx, driver.WithSettings(driver.Settings{"insert_deduplicate": 1, "insert_deduplication_token": token}))
}

// Statistics count what a query read.
type Statistics struct {
	Rows, Bytes uint64
}

// WithStatistics returns a context whose queries, also several at once, add what they read to s. It must not be used after
// [WithParameters].
func WithStatistics(ctx context.Context, parameters Parameters, s *Statistics) context.Context {
	return driver.Context(ctx, driver.WithParameters(parameters), driver.WithProgress(func(p *driver.Progress) {
		atomic.AddUint64(&s.Rows, p.Rows)
		atomic.AddUint64(&s.Bytes, p.Bytes)
	}))
}

// OpenDSN connects to a server by an address such as clickhouse://user:password@host:9000/database, and makes the
// database when it is missing.
func OpenDSN(ctx context.Context, dsn string) (*DB, error) {
	options, err := driver.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("the ClickHouse address is not one: %w; it looks like clickhouse://user:password@host:9000/muster", err)
	}
	if options.Compression == nil {
		options.Compression = &driver.Compression{Method: driver.CompressionLZ4}
	}
	return open(ctx, options)
}

// sendBuffer is how much of an insert is gathered before it goes out, in bytes, beside the largest column. A connection does
// not keep it when it is given back: after a large insert each would for ever.
const sendBuffer = 1 << 20

// open connects, checks the server and makes the database.
func open(ctx context.Context, options *driver.Options) (*DB, error) {
	if options.Auth.Database == "" || options.Auth.Database == "default" {
		options.Auth.Database = DefaultDatabase
	}
	options.MaxOpenConns, options.MaxIdleConns = connections, connections
	options.DialTimeout = 5 * time.Second
	options.MaxCompressionBuffer, options.FreeBufOnConnRelease = sendBuffer, true
	options.ReadTimeout = 10 * time.Minute
	settings := connectionSettings()
	maps.Copy(settings, options.Settings)
	options.Settings = settings
	if err := prepareServer(ctx, *options); err != nil {
		return nil, err
	}
	conn, err := driver.Open(options)
	if err != nil {
		return nil, fmt.Errorf("connect to ClickHouse: %w", err)
	}
	return &DB{
		Conn: conn, name: options.Auth.Database, user: options.Auth.Username, password: options.Auth.Password, options: options,
	}, nil
}

// prepareServer checks the server's version and makes the database, over a connection that needs no database.
func prepareServer(ctx context.Context, options driver.Options) error {
	database := options.Auth.Database
	options.Auth.Database = ""
	conn, err := driver.Open(&options)
	if err != nil {
		return fmt.Errorf("connect to ClickHouse: %w", err)
	}
	defer conn.Close()
	version, err := conn.ServerVersion()
	if err != nil {
		return fmt.Errorf("connect to ClickHouse at %s: %w", strings.Join(options.Addr, ", "), err)
	}
	v := version.Version
	if v.Major < oldest[0] || v.Major == oldest[0] && v.Minor < oldest[1] {
		return fmt.Errorf("ClickHouse at %s is version %d.%d; %d.%d or newer is needed", strings.Join(options.Addr, ", "),
			v.Major, v.Minor, oldest[0], oldest[1])
	}
	if err := conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+quoteName(database)+" ENGINE = Atomic"); err != nil {
		return fmt.Errorf("make the database %q: %w", database, err)
	}
	return nil
}

// Name returns the database's name, quoted for use in a statement.
func (db *DB) Name() string { return quoteName(db.name) }

// DictionarySource prints the SOURCE of a dictionary over a query of this database. A dictionary reads as default, who
// may see nothing, unless its source names a user.
func (db *DB) DictionarySource(query string) string {
	return "SOURCE(CLICKHOUSE(USER " + quoteText(db.user) + " PASSWORD " + quoteText(db.password) + " DB " + quoteText(db.name) +
		" QUERY " + quoteText(query) + "))"
}

// IsUnavailable tells whether an error means that ClickHouse could not be reached or could not take it now, so that the
// same call may succeed later. Everything the server itself refused is not.
func IsUnavailable(err error) bool {
	var refused *driver.Exception
	if !errors.As(err, &refused) {
		return err != nil
	}
	switch refused.Code {
	case 159, // TIMEOUT_EXCEEDED
		202, // TOO_MANY_SIMULTANEOUS_QUERIES
		209, // SOCKET_TIMEOUT
		210, // NETWORK_ERROR
		236, // ABORTED
		241, // MEMORY_LIMIT_EXCEEDED
		242, // TABLE_IS_READ_ONLY
		243, // NOT_ENOUGH_SPACE
		252, // TOO_MANY_PARTS
		319, // UNKNOWN_STATUS_OF_INSERT
		394, // QUERY_WAS_CANCELLED
		516, // AUTHENTICATION_FAILED: an engine that is restarting
		999: // KEEPER_EXCEPTION
		return true
	}
	return false
}

// quoteName prints an identifier of ours or of the operator's.
func quoteName(name string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(name) + "`"
}

// quoteText prints a text literal of ours or of the operator's; values from outside are parameters.
func quoteText(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}
