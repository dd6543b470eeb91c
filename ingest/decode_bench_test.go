package ingest

import "testing"

// exampleTrack is what a public browser client sends for one click, 700 bytes of it.
const exampleTrack = `{"timestamp":"2024-05-01T11:59:58.123Z","integrations":{"Segment.io":true},"userId":"user-48151623","anonymousId":"0b6a7d1e-5c3f-4c0e-9c1d-8f2e7a6b5c4d","event":"purchase","type":"track","properties":{"amount":49.9,"currency":"EUR","plan":"pro","items":["book","pen"],"coupon":null,"first":false,"cart":{"id":"c-9","size":3}},"context":{"page":{"path":"/checkout","referrer":"https://example.com/","search":"","title":"Checkout","url":"https://example.com/checkout"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64)","locale":"en-GB","library":{"name":"analytics.js","version":"next-1.70.0"},"timezone":"Europe/Paris"},"messageId":"ajs-next-1714564798123-0b6a7d1e"}`

const exampleIdentify = `{"timestamp":"2024-05-01T11:59:58.123Z","userId":"user-48151623","anonymousId":"0b6a7d1e-5c3f-4c0e-9c1d-8f2e7a6b5c4d","type":"identify","traits":{"email":"zoe@example.com","name":"Zoë","plan":"pro","seats":12,"trial":false,"roles":["owner","admin"],"createdAt":"2020-02-03T04:05:06Z"},"context":{"library":{"name":"analytics-go","version":"3.0.0"}},"messageId":"ajs-next-1714564798123-1c7b8e2f"}`

func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct{ name, in string }{{"track", exampleTrack}, {"identify", exampleIdentify}} {
		b.Run(c.name, func(b *testing.B) {
			d, raw, shared := newDecoder(), []byte(c.in), &sharedContext{}
			var record []byte
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				m, rejection := d.decode(raw, 0, request{received: receipt}, shared)
				if rejection != nil {
					b.Fatal(rejection)
				}
				record = AppendRecord(record[:0], &m)
			}
		})
	}
}

func BenchmarkOpenEnvelope(b *testing.B) {
	body := exampleBatch(100)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if e, err := openEnvelope(body); err != nil || len(e.batch) != 100 {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseRecord(b *testing.B) {
	m, rejection := decodeOne(b, exampleTrack)
	if rejection != nil {
		b.Fatal(rejection)
	}
	record := AppendRecord(nil, &m)
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseRecord(record); err != nil {
			b.Fatal(err)
		}
	}
}

// exampleBatch is the body of a batch of n tracks.
func exampleBatch(n int) []byte {
	body := []byte(`{"sentAt":"2024-05-01T12:00:00.000Z","batch":[`)
	for i := range n {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, exampleTrack...)
	}
	return append(body, "]}"...)
}
