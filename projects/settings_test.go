package projects

import (
	"testing"

	"muster"
	"muster/clickhouse/clickhousetest"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

func TestSettingsAreRevisions(t *testing.T) {
	db := clickhousetest.DB(t)
	if err := Register(t.Context(), db, NewKeyring(KeyFile{WriteKey: "w", SecretKey: "s"})); err != nil {
		t.Fatal(err)
	}
	var d Directory
	read := func() Project {
		t.Helper()
		if err := d.Refresh(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		p, ok := d.Get(DefaultID)
		if !ok {
			t.Fatal("there is no default project")
		}
		return p
	}
	first := read()
	if first.Name != DefaultName || first.Zone.String() != "UTC" || first.Revision != 0 || first.SignedIdentify || first.IdentifySecret != "" {
		t.Errorf("a new project is %+v", first)
	}
	text := func(s string) *string { return &s }
	yes, no := true, false
	if _, err := Set(t.Context(), db, first, Change{Name: text("Shop"), TimeZone: text("Europe/Paris"), SignedIdentify: &yes}, "ann"); err != nil {
		t.Fatal(err)
	}
	second := read()
	if second.Name != "Shop" || second.Zone.String() != "Europe/Paris" || second.Revision != 1 || !second.SignedIdentify || len(second.IdentifySecret) != 67 {
		t.Errorf("it was set to %+v", second)
	}
	if _, err := Set(t.Context(), db, first, Change{Name: text("Other")}, "bob"); muster.CodeOf(err) != muster.Conflict {
		t.Errorf("a change of an older revision: %v", err)
	}
	if _, err := Set(t.Context(), db, second, Change{SignedIdentify: &no}, "ann"); err != nil {
		t.Fatal(err)
	}
	third := read()
	if third.Name != "Shop" || third.Revision != 2 || third.SignedIdentify || third.IdentifySecret != second.IdentifySecret {
		t.Errorf("it was set to %+v; the secret stays for when it is demanded again", third)
	}
	for pointer, c := range map[string]Change{"/name": {Name: text(" ")}, "/time_zone": {TimeZone: text("Mars/Base")}} {
		_, err := Set(t.Context(), db, third, c, "ann")
		if e, ok := err.(*muster.Error); !ok || e.Issues[0].Pointer != pointer { //nolint:errorlint // It is returned bare.
			t.Errorf("%s: %v", pointer, err)
		}
	}
	if got := read(); got.Revision != third.Revision || got.Name != third.Name {
		t.Errorf("what was refused changed it: %+v", got)
	}
}
