package bench

import (
	"context"
	"fmt"

	"muster/clickhouse"
	"muster/queries"
	"muster/segments"
)

// segmentCount is how many segments are materialized together.
const segmentCount = 200

// leaves are the distinct conditions of the segments: every event ever and lately, and values of every attribute.
func leaves() []string {
	var all []string
	for i := range 20 {
		all = append(all, fmt.Sprintf(`{"event":"event_%02d"}`, i), fmt.Sprintf(`{"event":"event_%02d","within":"30d"}`, i))
	}
	return append(all,
		`{"attribute":"plan","op":"equals","value":"pro"}`, `{"attribute":"plan","op":"equals","value":"trial"}`,
		`{"attribute":"role","op":"equals","value":"admin"}`, `{"attribute":"country","op":"in","value":["DE","FR"]}`,
		`{"attribute":"seats","op":"gt","value":50}`, `{"attribute":"score","op":"lt","value":20}`,
		`{"attribute":"onboarded","op":"equals","value":true}`, `{"attribute":"language","op":"equals","value":"en"}`,
	)
}

// definitions combine the leaves: each with others, in all three ways.
func definitions() []string {
	all := leaves()
	var made []string
	for i := range segmentCount {
		a, b, c := all[i%len(all)], all[(i*7+3)%len(all)], all[(i*13+5)%len(all)]
		made = append(made, fmt.Sprintf(`{"all":[{"any":[%s,%s]},{"not":%s}]}`, a, b, c))
	}
	return made
}

// Materialize measures materializing many segments together against one scan of the events that makes a bitmap per event name.
func Materialize(ctx context.Context, db *clickhouse.DB) (Figure, error) {
	store := segments.NewStore(db)
	evaluator := segments.NewEvaluator(db, store)
	list, err := store.List(ctx, project().ID)
	if err != nil {
		return Figure{}, err
	}
	if len(list) == 0 {
		for i, text := range definitions() {
			definition, err := queries.Decode([]byte(text))
			if err != nil {
				return Figure{}, err
			}
			seg, err := store.Create(ctx, project().ID, segments.Draft{Name: fmt.Sprintf("Segment %d", i), Definition: definition}, "bench")
			if err != nil {
				return Figure{}, err
			}
			list = append(list, seg)
		}
	}
	var ids []string
	for _, seg := range list {
		ids = append(ids, seg.ID)
	}
	name := fmt.Sprintf("materialize %d segments over %d leaves, against one scan", len(ids), len(leaves()))
	return compare(name, 6, func() error {
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
}
