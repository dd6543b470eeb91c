package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// refused are the records of a segment that cannot be stored, with the reasons.
type refused []refusedRecord

// refusedRecord is one line of a file of refused messages.
type refusedRecord struct {
	Reason string `json:"reason"`
	Record []byte `json:"record"` // base64 of what [AppendRecord] wrote
}

func (r *refused) add(record []byte, reason error) {
	*r = append(*r, refusedRecord{Reason: reason.Error(), Record: bytes.Clone(record)})
}

// write puts them aside in a file of the directory that is named like the segment, one JSON object a line, fsynced. It
// writes the same file when it is called again, and none when there is nothing to write.
func (r refused) write(dir, segment string) error {
	if len(r) == 0 {
		return nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	for _, record := range r {
		if err := encoder.Encode(record); err != nil {
			return fmt.Errorf("put refused messages aside: %w", err)
		}
	}
	path := filepath.Join(dir, strings.ReplaceAll(segment, "/", "-")+".jsonl")
	if err := writeSynced(dir, path, text.Bytes()); err != nil {
		return fmt.Errorf("put refused messages aside: %w", err)
	}
	return nil
}

// writeSynced writes a file, and returns when it and its name are on disk.
func writeSynced(dir, path string, text []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(text); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	parent, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer parent.Close()
	return parent.Sync()
}
