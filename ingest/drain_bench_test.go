package ingest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"muster/clickhouse/clickhousetest"
)

// benchMessages is the size of one round: what is in a spool segment under load.
const benchMessages = 50_000

// exampleBodies are the bodies of benchMessages messages in batches of 100, of which one in ten identifies.
func exampleBodies(round int) [][]byte {
	var bodies [][]byte
	for start := 0; start < benchMessages; start += 100 {
		var b strings.Builder
		b.WriteString(`{"writeKey":"wk","batch":[`)
		for i := range 100 {
			text := exampleTrack
			if i%10 == 0 {
				text = exampleIdentify
			}
			if i > 0 {
				b.WriteByte(',')
			}
			user := (start + i) * 7919 % (benchMessages / 5)
			b.WriteString(strings.NewReplacer("48151623", fmt.Sprint(user), "next-1714564798123", fmt.Sprintf("%d-%d", round, start+i)).Replace(text))
		}
		b.WriteString(`]}`)
		bodies = append(bodies, []byte(b.String()))
	}
	return bodies
}

// processSeconds is the CPU time this process has used.
func processSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// engineSeconds is the CPU time the engine's process has used.
func engineSeconds(b *testing.B) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", clickhousetest.Engine(b).Pid()))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var user, system float64
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		b.Fatal(err)
	}
	return (user + system) / 100 // clock ticks
}

// BenchmarkDoorToTable measures batches of 100 messages from the request to the tables, over HTTP, and beside it the bare
// insertion of the same rows, already laid out in columns.
func BenchmarkDoorToTable(b *testing.B) {
	b.Run("door", func(b *testing.B) {
		db, s := clickhousetest.DB(b), openSpool(b)
		d := newTestDrain(b, s, db, nil)
		run(b, d)
		server := httptest.NewServer(newTestDoor(b, s))
		defer server.Close()
		report := measure(b)
		for round := 0; b.Loop(); round++ {
			b.StopTimer()
			bodies := exampleBodies(round)
			b.StartTimer()
			report.start()
			send(b, server.URL+"/v1/batch", bodies)
			flush(b, d)
			report.stop()
		}
		report.print()
	})
	b.Run("bare", func(b *testing.B) {
		db, s := clickhousetest.DB(b), openSpool(b)
		w, door := newInserter(db, func(string, time.Duration) {}), newTestDoor(b, s)
		report := measure(b)
		for round := 0; b.Loop(); round++ {
			b.StopTimer()
			for _, body := range exampleBodies(round) {
				if w := post(b, door, "/v1/batch", string(body)); w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
			messages := stored(b, s)
			rows := rowsOf(messages)
			blocks := []struct {
				statement string
				columns   []any
			}{
				{insertEvents, eventColumns(rows)},
				{insertSnapshots, snapshotColumns(rows)},
				{insertIdentities, identityColumns(identitiesOf(messages))},
			}
			b.StartTimer()
			report.start()
			for i, block := range blocks {
				if err := w.send(b.Context(), fmt.Sprint("bare/", round, "/", i), block.statement, block.columns); err != nil {
					b.Fatal(err)
				}
			}
			report.stop()
		}
		report.print()
	})
}

// send posts the bodies from four clients at once.
func send(b *testing.B, url string, bodies [][]byte) {
	queue := make(chan []byte, len(bodies))
	for _, body := range bodies {
		queue <- body
	}
	close(queue)
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for body := range queue {
				answer, err := http.Post(url, "application/json", bytes.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				answer.Body.Close()
				if answer.StatusCode != 200 {
					b.Error(answer.Status)
				}
			}
		})
	}
	clients.Wait()
}

// report sums up CPU time while it is started.
type report struct {
	b               *testing.B
	process, engine float64
}

func measure(b *testing.B) *report { return &report{b: b} }

func (r *report) start() {
	r.process -= processSeconds(r.b)
	r.engine -= engineSeconds(r.b)
}

func (r *report) stop() {
	r.process += processSeconds(r.b)
	r.engine += engineSeconds(r.b)
}

func (r *report) print() {
	n := float64(r.b.N) * benchMessages
	r.b.ReportMetric(n/r.b.Elapsed().Seconds(), "messages/s")
	r.b.ReportMetric(r.process*1e6/n, "process-µs/message")
	r.b.ReportMetric(r.engine*1e6/n, "engine-µs/message")
}
