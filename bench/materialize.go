package bench

import (
	"context"
	"fmt"

	"muster/clickhouse"
	"muster/queries"
	"muster/segments"
)

// eventLeaves are conditions on events, ever and lately.
func eventLeaves() []string {
	var all []string
	for i := range 20 {
		all = append(all, fmt.Sprintf(`{"event":"event_%02d"}`, i), fmt.Sprintf(`{"event":"event_%02d","within":"30d"}`, i))
	}
	return all
}

// attributeLeaves are conditions on attributes.
func attributeLeaves() []string {
	return []string{
		`{"attribute":"plan","op":"equals","value":"pro"}`, `{"attribute":"plan","op":"equals","value":"trial"}`,
		`{"attribute":"role","op":"equals","value":"admin"}`, `{"attribute":"country","op":"in","value":["DE","FR"]}`,
		`{"attribute":"seats","op":"gt","value":50}`, `{"attribute":"score","op":"lt","value":20}`,
		`{"attribute":"onboarded","op":"equals","value":true}`, `{"attribute":"language","op":"equals","value":"en"}`,
		`{"attribute":"created_at","op":"within_last","value":"30d"}`, `{"tag":"vip"}`, `{"tag":"beta"}`,
		`{"attribute":"industry","op":"equals","value":"media"}`, `{"attribute":"employees","op":"gte","value":1000}`,
		`{"attribute":"revenue","op":"gt","value":50000}`, `{"attribute":"trial","op":"equals","value":true}`,
		`{"attribute":"theme","op":"equals","value":"dark"}`, `{"attribute":"browser","op":"in","value":["chrome","edge"]}`,
		`{"attribute":"utm_source","op":"equals","value":"ads"}`, `{"attribute":"invites","op":"gt","value":10}`,
		`{"attribute":"interests","op":"has_any","value":["api"]}`,
	}
}

// combined makes definitions of leaves: each with others, in all three ways.
func combined(all []string, n int) []string {
	var made []string
	for i := range n {
		a, b, c := all[i%len(all)], all[(i*7+3)%len(all)], all[(i*13+5)%len(all)]
		made = append(made, fmt.Sprintf(`{"all":[{"any":[%s,%s]},{"not":%s}]}`, a, b, c))
	}
	return made
}

// Materializations measures materializing many segments together against one scan of the events that makes a bitmap per
// event name.
func Materializations(ctx context.Context, db *clickhouse.DB) ([]Figure, error) {
	var figures []Figure
	for _, set := range []struct {
		name     string
		leaves   []string
		segments int
		bar      float64
	}{
		{"small", append(eventLeaves(), attributeLeaves()[:8]...), 200, 6},
		{"large", append(eventLeaves(), attributeLeaves()...), 500, 5},
	} {
		ids, err := saved(ctx, db, set.name, combined(set.leaves, set.segments))
		if err != nil {
			return nil, err
		}
		evaluator := segments.NewEvaluator(db, segments.NewStore(db))
		name := fmt.Sprintf("materialize: %d segments over %d leaves, against one scan", set.segments, len(set.leaves))
		f, err := compare(name, set.bar, func() error {
			_, err := evaluator.Materialize(ctx, project(), ids)
			return err
		}, func() error {
			rows, err := db.Query(ctx, `SELECT event, bitmapCardinality(groupBitmapState(`+uid+`)) FROM events WHERE project = 1 GROUP BY event`)
			if err != nil {
				return err
			}
			for rows.Next() {
				continue
			}
			return rows.Close()
		})
		if err != nil {
			return nil, err
		}
		figures = append(figures, f)
	}
	return figures, nil
}

// saved returns the ids of the segments of a set, which are made the first time.
func saved(ctx context.Context, db *clickhouse.DB, set string, definitions []string) ([]string, error) {
	store := segments.NewStore(db)
	list, err := store.List(ctx, project().ID)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, seg := range list {
		if seg.Description == set {
			ids = append(ids, seg.ID)
		}
	}
	if len(ids) == len(definitions) {
		return ids, nil
	}
	ids = nil
	for i, text := range definitions {
		definition, err := queries.Decode([]byte(text))
		if err != nil {
			return nil, err
		}
		seg, err := store.Create(ctx, project().ID, segments.Draft{Name: fmt.Sprintf("Segment %d", i), Description: set, Definition: definition}, "bench")
		if err != nil {
			return nil, err
		}
		ids = append(ids, seg.ID)
	}
	return ids, nil
}
