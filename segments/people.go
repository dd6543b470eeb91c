package segments

import (
	"context"
	"slices"
	"time"

	"muster"
	"muster/clickhouse"
	"muster/queries"
)

// User is one person, as lists show them.
type User struct {
	UID         uint32
	Actor       muster.Actor // the one the user is known by; the user's address
	UserID      *string
	AnonymousID *string
	Attributes  map[string]any // text, float64, bool or []string; times of native attributes as RFC 3339 text
}

// PageRequest asks for a part of a list.
type PageRequest struct {
	Cursor  string
	Limit   int           // 0 for the usual 50
	Columns []string      // the attributes to answer; nil for all
	Sort    *queries.Sort // nil for the order in which the users came
}

// Page is a part of a list of users.
type Page struct {
	Users []User
	Total uint64
	Next  *string // the cursor of the next part, nil at the end
	AsOf  time.Time
}

// people reads what lists show of users, in the order given, with the named attributes or all. Sessions are counted from
// the events, which takes longer than all the rest; a sample goes without.
func (e *Evaluator) people(ctx context.Context, scope queries.Scope, uids []uint32, columns []string, sessions bool) ([]User, error) {
	if len(uids) == 0 {
		return nil, nil
	}
	users, actors, err := e.identities(ctx, scope, uids)
	if err != nil {
		return nil, err
	}
	order := make(map[uint32]int, len(uids))
	for i, uid := range uids {
		order[uid] = i
	}
	slices.SortFunc(users, func(a, b User) int { return order[a.UID] - order[b.UID] })
	index := make(map[uint32]int, len(users))
	for i := range users {
		index[users[i].UID] = i
	}
	if err := e.facts(ctx, queries.Facts(scope, actors, columns), users, index); err != nil {
		return nil, err
	}
	if err := e.sightings(ctx, queries.Sightings(scope, actors), users, index); err != nil {
		return nil, err
	}
	if sessions && (columns == nil || slices.Contains(columns, "sessions")) {
		if err := e.sessions(ctx, queries.Sessions(scope, actors), users, index); err != nil {
			return nil, err
		}
	}
	if columns != nil {
		for i := range users {
			for name := range users[i].Attributes {
				if !slices.Contains(columns, name) {
					delete(users[i].Attributes, name)
				}
			}
		}
	}
	return users, nil
}

func (e *Evaluator) identities(ctx context.Context, scope queries.Scope, uids []uint32) (users []User, actors []uint64, err error) {
	statement := queries.People(scope, uids)
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return nil, nil, failed(ctx, "read users", err)
	}
	defer rows.Close()
	for rows.Next() {
		u := User{Attributes: map[string]any{}}
		var knownBy uint64
		var own []uint64
		var userID, anonymousID string
		var identified, hasAnonymous bool
		if err := rows.Scan(&u.UID, &knownBy, &own, &userID, &identified, &anonymousID, &hasAnonymous); err != nil {
			return nil, nil, failed(ctx, "read users", err)
		}
		u.Actor = muster.Actor(knownBy)
		if identified {
			u.UserID = &userID
		}
		if hasAnonymous {
			u.AnonymousID = &anonymousID
		}
		users, actors = append(users, u), append(actors, own...)
	}
	return users, actors, rows.Err()
}

func (e *Evaluator) facts(ctx context.Context, statement queries.Statement, users []User, index map[uint32]int) error {
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return failed(ctx, "read attributes", err)
	}
	defer rows.Close()
	for rows.Next() {
		var uid uint32
		var name, kind, text, source string
		var number *float64
		var list []string
		var at time.Time
		if err := rows.Scan(&uid, &name, &kind, &text, &number, &list, &source, &at); err != nil {
			return failed(ctx, "read attributes", err)
		}
		i, ok := index[uid]
		if !ok {
			continue
		}
		attributes := users[i].Attributes
		switch {
		case kind == "number" && number != nil:
			attributes[name] = *number
		case kind == "boolean":
			attributes[name] = text == "true"
		case kind == "list":
			attributes[name] = list
		default:
			attributes[name] = text
		}
	}
	return rows.Err()
}

func (e *Evaluator) sightings(ctx context.Context, statement queries.Statement, users []User, index map[uint32]int) error {
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return failed(ctx, "read activity", err)
	}
	defer rows.Close()
	for rows.Next() {
		var uid uint32
		var first, last time.Time
		if err := rows.Scan(&uid, &first, &last); err != nil {
			return failed(ctx, "read activity", err)
		}
		if i, ok := index[uid]; ok {
			users[i].Attributes["first_seen"] = first.UTC().Format(time.RFC3339Nano)
			users[i].Attributes["last_seen"] = last.UTC().Format(time.RFC3339Nano)
		}
	}
	return rows.Err()
}

func (e *Evaluator) sessions(ctx context.Context, statement queries.Statement, users []User, index map[uint32]int) error {
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return failed(ctx, "count sessions", err)
	}
	defer rows.Close()
	for rows.Next() {
		var uid uint32
		var sessions uint64
		if err := rows.Scan(&uid, &sessions); err != nil {
			return failed(ctx, "count sessions", err)
		}
		if i, ok := index[uid]; ok {
			users[i].Attributes["sessions"] = sessions
		}
	}
	return rows.Err()
}
