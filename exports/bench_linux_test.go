package exports

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"muster/clickhouse"
)

// BenchmarkExport exports 250,000 members, a half of all users, with four attributes; MUSTER_BENCH_USERS takes another
// number of users. The peak of the process's resident memory is that of the whole benchmark: nothing else runs in it.
func BenchmarkExport(b *testing.B) {
	users := 500_000
	if text := os.Getenv("MUSTER_BENCH_USERS"); text != "" {
		var err error
		if users, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	w := newWorld(b)
	run := Run{ID: uuid.New(), Segment: "pro", AsOf: asOf, Size: uint64(users / 2)}
	ctx := clickhouse.WithParameters(b.Context(), clickhouse.Parameters{"users": fmt.Sprint(users), "run": run.ID.String()})
	for _, statement := range []string{
		`INSERT INTO actors (project, actor, uid, rank, kind, id, version, batch) SELECT 1, sipHash64(number), number + 1, 0, 'user', 'user-' || toString(number), 1, generateUUIDv4()
			FROM numbers({users:UInt64})`,
		// One user in ten also has an anonymous actor, with a plan of its own.
		`INSERT INTO actors (project, actor, uid, rank, kind, id, version, batch) SELECT 1, sipHash64(number, 'anonymous'), number + 1, 1, 'anonymous', toString(generateUUIDv4(number)), 1, generateUUIDv4()
			FROM numbers({users:UInt64}) WHERE number % 10 = 0`,
		`INSERT INTO attribute_snapshots (project, attribute, actor, ts, message, time, received, source, kind, text)
			SELECT 1, 'plan', sipHash64(number, 'anonymous'), '2026-01-01', number, '2026-01-01', '2026-01-01', 'custom', 'text', 'trial'
			FROM numbers({users:UInt64}) WHERE number % 10 = 0`,
		`INSERT INTO attribute_snapshots (project, attribute, actor, ts, message, time, received, source, kind, text, number, list)
			SELECT 1, ['plan', 'seats', 'email', 'teams'][place], sipHash64(number), '2026-02-01', number, '2026-02-01', '2026-02-01', 'custom',
				['text', 'number', 'text', 'list'][place],
				['plan ' || toString(number % 5), '', 'user-' || toString(number) || '@example.com', ''][place],
				if(place = 2, number % 1000, NULL), if(place = 4, ['team ' || toString(number % 50), 'all'], [])
			FROM (SELECT number, arrayJoin([1, 2, 3, 4]) AS place FROM numbers({users:UInt64}))`,
		`INSERT INTO events (project, event, actor, ts, message, time, received, message_id, properties, context)
			SELECT 1, 'visit', sipHash64(number % {users:UInt64}), toDateTime64('2026-02-01', 3, 'UTC') + number % 86400, number,
				toDateTime64('2026-02-01', 3, 'UTC') + number % 86400, toDateTime64('2026-02-03', 6, 'UTC'), '', '{}', ''
			FROM numbers({users:UInt64} * 4)`,
		// A few were seen again after the run.
		`INSERT INTO events (project, event, actor, ts, message, time, received, message_id, properties, context)
			SELECT 1, 'visit', sipHash64(number), '2026-03-02', number, '2026-03-02', '2026-03-02', '', '{}', '' FROM numbers(1000)`,
		`INSERT INTO segment_members (project, segment, run, bucket, members)
			SELECT 1, 'pro', {run:UUID}, toUInt16(intDiv(number * 2 + 1, 1048576)) AS bucket, groupBitmapState(toUInt32(number * 2 + 1))
			FROM numbers(intDiv({users:UInt64}, 2)) GROUP BY bucket`,
	} {
		if err := w.db.Exec(ctx, statement); err != nil {
			b.Fatal(err)
		}
	}
	w.index()
	dir := b.TempDir()
	s := w.service(dir, pinned(run))
	var rows, bytes uint64
	for b.Loop() {
		e := finished(b, s, create(b, s, "plan", "seats", "email", "teams").ID)
		rows += e.Rows
		for _, f := range e.Files {
			bytes += f.Bytes
		}
	}
	if want := uint64(users / 2 * b.N); rows != want {
		b.Fatalf("%d rows, want %d", rows, want)
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(bytes)/float64(rows), "bytes/row")
	b.ReportMetric(peakMemory(b), "peak-MB")
}

// peakMemory is the most memory this process has had, in MB.
func peakMemory(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kB, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			if err != nil {
				b.Fatal(err)
			}
			return kB / 1000
		}
	}
	b.Fatal("the kernel does not say how much memory there was")
	return 0
}
