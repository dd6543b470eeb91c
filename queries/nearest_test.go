package queries

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"trial", "free", "enterprise", "plan"}
	for given, want := range map[string]string{
		"trail": "trial", "rtial": "trial", "trials": "trial", "tria": "trial", "freee": "free", "fere": "free", "entrprise": "enterprise",
		"paln": "plan", "liart": "", "gold": "", "": "",
	} {
		if got := Nearest(given, known); got != want {
			t.Errorf("nearest to %q is %q, want %q", given, got, want)
		}
	}
}
