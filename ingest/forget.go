package ingest

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"muster"
	"muster/clickhouse"
)

// Forget erases the rejected messages of a user who is erased, whatever they were rejected for: those that name one of the
// user's identifiers, and those that were cut before they named any user, which could be anybody's.
//
// It waits for a replay under way in this process. What was taken from the list before is in the spool when it returns, and
// not on the list.
func (k *Rejections) Forget(ctx context.Context, project muster.ProjectID, user []muster.Identifier) error {
	k.moving.Lock()
	defer k.moving.Unlock()
	theirs, err := k.of(ctx, project, user)
	if err != nil {
		return err
	}
	for ids := range slices.Chunk(theirs, 1000) {
		err := k.db.Exec(clickhouse.WithParameters(ctx, clickhouse.Parameters{
			"project": strconv.FormatUint(uint64(project), 10), "ids": uuidArray(ids),
		}), `DELETE FROM rejections WHERE project = {project:UInt32} AND rejection IN {ids:Array(UUID)}`)
		if err != nil {
			return fmt.Errorf("erase rejected messages: %w", err)
		}
	}
	return nil
}

// of finds a user's rejected messages. It reads without FINAL: an older version of a row is on the disk all the same.
func (k *Rejections) of(ctx context.Context, project muster.ProjectID, user []muster.Identifier) ([]uuid.UUID, error) {
	// Of all that ClickHouse has, only what may name the user comes here: an id stands in a message as it is, or with escapes.
	rows, err := k.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": strconv.FormatUint(uint64(project), 10), "ids": hexArray(user),
	}), `
		SELECT rejection, message, whole
		FROM rejections
		WHERE project = {project:UInt32}
			AND (NOT whole OR position(message, '\\') > 0 OR arrayExists(id -> position(message, unhex(id)) > 0, {ids:Array(String)}))`)
	if err != nil {
		return nil, fmt.Errorf("look for a user's rejected messages: %w", err)
	}
	defer rows.Close()
	var theirs []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		var message string
		var whole bool
		if err := rows.Scan(&id, &message, &whole); err != nil {
			return nil, fmt.Errorf("look for a user's rejected messages: %w", err)
		}
		named := identifiersIn(message)
		names := func(i muster.Identifier) bool { return slices.Contains(named, i) }
		known := slices.ContainsFunc(named, func(i muster.Identifier) bool { return i.Kind == muster.Identified })
		if slices.ContainsFunc(user, names) || !whole && !known {
			theirs = append(theirs, id)
		}
	}
	return theirs, rows.Err()
}

// identifiersIn lists whom a message that was not accepted names, as far as it can be read: it may name them twice, with a
// number, under a key spelled otherwise, or be cut.
func identifiersIn(message string) []muster.Identifier {
	d := jsontext.NewDecoder(bytes.NewBufferString(message), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if d.PeekKind() != jsontext.KindBeginObject {
		return nil
	}
	_, err := d.ReadToken()
	var named []muster.Identifier
	for err == nil && d.PeekKind() != jsontext.KindEndObject {
		var key jsontext.Token
		if key, err = d.ReadToken(); err != nil {
			break
		}
		name := strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(key.String()))
		if kind := d.PeekKind(); kind != jsontext.KindString && kind != jsontext.KindNumber {
			err = d.SkipValue() // nothing else is an id
			continue
		}
		var value jsontext.Token
		if value, err = d.ReadToken(); err != nil {
			break
		}
		switch id := value.String(); name {
		case "userid":
			named = append(named, muster.Identifier{Kind: muster.Identified, ID: id})
		case "anonymousid":
			named = append(named, muster.Identifier{Kind: muster.Anonymous, ID: id})
		case "previousid": // of either kind
			named = append(named, muster.Identifier{Kind: muster.Identified, ID: id}, muster.Identifier{Kind: muster.Anonymous, ID: id})
		}
	}
	return named
}

// hexArray prints ids as a query parameter of type Array(String), in hexadecimal: an id may be any bytes.
func hexArray(all []muster.Identifier) string {
	printed := make([]string, len(all))
	for i, u := range all {
		printed[i] = "'" + hex.EncodeToString([]byte(u.ID)) + "'"
	}
	return "[" + strings.Join(printed, ",") + "]"
}
