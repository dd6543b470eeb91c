package exports

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
)

// ManifestName is the name of the file that describes a dataset.
const ManifestName = "manifest.json"

// manifestVersion is that of the manifest's own form.
const manifestVersion = 1

// Manifest describes a dataset. It is written last: where there is one, the dataset is whole.
type Manifest struct {
	Version        int             `json:"version"` // of this form
	Dataset        string          `json:"dataset"`
	Format         string          `json:"format"`
	Export         uuid.UUID       `json:"export"`
	Project        uint32          `json:"project"`
	Segment        ManifestSegment `json:"segment"`
	Definition     json.RawMessage `json:"definition"`
	DefinitionHash string          `json:"definition_hash"`
	Run            uuid.UUID       `json:"run"`
	AsOf           time.Time       `json:"as_of"`
	// Members is the size of the run. Rows may be fewer: who was erased, or joined with another user, since the run is
	// nobody any more.
	Members   uint64    `json:"members"`
	Rows      uint64    `json:"rows"`
	CreatedAt time.Time `json:"created_at"`
	Schema    []Column  `json:"schema"`
	Files     []File    `json:"files"`
}

// ManifestSegment names the segment and the revision whose members the dataset has.
type ManifestSegment struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Revision uint32 `json:"revision"`
}

// File is one file of a dataset.
type File struct {
	Name   string `json:"name"`
	Rows   uint64 `json:"rows"`
	Bytes  uint64 `json:"bytes"`
	SHA256 string `json:"sha256"` // of the whole file, in hexadecimal
}

// dataset is what the table of exports keeps of a dataset on the disk.
type dataset struct {
	rows     uint64
	files    []File
	manifest File
}

// describe returns what is kept of the dataset that a manifest, given as its text, describes.
func describe(m Manifest, text []byte) dataset {
	sum := sha256.Sum256(text)
	return dataset{m.Rows, m.Files, File{Name: ManifestName, Bytes: uint64(len(text)), SHA256: hex.EncodeToString(sum[:])}}
}

// readDataset reads what the manifest in a folder says.
func readDataset(folder string) (dataset, error) {
	text, err := os.ReadFile(filepath.Join(folder, ManifestName))
	if err != nil {
		return dataset{}, fmt.Errorf("read the manifest: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return dataset{}, fmt.Errorf("read the manifest: %w", err)
	}
	return describe(m, text), nil
}
