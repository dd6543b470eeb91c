package segments

import (
	"context"
	"fmt"
	"slices"
	"time"

	"muster"
	"muster/clickhouse"
)

// AttributeName is an attribute in use.
type AttributeName struct {
	Attribute string
	Source    string
	Kinds     []string // of the values it ever had
	FirstSeen time.Time
	LastSeen  time.Time
	Values    map[string]uint64 // users by the kind of their current value; more than one kind is a conflict
	Top       []TopValue        // the most frequent current values, the most frequent first
}

// Attributes lists the attributes that any user of a project ever had, and what they are now. A user of whom two
// identifiers say different things may count for both. What a removal unset, which is a snapshot without a name, is no value.
func (e *Evaluator) Attributes(ctx context.Context, project muster.ProjectID) ([]AttributeName, error) {
	return catalog(ctx, e, project, "attributes", e.countAttributes)
}

func (e *Evaluator) countAttributes(ctx context.Context, project muster.ProjectID) ([]AttributeName, error) {
	all, err := e.attributeNames(ctx, project)
	if err != nil {
		return nil, err
	}
	index := map[[2]string]*AttributeName{}
	for i := range all {
		index[[2]string{all[i].Attribute, all[i].Source}] = &all[i]
	}
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": number(project)}), fmt.Sprintf(`
		WITH approx_top_countArray(%d)(said) AS tops
		SELECT attribute, toString(source), toString(kind), toUInt64(groupBitmapIf(uid, uid != 0)) AS users,
			arrayMap(t -> t.1, tops), arrayMap(t -> t.2, tops)
		FROM (
			SELECT attribute, source, kind, dictGet('actor_uids', 'uid', actor) AS uid, (time, received) AS at,
				multiIf(kind = 'list', list, kind = 'number', [toString(assumeNotNull(number))], [text]) AS said
			FROM latest_attributes FINAL
			WHERE project = {project:UInt32} AND kind != 'null'
		) AS last
		LEFT JOIN (
			SELECT dictGet('actor_uids', 'uid', actor) AS uid, max((time, received)) AS removed
			FROM latest_attributes
			WHERE project = {project:UInt32} AND attribute = ''
			GROUP BY uid
		) AS removals USING uid
		WHERE NOT (source = 'custom' AND NOT startsWith(attribute, 'group.') AND at < removed)
		GROUP BY attribute, source, kind
		ORDER BY attribute, source, users DESC, kind`, topValues))
	if err != nil {
		return nil, failed(ctx, "count attributes", err)
	}
	defer rows.Close()
	for rows.Next() {
		var attribute, source, kind string
		var users uint64
		var values []string
		var counts []uint64
		if err := rows.Scan(&attribute, &source, &kind, &users, &values, &counts); err != nil {
			return nil, failed(ctx, "count attributes", err)
		}
		if a := index[[2]string{attribute, source}]; a != nil {
			a.Values[kind] += users
			a.Top = append(a.Top, top(kind, values, counts)...)
		}
	}
	for i := range all {
		slices.SortStableFunc(all[i].Top, func(a, b TopValue) int { return int(b.Count) - int(a.Count) })
		all[i].Top = all[i].Top[:min(len(all[i].Top), topValues)]
	}
	return all, rows.Err()
}

// attributeNames lists the names alone.
func (e *Evaluator) attributeNames(ctx context.Context, project muster.ProjectID) ([]AttributeName, error) {
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": number(project)}), `
		SELECT attribute, toString(source), arraySort(groupUniqArrayIf(toString(kind), kind != 'null')), min(first_seen) AS first, max(last_seen) AS last
		FROM attribute_names
		WHERE project = {project:UInt32}
		GROUP BY attribute, source
		ORDER BY attribute, source`)
	if err != nil {
		return nil, failed(ctx, "list attributes", err)
	}
	defer rows.Close()
	all := []AttributeName{}
	for rows.Next() {
		a := AttributeName{Values: map[string]uint64{}, Top: []TopValue{}}
		if err := rows.Scan(&a.Attribute, &a.Source, &a.Kinds, &a.FirstSeen, &a.LastSeen); err != nil {
			return nil, failed(ctx, "list attributes", err)
		}
		all = append(all, a)
	}
	return all, rows.Err()
}
