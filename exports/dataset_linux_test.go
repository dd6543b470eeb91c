package exports

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestDiskFull lets the disk be full when a file of the dataset is written, and when its manifest is.
func TestDiskFull(t *testing.T) {
	w, run := one(t)
	for _, full := range []string{"part-00000.parquet", ManifestName} {
		t.Run(full, func(t *testing.T) {
			s := w.service(t.TempDir(), pinned(run))
			s.create = func(path string) (*os.File, error) {
				if filepath.Base(path) == full {
					return os.OpenFile("/dev/full", os.O_WRONLY, 0)
				}
				return createFile(path)
			}
			e := finish(t, s, create(t, s, "plan").ID)
			if want := "the disk that keeps the exports is full; free some space, then ask for the export again"; e.Status != Failed || e.Error != want {
				t.Errorf("the export is %s: %q, want %q", e.Status, e.Error, want)
			}
			if left := names(t, s.cfg.Dir); !slices.Equal(left, []string{"owner"}) {
				t.Errorf("the directory has %q", left)
			}
		})
	}
}
