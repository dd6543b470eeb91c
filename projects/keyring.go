package projects

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"sync/atomic"

	"muster"
	"muster/clickhouse"
)

// KeyKind tells what a key opens.
type KeyKind uint8

// The kinds of keys. Their numbers are stored; they never change.
const (
	WriteKey  KeyKind = 1
	SecretKey KeyKind = 2
)

// digest is the SHA-256 of a key: what is stored and compared, so that neither the database nor the time a comparison
// takes tells anything of a key.
type digest [sha256.Size]byte

type grant struct {
	project muster.ProjectID
	kind    KeyKind
}

// Keyring answers in memory which project a key opens. The keys of the data directory are always on it; those that other
// processes registered are there after [Keyring.Refresh].
type Keyring struct {
	own    map[digest]grant
	plain  string // the data directory's write key
	grants atomic.Pointer[map[digest]grant]
}

// NewKeyring returns a keyring with the keys of a data directory, which open the default project.
func NewKeyring(keys KeyFile) *Keyring {
	own := map[digest]grant{
		sha256.Sum256([]byte(keys.WriteKey)):  {DefaultID, WriteKey},
		sha256.Sum256([]byte(keys.SecretKey)): {DefaultID, SecretKey},
	}
	k := &Keyring{own: own, plain: keys.WriteKey}
	k.grants.Store(&own)
	return k
}

// Project returns the project a key of the given kind opens, and false when there is none.
func (k *Keyring) Project(kind KeyKind, key string) (muster.ProjectID, bool) {
	g, ok := (*k.grants.Load())[sha256.Sum256([]byte(key))]
	return g.project, ok && g.kind == kind
}

// WriteKeys returns the write keys of a project that are known in plain text: that of the data directory, unless it was
// revoked. It is never nil.
func (k *Keyring) WriteKeys(project muster.ProjectID) []string {
	if opened, ok := k.Project(WriteKey, k.plain); !ok || opened != project {
		return []string{}
	}
	return []string{k.plain}
}

// Refresh reads the registered keys, so that those added or revoked by other processes count here too.
func (k *Keyring) Refresh(ctx context.Context, db *clickhouse.DB) error {
	rows, err := db.Query(ctx, `SELECT digest, project, toUInt8(kind), revoked FROM project_keys FINAL`)
	if err != nil {
		return fmt.Errorf("read the keys: %w", err)
	}
	defer rows.Close()
	grants := maps.Clone(k.own)
	for rows.Next() {
		var text string
		var project uint32
		var kind uint8
		var revoked bool
		if err := rows.Scan(&text, &project, &kind, &revoked); err != nil {
			return fmt.Errorf("read the keys: %w", err)
		}
		var d digest
		copy(d[:], text)
		if revoked {
			delete(grants, d)
			continue
		}
		grants[d] = grant{muster.ProjectID(project), KeyKind(kind)}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the keys: %w", err)
	}
	k.grants.Store(&grants)
	return nil
}
