package segments

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"muster"
	"muster/clickhouse"
	"muster/projects"
	"muster/queries"
)

// Profile is what is known of a user.
type Profile struct {
	User       User // without attributes
	Attributes map[string]Fact
	Actors     []Identifier // by rank
	Events     uint64
	Sessions   uint64
	FirstSeen  *time.Time // nil for a user who was not seen by the time
	LastSeen   *time.Time
	AsOf       time.Time
}

// Profile returns what is known of a user as of a time.
func (e *Evaluator) Profile(ctx context.Context, project projects.Project, user muster.Actor, at At) (Profile, error) {
	scope, who, err := e.profileScope(ctx, project, user, at)
	if err != nil {
		return Profile{}, err
	}
	p := Profile{
		User:   User{UID: who.uid, Actor: who.knownBy().Actor, UserID: who.id("user"), AnonymousID: who.id("anonymous")},
		Actors: who.actors, Attributes: map[string]Fact{}, AsOf: scope.Now,
	}
	err = e.each(ctx, "read attributes", queries.Attributes(scope), func(rows driver.Rows) error {
		var name, source string
		var s stored
		var said time.Time
		if err := rows.Scan(&name, &s.kind, &s.text, &s.number, &s.list, &source, &said); err != nil {
			return err
		}
		p.Attributes[name] = Fact{s.value(), s.kind, source, &said}
		return nil
	})
	if err != nil {
		return Profile{}, err
	}
	err = e.each(ctx, "read activity", queries.Activity(scope), func(rows driver.Rows) error {
		var first, last int64
		if err := rows.Scan(&p.Events, &p.Sessions, &first, &last); err != nil {
			return err
		}
		from, to := instant(first), instant(last)
		p.FirstSeen, p.LastSeen = &from, &to
		return nil
	})
	return p, err
}

// profileScope pins now and finds the user; the scope is of nobody else.
func (e *Evaluator) profileScope(ctx context.Context, project projects.Project, user muster.Actor, at At) (queries.Scope, identity, error) {
	scope, err := pin(project, at)
	if err != nil {
		return scope, identity{}, err
	}
	who, err := e.identityOf(ctx, scope, user, &clickhouse.Statistics{})
	return who.among(scope), who, err
}

// each runs a statement and calls a function for every row.
func (e *Evaluator) each(ctx context.Context, what string, statement queries.Statement, row func(driver.Rows) error) error {
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return failed(ctx, what, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return failed(ctx, what, err)
		}
	}
	if err := rows.Err(); err != nil {
		return failed(ctx, what, err)
	}
	return nil
}

// printCursor returns an opaque text for the place a list goes on after.
func printCursor(place any) *string {
	text, err := json.Marshal(place)
	if err != nil {
		panic(fmt.Sprintf("print a cursor: %v", err)) // plain fields
	}
	cursor := base64.RawURLEncoding.EncodeToString(text)
	return &cursor
}

// readCursor reads what [printCursor] printed; nothing is no place.
func readCursor[Place any](text string) (*Place, error) {
	if text == "" {
		return nil, nil
	}
	var place Place
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &place)
	}
	if err != nil {
		return nil, &muster.Error{
			Code: muster.InvalidArgument, Detail: "the cursor is not one of ours", Hint: "send the \"next\" of the page before, unchanged", Err: err,
		}
	}
	return &place, nil
}
