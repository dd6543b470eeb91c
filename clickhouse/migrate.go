package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// migration is one .sql file: a number, a name and its statements, each of which may safely run again.
type migration struct {
	number     uint32
	file       string
	checksum   string
	statements []string
}

// Migrate brings the database's schema to that of the files: NNNN_name.sql, each statement ending with ';' at the end of a
// line. It may be called at every start and by several processes at once: every statement says IF NOT EXISTS, and a
// migration is recorded only after all of it ran. A landed file that was edited, and a database that is ahead of the
// files, are refused.
func Migrate(ctx context.Context, db *DB, files fs.FS) error {
	all, err := readMigrations(files)
	if err != nil {
		return err
	}
	err = db.Exec(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations
		(number UInt32, file String, checksum String, landed DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'))
		ENGINE = ReplacingMergeTree ORDER BY (number, checksum)
		SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`)
	if err != nil {
		return fmt.Errorf("make the table of migrations: %w", err)
	}
	landed, err := landedMigrations(ctx, db)
	if err != nil {
		return err
	}
	if err := compareMigrations(all, landed); err != nil {
		return err
	}
	for _, m := range all {
		if _, ok := landed[m.number]; ok {
			continue
		}
		for _, statement := range m.statements {
			if err := db.Exec(ctx, statement); err != nil {
				return fmt.Errorf("migration %s: %w", m.file, err)
			}
		}
		err := db.Exec(WithParameters(ctx, Parameters{
			"number": strconv.FormatUint(uint64(m.number), 10), "file": m.file, "checksum": m.checksum,
		}), `INSERT INTO schema_migrations (number, file, checksum) SELECT {number:UInt32}, {file:String}, {checksum:String}`)
		if err != nil {
			return fmt.Errorf("record migration %s: %w", m.file, err)
		}
	}
	return nil
}

// landedMigrations reads which migrations ran, by number.
func landedMigrations(ctx context.Context, db *DB) (map[uint32]migration, error) {
	rows, err := db.Query(ctx, `SELECT number, file, checksum FROM schema_migrations FINAL`)
	if err != nil {
		return nil, fmt.Errorf("read the migrations that landed: %w", err)
	}
	defer rows.Close()
	landed := map[uint32]migration{}
	for rows.Next() {
		var m migration
		if err := rows.Scan(&m.number, &m.file, &m.checksum); err != nil {
			return nil, fmt.Errorf("read the migrations that landed: %w", err)
		}
		if other, ok := landed[m.number]; ok && other.checksum != m.checksum {
			return nil, fmt.Errorf("migration %d landed twice, as %s and as %s: two versions of muster started on this database; "+
				"keep one of them", m.number, other.file, m.file)
		}
		landed[m.number] = m
	}
	return landed, rows.Err()
}

// compareMigrations refuses a database whose landed migrations are not a part of the files.
func compareMigrations(all []migration, landed map[uint32]migration) error {
	known := map[uint32]bool{}
	for _, m := range all {
		known[m.number] = true
		if l, ok := landed[m.number]; ok && l.checksum != m.checksum {
			return fmt.Errorf("migration %s was edited after it landed in this database: restore the file and put the change "+
				"into a new migration", m.file)
		}
	}
	for number, l := range landed {
		if !known[number] {
			return fmt.Errorf("the database has migration %s, which this muster does not know: it was used by a newer version; "+
				"update muster", l.file)
		}
	}
	return nil
}

// readMigrations reads the files in the order of their numbers.
func readMigrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("list the migrations: %w", err)
	}
	var all []migration
	for _, name := range names { // Glob sorts them
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read migration %s: %w", name, err)
		}
		digits, _, _ := strings.Cut(path.Base(name), "_")
		number, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || len(digits) != 4 {
			return nil, fmt.Errorf("migration %s: its name must begin with four digits and an underscore", name)
		}
		if len(all) > 0 && all[len(all)-1].number == uint32(number) {
			return nil, fmt.Errorf("migrations %s and %s have the same number", all[len(all)-1].file, name)
		}
		sum := sha256.Sum256(text)
		all = append(all, migration{
			number: uint32(number), file: name, checksum: hex.EncodeToString(sum[:]), statements: splitStatements(string(text)),
		})
	}
	return all, nil
}

// splitStatements cuts a file at every ';' that ends a line, and drops lines that are only a comment.
func splitStatements(text string) []string {
	var all []string
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "--") {
			continue
		}
		end := strings.HasSuffix(strings.TrimSpace(line), ";")
		if end {
			line = strings.TrimSuffix(strings.TrimRight(line, " \t\r\n"), ";")
		}
		b.WriteString(line)
		if end {
			all = append(all, strings.TrimSpace(b.String()))
			b.Reset()
		}
	}
	if rest := strings.TrimSpace(b.String()); rest != "" {
		all = append(all, rest)
	}
	return all
}
