package muster_test

import (
	"testing"

	"muster"
)

func FuzzPropertyName(f *testing.F) {
	for _, name := range []string{"amount", "a.b", "a:b", "%41", "100%", ".", "a..b", "ünï", "a^b[0]@`", "", "%", "\x00"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if got := muster.PropertyName(muster.PropertyKey(name)); got != name {
			t.Errorf("%q is stored as %q and read as %q", name, muster.PropertyKey(name), got)
		}
	})
}
