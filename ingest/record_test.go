package ingest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func exampleMessages() []Message {
	return []Message{
		{Project: 1, Type: Track, AnonymousID: "a", Event: "purchase", MessageID: "m1", Time: 1, Received: 1_000, Properties: "{}", Context: "{}"},
		{
			Project: 4_000_000_000, Type: Identify, UserID: "Zoë\x00", AnonymousID: "b", PreviousID: "c", Event: "$identify",
			MessageID: strings.Repeat("m", MaxID), Timestamp: 1_700_000_000_123, Time: -1, Received: 1 << 60,
			Properties: `{"a":1}`, Context: `{"ip":"::1"}`,
			Attributes: []Attribute{
				{Name: "plan", Source: Custom, Kind: Text, Text: "pro"},
				{Name: "seats", Source: Custom, Kind: Number, Number: -12.5},
				{Name: "trial", Source: Custom, Kind: Boolean, Text: "false"},
				{Name: "roles", Source: Import, Kind: List, List: []string{"", "owner"}},
				{Name: "none", Source: Integration, Kind: List, List: []string{}},
				{Name: "email", Source: Native, Kind: Null},
			},
		},
		{
			Project: 1, Type: Statement, UserID: "u", MessageID: "m2", Timestamp: 2, Time: 2, Received: 3, Properties: "{}", Context: "{}",
			Attributes: []Attribute{{Name: "tags", Source: Native, Kind: List, List: []string{"vip"}}},
		},
	}
}

func TestRecordRoundTrip(t *testing.T) {
	for _, want := range exampleMessages() {
		got, err := ParseRecord(AppendRecord(nil, &want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("message changed on its way through a record (-sent +read):\n%s", diff)
		}
	}
}

func TestRecordIsReadWholeOrNotAtAll(t *testing.T) {
	for _, m := range exampleMessages() {
		record := AppendRecord(nil, &m)
		for n := range record {
			if _, err := ParseRecord(record[:n]); err == nil {
				t.Errorf("the first %d of %d bytes were read as a message", n, len(record))
			}
		}
		if _, err := ParseRecord(append(record, 0)); err == nil {
			t.Error("a record with a byte too many was read as a message")
		}
		record[0]++
		if _, err := ParseRecord(record); err == nil {
			t.Error("a record of another version was read as a message")
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	for _, m := range exampleMessages() {
		f.Add(AppendRecord(nil, &m))
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		m, err := ParseRecord(record)
		if err != nil {
			return
		}
		// Bytes may differ where a varint was padded, the message may not.
		canonical := AppendRecord(nil, &m)
		again, err := ParseRecord(canonical)
		if err != nil {
			t.Fatal(err)
		}
		if string(AppendRecord(nil, &again)) != string(canonical) {
			t.Fatalf("%+v became %+v", m, again)
		}
	})
}
