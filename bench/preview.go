package bench

import (
	"context"

	"muster/clickhouse"
	"muster/queries"
	"muster/segments"
)

// reference is a definition and the best SQL a person would write for its count. The SQL is exact too: it resolves
// identity and lets a repeated message count once.
type reference struct{ name, definition, sql string }

const uid = "dictGet('actor_uids', 'uid', actor)"

var references = []reference{
	{
		"preview: attribute is a text", `{"attribute":"plan","op":"equals","value":"pro"}`,
		`SELECT toUInt64(groupBitmap(` + uid + `)) FROM latest_attributes FINAL
		WHERE project = 1 AND attribute = 'plan' AND kind = 'text' AND text = 'pro'`,
	},
	{
		"preview: event in a window", `{"event":"event_03","within":"30d"}`,
		`SELECT toUInt64(groupBitmap(` + uid + `)) FROM events FINAL
		WHERE project = 1 AND event = 'event_03' AND time > {now:DateTime64(3, 'UTC')} - INTERVAL 30 DAY AND time <= {now:DateTime64(3, 'UTC')}`,
	},
	{
		"preview: event counted, with a condition",
		`{"event":"event_00","where":{"property":"amount","op":"gt","value":500},"count":{"op":"gte","value":3}}`,
		`SELECT count() FROM (SELECT ` + uid + ` AS uid FROM events FINAL
		WHERE project = 1 AND event = 'event_00' AND time <= {now:DateTime64(3, 'UTC')} AND properties.amount.:Int64 > 500
		GROUP BY uid HAVING count() >= 3)`,
	},
	{
		"preview: two attributes and not an event",
		`{"all":[{"attribute":"plan","op":"in","value":["pro","team"]},{"attribute":"seats","op":"gte","value":100},{"not":{"event":"event_05"}}]}`,
		`SELECT bitmapCardinality(bitmapAndnot(bitmapAnd(p, s), e)) FROM
		(SELECT groupBitmapState(` + uid + `) AS p FROM latest_attributes FINAL WHERE project = 1 AND attribute = 'plan' AND kind = 'text' AND text IN ('pro', 'team')) AS a,
		(SELECT groupBitmapState(` + uid + `) AS s FROM latest_attributes FINAL WHERE project = 1 AND attribute = 'seats' AND number >= 100) AS b,
		(SELECT groupBitmapState(` + uid + `) AS e FROM events FINAL WHERE project = 1 AND event = 'event_05' AND time <= {now:DateTime64(3, 'UTC')}) AS c`,
	},
	{
		"preview: not seen for 30 days", `{"attribute":"last_seen","op":"more_than_ago","value":"30d"}`,
		`SELECT countIf(last <= {now:DateTime64(3, 'UTC')} - INTERVAL 30 DAY) FROM
		(SELECT ` + uid + ` AS uid, max(last_seen) AS last FROM activity WHERE project = 1 GROUP BY uid)`,
	},
}

// Previews measures counting the reference definitions against their SQL. Neither side shows a sample of users.
func Previews(ctx context.Context, db *clickhouse.DB) ([]Figure, error) {
	evaluator := segments.NewEvaluator(db, segments.NewStore(db))
	parameters := clickhouse.Parameters{"now": now.Format("2006-01-02 15:04:05.000")}
	var figures []Figure
	for _, r := range references {
		definition, err := queries.Decode([]byte(r.definition))
		if err != nil {
			return nil, err
		}
		f, err := compare(r.name, 2, func() error {
			_, err := evaluator.Preview(ctx, project(), definition, segments.At{AsOf: &now}, 0)
			return err
		}, func() error {
			var n uint64
			return db.QueryRow(clickhouse.WithParameters(ctx, parameters), r.sql).Scan(&n)
		})
		if err != nil {
			return nil, err
		}
		figures = append(figures, f)
	}
	return figures, nil
}
