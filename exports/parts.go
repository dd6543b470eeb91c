package exports

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"

	"github.com/parquet-go/parquet-go"
)

// limits bound what is held in memory and how large files grow.
type limits struct {
	fileRows   int // rows of one file
	groupRows  int // rows of one row group, which is in memory until it is written
	groupBytes int // about the bytes of one row group's values; the lower of the two ends it
}

var defaultLimits = limits{fileRows: 1_000_000, groupRows: 1 << 16, groupBytes: 32 << 20}

// dictionaryBytes bounds a column's dictionary; a row group with more different texts keeps them plainly.
const dictionaryBytes = 1 << 20

// parts writes the rows of a dataset into files of a folder.
type parts struct {
	dir     string
	create  func(path string) (*os.File, error)
	limits  limits
	columns []Column
	schema  *parquet.Schema
	files   []File // those that are whole and on the disk

	file       *os.File // the one being written, if any
	counted    *counted
	writer     *parquet.GenericWriter[any]
	rows       int // of the file
	groupRows  int
	groupBytes int
	row        [1]parquet.Row
}

func newParts(dir string, columns []Column, l limits, create func(path string) (*os.File, error)) *parts {
	return &parts{dir: dir, create: create, limits: l, columns: columns, schema: schemaOf(columns), files: []File{}}
}

// add writes one member.
func (p *parts) add(m member) error {
	if p.file == nil {
		if err := p.begin(); err != nil {
			return err
		}
	}
	row, size, err := appendMember(p.row[0][:0], p.columns, m)
	if err != nil {
		return err
	}
	p.row[0] = row
	if _, err := p.writer.WriteRows(p.row[:]); err != nil {
		return fmt.Errorf("write a row: %w", err)
	}
	p.rows++
	p.groupRows++
	p.groupBytes += size
	if p.groupRows >= p.limits.groupRows || p.groupBytes >= p.limits.groupBytes {
		if err := p.writer.Flush(); err != nil {
			return fmt.Errorf("write a row group: %w", err)
		}
		p.groupRows, p.groupBytes = 0, 0
	}
	if p.rows == p.limits.fileRows {
		return p.end()
	}
	return nil
}

// begin opens the next file.
func (p *parts) begin() error {
	f, err := p.create(filepath.Join(p.dir, fmt.Sprintf("part-%05d.parquet", len(p.files))))
	if err != nil {
		return fmt.Errorf("make a file: %w", err)
	}
	p.file, p.counted = f, &counted{file: f, sum: sha256.New()}
	p.rows, p.groupRows, p.groupBytes = 0, 0, 0
	if p.writer != nil {
		p.writer.Reset(p.counted)
		return nil
	}
	p.writer = parquet.NewGenericWriter[any](p.counted, p.schema, parquet.Compression(&parquet.Zstd), parquet.DictionaryMaxBytes(dictionaryBytes),
		parquet.CreatedBy("muster", "", ""))
	return nil
}

// end completes the file and waits until it is on the disk.
func (p *parts) end() error {
	f := p.file
	p.file = nil
	if err := errors.Join(p.writer.Close(), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(f.Name()), err)
	}
	p.files = append(p.files, p.counted.describe(filepath.Base(f.Name()), p.rows))
	return nil
}

// finish ends the last file. A dataset without members has one file without rows, for its schema.
func (p *parts) finish() error {
	if p.file == nil && len(p.files) == 0 {
		if err := p.begin(); err != nil {
			return err
		}
	}
	if p.file == nil {
		return nil
	}
	return p.end()
}

// abandon closes the file that is open, if one is, as it stands.
func (p *parts) abandon() {
	if p.file != nil {
		p.file.Close()
		p.file = nil
	}
}

// counted is a file whose bytes are counted and hashed while they are written.
type counted struct {
	file  *os.File
	sum   hash.Hash
	bytes uint64
}

// Write writes to the file, and counts what was written.
func (c *counted) Write(b []byte) (int, error) {
	n, err := c.file.Write(b)
	c.sum.Write(b[:n])
	c.bytes += uint64(n)
	return n, err
}

func (c *counted) describe(name string, rows int) File {
	return File{Name: name, Rows: uint64(rows), Bytes: c.bytes, SHA256: hex.EncodeToString(c.sum.Sum(nil))}
}
