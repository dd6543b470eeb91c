package muster_test

import (
	"testing"

	"muster"
)

func TestPropertyNameIsWhatWasEncoded(t *testing.T) {
	for _, name := range []string{"a", "a.b", ".a", "a.", "a..b", "x:y", "50%", "%41", "é", "a`b", "[0]", "\x00", "", "^", "a b"} {
		if got := muster.PropertyName(muster.PropertyKey(name)); got != name {
			t.Errorf("%q became %q", name, got)
		}
	}
}

func FuzzPropertyName(f *testing.F) {
	f.Add("x:y.é%")
	f.Fuzz(func(t *testing.T, name string) {
		if got := muster.PropertyName(muster.PropertyKey(name)); got != name {
			t.Fatalf("%q became %q", name, got)
		}
	})
}
