package demo

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"

	"muster"
	"muster/ingest"
	"muster/ingest/spool"
)

// TestTheRealDoorTakesEveryMessage sends a demo through the handler and the spool that take it in the service.
func TestTheRealDoorTakesEveryMessage(t *testing.T) {
	store, err := spool.Open(t.TempDir(), spool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	door, err := ingest.NewDoor(ingest.DoorConfig{
		Spool: store, Log: slog.New(slog.DiscardHandler),
		Keys: func(_ context.Context, key string) (muster.ProjectID, bool) { return 1, key == "key" },
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(door)
	t.Cleanup(server.Close)
	config := small
	config.Users = 600
	g := generator(t, config)
	c := SendConfig{BaseURL: server.URL, WriteKey: "key", Concurrency: 2, BatchSize: 400}
	summary, err := Send(t.Context(), c, g.Messages())
	if err != nil || summary.Accepted != g.Count() {
		t.Errorf("%+v, %v, of %d", summary, err, g.Count())
	}
	c.WriteKey = "another"
	if _, err := Send(t.Context(), c, g.Messages()); muster.CodeOf(err) != muster.Unauthorized {
		t.Error(err)
	}
}
