package bench

// reference is a definition and the best SQL a person would write for its count. The SQL is exact too: it resolves
// identity and lets a repeated message count once.
type reference struct{ name, definition, sql string }

// uid is how SQL resolves an actor to its user.
const uid = "dictGet('actor_uids', 'uid', actor)"

const (
	nowSQL       = `{now:DateTime64(3, 'UTC')}`
	eventsOf     = ` FROM events FINAL WHERE project = 1 AND time <= ` + nowSQL + ` AND event = `
	attributesOf = ` FROM latest_attributes FINAL WHERE project = 1 AND attribute = `
)

// references have every kind of leaf in them.
var references = []reference{
	{
		"attribute is a text", `{"attribute":"plan","op":"equals","value":"pro"}`,
		`SELECT toUInt64(groupBitmap(` + uid + `))` + attributesOf + `'plan' AND kind = 'text' AND text = 'pro'`,
	},
	{
		"attribute is a time in a window, or a number in a range",
		`{"any":[{"attribute":"created_at","op":"within_last","value":"30d"},{"attribute":"employees","op":"between","value":[10,50]}]}`,
		`SELECT bitmapCardinality(bitmapOr(c, e)) FROM
			(SELECT groupBitmapState(` + uid + `) AS c` + attributesOf + `'created_at' AND instant > toUnixTimestamp64Milli(` + nowSQL + ` - INTERVAL 30 DAY)
				AND instant <= toUnixTimestamp64Milli(` + nowSQL + `)) AS a,
			(SELECT groupBitmapState(` + uid + `) AS e` + attributesOf + `'employees' AND number BETWEEN 10 AND 50) AS b`,
	},
	{
		"tagged, imported, identified",
		`{"all":[{"tag":"vip"},{"import":"customers"},{"identified":true}]}`,
		`SELECT bitmapCardinality(bitmapAnd(bitmapAnd(t, i), u)) FROM
			(SELECT groupBitmapState(` + uid + `) AS t` + attributesOf + `'tags' AND has(list, 'vip')) AS a,
			(SELECT groupBitmapState(` + uid + `) AS i FROM import_members WHERE project = 1 AND import = 'customers' AND time <= ` + nowSQL + `) AS b,
			(SELECT groupBitmapState(uid) AS u FROM actors FINAL WHERE project = 1 AND kind = 'user') AS c`,
	},
	{
		"event in a window", `{"event":"event_03","within":"30d"}`,
		`SELECT toUInt64(groupBitmap(` + uid + `))` + eventsOf + `'event_03' AND time > ` + nowSQL + ` - INTERVAL 30 DAY`,
	},
	{
		"event counted, with a condition",
		`{"event":"event_00","where":{"property":"amount","op":"gt","value":500},"count":{"op":"gte","value":3}}`,
		`SELECT count() FROM (SELECT ` + uid + ` AS uid` + eventsOf + `'event_00' AND properties.amount.:Int64 > 500 GROUP BY uid HAVING count() >= 3)`,
	},
	{
		"event never done, or rarely", `{"event":"event_01","count":{"op":"lte","value":1},"within":"90d"}`,
		`SELECT toUInt64((SELECT uniqExact(uid) FROM actors FINAL WHERE project = 1) - (SELECT count() FROM (SELECT ` + uid + ` AS uid` + eventsOf + `'event_01'
			AND time > ` + nowSQL + ` - INTERVAL 90 DAY GROUP BY uid HAVING count() >= 2)))`,
	},
	{
		"sum over events", `{"event":"event_02","aggregate":{"fn":"sum","property":"amount"},"op":"gt","value":1000,"within":"90d"}`,
		`SELECT count() FROM (SELECT ` + uid + ` AS uid` + eventsOf + `'event_02' AND time > ` + nowSQL + ` - INTERVAL 90 DAY
			GROUP BY uid HAVING sum(properties.amount.:Int64) > 1000)`,
	},
	{
		"days on which something was done", `{"event":"event_05","aggregate":{"fn":"distinct_days"},"op":"gte","value":3}`,
		`SELECT count() FROM (SELECT ` + uid + ` AS uid` + eventsOf + `'event_05' GROUP BY uid HAVING uniqExact(toDate32(time)) >= 3)`,
	},
	{
		"first event in a window", `{"event":"event_04","first":{"op":"within_last","value":"30d"}}`,
		`SELECT bitmapCardinality(bitmapAndnot(lately, before)) FROM (SELECT
			groupBitmapStateIf(` + uid + `, time > ` + nowSQL + ` - INTERVAL 30 DAY) AS lately,
			groupBitmapStateIf(` + uid + `, time <= ` + nowSQL + ` - INTERVAL 30 DAY) AS before` + eventsOf + `'event_04')`,
	},
	{
		"sequence of two events",
		`{"sequence":[{"event":"event_06"},{"event":"event_07"}],"complete_within":"7d","within":"90d"}`,
		`SELECT countIf(steps = 2) FROM (SELECT ` + uid + ` AS uid,
			windowFunnel(604800000, 'strict_increase')(toUInt64(toUnixTimestamp64Milli(time)), event = 'event_06', event = 'event_07') AS steps
			FROM events FINAL WHERE project = 1 AND event IN ('event_06', 'event_07') AND time <= ` + nowSQL + `
			AND time > ` + nowSQL + ` - INTERVAL 90 DAY GROUP BY uid)`,
	},
	{
		"experience completed, and its latest answer",
		`{"all":[{"experience":"tour","interaction":"completed"},{"experience":"nps","question":"q1","answer":{"op":"gte","value":9},"latest":true}]}`,
		`SELECT bitmapCardinality(bitmapAnd(t, n)) FROM (SELECT groupBitmapStateIf(uid, toured) AS t, groupBitmapStateIf(uid, answer >= 9) AS n FROM (
			SELECT ` + uid + ` AS uid, max(properties.experience.:String = 'tour' AND properties.interaction.:String = 'completed') AS toured,
				argMaxIf(properties.answer.:Int64, (time, received), properties.experience.:String = 'nps' AND properties.question.:String = 'q1') AS answer` +
			eventsOf + `'$experience' GROUP BY uid))`,
	},
	{
		"two attributes and not an event, or not seen for 30 days",
		`{"any":[{"all":[{"attribute":"plan","op":"in","value":["pro","team"]},{"attribute":"seats","op":"gte","value":100},{"not":{"event":"event_08"}}]},` +
			`{"attribute":"last_seen","op":"more_than_ago","value":"30d"}]}`,
		`SELECT bitmapCardinality(bitmapOr(bitmapAndnot(bitmapAnd(p, s), e), l)) FROM
			(SELECT groupBitmapState(` + uid + `) AS p` + attributesOf + `'plan' AND kind = 'text' AND text IN ('pro', 'team')) AS a,
			(SELECT groupBitmapState(` + uid + `) AS s` + attributesOf + `'seats' AND number >= 100) AS b,
			(SELECT groupBitmapState(` + uid + `) AS e` + eventsOf + `'event_08') AS c,
			(SELECT groupBitmapStateIf(uid, last <= ` + nowSQL + ` - INTERVAL 30 DAY) AS l FROM
				(SELECT ` + uid + ` AS uid, max(last_seen) AS last FROM activity WHERE project = 1 GROUP BY uid)) AS d`,
	},
}
