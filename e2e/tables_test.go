package e2e

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// message is a message as a client sent it.
type message struct {
	Type        string         `json:"type"`
	Event       string         `json:"event"`
	Name        string         `json:"name"`
	Category    string         `json:"category"`
	MessageID   string         `json:"messageId"`
	UserID      string         `json:"userId"`
	AnonymousID string         `json:"anonymousId"`
	GroupID     string         `json:"groupId"`
	Timestamp   time.Time      `json:"timestamp"`
	Properties  map[string]any `json:"properties"`
	Traits      map[string]any `json:"traits"`
	Context     map[string]any `json:"context"`
	Options     struct {
		RemoveUnspecified bool `json:"removeUnspecified"`
	} `json:"options"`
}

// stored is a message as the tables have it: its row of events, whose the row is, and its snapshots.
type stored struct {
	Event, Kind, ID string
	Timestamp       time.Time
	Properties      map[string]any
	Context         map[string]any
	Attributes      map[string]any
}

// expected is what the tables must have of a message.
func (m message) expected() stored {
	s := stored{
		Event: "$" + m.Type, Kind: "user", ID: m.UserID, Timestamp: m.Timestamp.Truncate(time.Millisecond).UTC(),
		Properties: flat(m.Properties), Context: m.Context, Attributes: map[string]any{},
	}
	if m.UserID == "" {
		s.Kind, s.ID = "anonymous", m.AnonymousID
	}
	switch m.Type {
	case "track":
		s.Event = m.Event
	case "page", "screen":
		for name, value := range map[string]string{"name": m.Name, "category": m.Category} {
			if _, own := s.Properties[name]; value != "" && !own {
				s.Properties[name] = value
			}
		}
	case "identify":
		s.Attributes = snapshots("", m.Traits)
		if m.Options.RemoveUnspecified {
			s.Attributes[""] = nil // how it is kept
		}
	case "group":
		s.Attributes = snapshots("group.", m.Traits)
		s.Attributes["group.id"] = m.GroupID
	}
	return s
}

// snapshots are the attributes that traits become; a null is one, too.
func snapshots(prefix string, traits map[string]any) map[string]any {
	all := map[string]any{}
	for name, value := range flat(traits) {
		all[prefix+name] = value
	}
	for name, value := range traits {
		if value == nil {
			all[prefix+name] = nil
		}
	}
	return all
}

// flat gives nested objects dotted names, leaves nulls out, and makes the elements of lists texts, as the door does.
func flat(nested map[string]any) map[string]any {
	all := map[string]any{}
	for name, value := range nested {
		switch value := value.(type) {
		case nil:
		case map[string]any:
			for inner, v := range flat(value) {
				all[name+"."+inner] = v
			}
		case []any:
			texts := []any{}
			for _, element := range value {
				if number, ok := element.(float64); ok {
					element = strconv.FormatFloat(number, 'f', -1, 64)
				}
				texts = append(texts, fmt.Sprint(element))
			}
			all[name] = texts
		default:
			all[name] = value
		}
	}
	return all
}

