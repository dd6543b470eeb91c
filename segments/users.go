package segments

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"muster/clickhouse"
	"muster/projects"
	"muster/queries"
)

// Users lists the users a definition holds for, in a stable order. All pages of a list are as of the same time, and a page
// goes on exactly after the one before.
func (e *Evaluator) Users(ctx context.Context, project projects.Project, d queries.Definition, at At, request PageRequest) (Page, error) {
	var from cursor
	list := listName(d, request.Sort)
	if request.Cursor != "" {
		var err error
		if from, err = parseCursor(request.Cursor); err != nil {
			return Page{}, err
		}
		if from.List != list {
			return Page{}, otherList()
		}
		at = from.at()
	}
	plan, scope, err := e.compile(ctx, project, d, at)
	if err != nil {
		return Page{}, err
	}
	limit := request.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	// One more than is shown tells whether there is a next page.
	total, found, err := e.page(ctx, plan, request.Sort, from, limit+1)
	if err != nil {
		return Page{}, err
	}
	page := Page{AsOf: scope.Now, Total: total}
	if len(found) > limit {
		found = found[:limit]
		last := found[limit-1]
		last.AsOf, last.List = scope.Now.UnixMilli(), list
		if at.KnownAt != nil {
			last.KnownAt = scope.KnownAt.UnixMicro()
		}
		next := last.String()
		page.Next = &next
	}
	uids := make([]uint32, len(found))
	for i, c := range found {
		uids[i] = c.After
	}
	page.Users, err = e.people(ctx, scope, uids, request.Columns, true)
	return page, err
}

// at returns for when the list is.
func (c cursor) at() At {
	asOf := time.UnixMilli(c.AsOf)
	at := At{AsOf: &asOf}
	if c.KnownAt != 0 {
		known := time.UnixMicro(c.KnownAt)
		at.KnownAt = &known
	}
	return at
}

// listName is short, and equal for equal lists.
func listName(d queries.Definition, sort *queries.Sort) string {
	order := ""
	if sort != nil {
		order = fmt.Sprintf("%t %s", sort.Descending, sort.Attribute)
	}
	sum := sha256.Sum256(append(queries.Print(d), order...))
	return hex.EncodeToString(sum[:8])
}

// page reads where up to limit users stand who come after a place in a list.
func (e *Evaluator) page(ctx context.Context, plan *queries.Plan, sort *queries.Sort, from cursor, limit int) (uint64, []cursor, error) {
	var total uint64
	var uids []uint32
	if sort == nil {
		statement := plan.Page(from.After, limit)
		if err := e.db.QueryRow(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL).Scan(&total, &uids); err != nil {
			return 0, nil, failed(ctx, "list users", err)
		}
		found := make([]cursor, len(uids))
		for i, uid := range uids {
			found[i] = cursor{After: uid}
		}
		return total, found, nil
	}
	var missing []bool
	var kinds []uint8
	var numbers []float64
	var texts []string
	statement := plan.Sorted(*sort, from.before(), limit)
	row := e.db.QueryRow(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err := row.Scan(&total, &uids, &missing, &kinds, &numbers, &texts); err != nil {
		return 0, nil, failed(ctx, "list users in an order", err)
	}
	found := make([]cursor, len(uids))
	for i, uid := range uids {
		found[i] = cursor{After: uid, At: &position{missing[i], kinds[i], numbers[i], []byte(texts[i])}}
	}
	return total, found, nil
}
