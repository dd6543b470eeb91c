package demo

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPackKeepsTheLimits(t *testing.T) {
	large := func(n, bytes int) []Message {
		messages := make([]Message, n)
		for i := range messages {
			messages[i] = Message{Type: "track", AnonymousID: "a", Event: strings.Repeat("x", bytes), Timestamp: time.Unix(0, 0), MessageID: "m"}
		}
		return messages
	}
	for _, c := range []struct {
		name     string
		messages []Message
		size     int
		want     []int // messages of each batch
	}{
		{"none", nil, 10, nil},
		{"one", large(1, 10), 10, []int{1}},
		{"full", large(20, 10), 10, []int{10, 10}},
		{"one more", large(21, 10), 10, []int{10, 10, 1}},
		{"large ones", large(40, 30_500), 400, []int{16, 16, 8}}, // 17 of them have over 500 KiB
	} {
		var got []int
		err := pack(slices.Values(c.messages), c.size, func(b batch) error {
			var body struct{ Batch []json.RawMessage }
			if err := json.Unmarshal(b.json, &body); err != nil {
				t.Fatal(err)
			}
			if len(body.Batch) != len(b.ids) || len(b.json) > maxBody {
				t.Errorf("%s: %d messages, %d ids, %d bytes", c.name, len(body.Batch), len(b.ids), len(b.json))
			}
			got = append(got, len(body.Batch))
			return nil
		})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, not %v", c.name, got, err, c.want)
		}
	}
	if err := pack(slices.Values(large(1, maxMessage)), 10, func(batch) error { return nil }); err == nil {
		t.Error("a message over its limit is packed")
	}
	stop := errors.New("stop")
	if err := pack(slices.Values(large(5, 10)), 1, func(batch) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
}