// openTables connects to the embedded ClickHouse of a service, as the service itself does.
func openTables(t *testing.T, s *service, dir string) driver.Conn {
	t.Helper()
	var users struct {
		Password string `xml:"users>muster>password"`
	}
	if err := xml.Unmarshal(must[[]byte](t, "read the engine's users")(os.ReadFile(filepath.Join(dir, "clickhouse", "users.xml"))), &users); err != nil {
		t.Fatal(err)
	}
	command := must[[]byte](t, "read the engine's command")(os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", enginePid(t, s))))
	port := regexp.MustCompile(`--tcp_port\x00(\d+)`).FindSubmatch(command)
	if port == nil {
		t.Fatalf("the engine's command %q has no port", command)
	}
	db := must[driver.Conn](t, "connect to the engine")(clickhouse.Open(&clickhouse.Options{
		Addr: []string{"127.0.0.1:" + string(port[1])},
		Auth: clickhouse.Auth{Database: "muster", Username: "muster", Password: users.Password},
	}))
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// readTables returns what is stored of each message id.
func readTables(t *testing.T, db driver.Conn) map[string]stored {
	t.Helper()
	attributes := map[uint64]map[string]any{}
	rows := must[driver.Rows](t, "read the snapshots")(db.Query(t.Context(), `
		SELECT message, attribute, toString(kind), text, ifNull(number, 0), list FROM attribute_snapshots FINAL`))
	defer rows.Close()
	for rows.Next() {
		var hash uint64
		var name, kind, text string
		var number float64
		var list []string
		if err := rows.Scan(&hash, &name, &kind, &text, &number, &list); err != nil {
			t.Fatal(err)
		}
		if attributes[hash] == nil {
			attributes[hash] = map[string]any{}
		}
		if _, twice := attributes[hash][name]; twice {
			t.Errorf("message %d says %s twice", hash, name)
		}
		attributes[hash][name] = map[string]any{
			"null": nil, "text": text, "number": number, "boolean": text == "true", "list": anyOf(list),
		}[kind]
	}
	all := map[string]stored{}
	events := must[driver.Rows](t, "read the events")(db.Query(t.Context(), `
		SELECT message_id, message, event, toString(kind), id, ts, toJSONString(properties), context
		FROM events FINAL
		LEFT JOIN (SELECT actor, any(kind) AS kind, any(id) AS id FROM identities GROUP BY actor) AS i USING (actor)`))
	defer events.Close()
	for events.Next() {
		var id, properties, context string
		var hash uint64
		var s stored
		if err := events.Scan(&id, &hash, &s.Event, &s.Kind, &s.ID, &s.Timestamp, &properties, &context); err != nil {
			t.Fatal(err)
		}
		var nested map[string]any
		for text, into := range map[string]*map[string]any{properties: &nested, context: &s.Context} {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				t.Fatalf("message %s: %v: %s", id, err, text)
			}
		}
		s.Properties, s.Attributes = flat(nested), attributes[hash]
		if s.Attributes == nil {
			s.Attributes = map[string]any{}
		}
		if _, twice := all[id]; twice {
			t.Errorf("message %s is stored twice", id)
		}
		all[id] = s
	}
	if err := events.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func anyOf(list []string) []any {
	all := []any{}
	for _, text := range list {
		all = append(all, text)
	}
	return all
}

// sameAsSent checks that the tables have each message once, every field as it was sent, and nothing else.
func sameAsSent(t *testing.T, db driver.Conn, sent map[string]message) {
	t.Helper()
	got := readTables(t, db)
	for _, id := range slices.Sorted(maps.Keys(sent)) {
		have, ok := got[id]
		if !ok {
			t.Errorf("message %s is not in the tables: %+v", id, sent[id])
			continue
		}
		delete(got, id)
		want := sent[id].expected()
		have.Timestamp = have.Timestamp.UTC()
		if want.Context == nil {
			want.Context = map[string]any{}
		}
		if !reflect.DeepEqual(have, want) {
			t.Errorf("message %s is stored as\n%+v, want\n%+v", id, have, want)
		}
	}
	for id, s := range got {
		t.Errorf("message %s was never sent, and is stored as %+v", id, s)
	}
}

// linked returns which anonymous ids the tables know to be which users'.
func linked(t *testing.T, db driver.Conn) map[string][]string {
	t.Helper()
	rows := must[driver.Rows](t, "read the identities")(db.Query(t.Context(), `
		SELECT DISTINCT visitor.id, user.id
		FROM identities AS visitor
		INNER JOIN (SELECT DISTINCT actor, id FROM identities WHERE kind = 'user') AS user ON user.actor = visitor.linked
		WHERE visitor.link = 'identify'
		ORDER BY ALL`))
	defer rows.Close()
	all := map[string][]string{}
	for rows.Next() {
		var visitor, user string
		if err := rows.Scan(&visitor, &user); err != nil {
			t.Fatal(err)
		}
		all[visitor] = append(all[visitor], user)
	}
	return all
}
