package projects

import (
	"slices"
	"testing"

	"muster"
)

func TestWriteKeys(t *testing.T) {
	k := NewKeyring(KeyFile{Project: DefaultName, WriteKey: "wk_1", SecretKey: "sk_1"})
	for _, c := range []struct {
		project muster.ProjectID
		want    []string
	}{{DefaultID, []string{"wk_1"}}, {DefaultID + 1, []string{}}} {
		if got := k.WriteKeys(c.project); !slices.Equal(got, c.want) || got == nil {
			t.Errorf("the write keys of project %d are %v, want %v", c.project, got, c.want)
		}
	}
	k.grants.Store(&map[digest]grant{}) // as when the keys were revoked
	if got := k.WriteKeys(DefaultID); len(got) > 0 {
		t.Errorf("the write keys %v were revoked", got)
	}
}
