package projects

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// KeyFile is DIR/keys.json: the project's name and the keys this data directory was given at its first start.
type KeyFile struct {
	Project   string `json:"project"`
	WriteKey  string `json:"write_key"`  // opens the door for traffic; browsers carry it
	SecretKey string `json:"secret_key"` // opens everything of the project; for servers and people
}

// keyFileName is the key file's name in the data directory.
const keyFileName = "keys.json"

// OpenKeyFile reads the key file of a data directory, or writes a new one with fresh keys, mode 0600, when there is
// none. Nothing but the directory is needed, so the door can open before ClickHouse answers.
func OpenKeyFile(dir string) (KeyFile, error) {
	keys, err := ReadKeyFile(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	keys = KeyFile{Project: DefaultName, WriteKey: "wk_" + rand.Text(), SecretKey: "sk_" + rand.Text()}
	text, err := json.MarshalIndent(keys, "", "  ")
	if err != nil {
		return keys, err
	}
	return keys, writeDurably(filepath.Join(dir, keyFileName), append(text, '\n'))
}

// ReadKeyFile reads the key file of a data directory. The error is fs.ErrNotExist when there is none.
func ReadKeyFile(dir string) (KeyFile, error) {
	path := filepath.Join(dir, keyFileName)
	var keys KeyFile
	text, err := os.ReadFile(path)
	if err != nil {
		return keys, fmt.Errorf("read the keys: %w", err)
	}
	if err := json.Unmarshal(text, &keys); err != nil {
		return keys, fmt.Errorf("read the keys: %s is not valid JSON: %w", path, err)
	}
	if keys.WriteKey == "" || keys.SecretKey == "" {
		return keys, fmt.Errorf("read the keys: %s lacks write_key or secret_key; restore it, or remove it to be given new keys", path)
	}
	return keys, nil
}

// writeDurably writes a file so that after a crash it is there whole or not at all.
func writeDurably(path string, text []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(text); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer d.Close()
	return d.Sync()
}
