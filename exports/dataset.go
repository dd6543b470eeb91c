package exports

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"muster"
)

// unfinished begins the names of folders and files that are being written. What has such a name when a process starts was
// left by one that ended.
const unfinished = ".tmp-"

// write makes the dataset of an export. Files are written aside and fsynced, the manifest last;
// then the folder is renamed to where readers look. A dataset that an earlier process published, and could not record, is
// taken as it is: readers may have it open.
func (s *Service) write(ctx context.Context, project muster.ProjectID, e Export) (dataset, error) {
	folder := s.folder(project, e.ID)
	if published, err := readDataset(folder); !errors.Is(err, fs.ErrNotExist) {
		return published, err
	}
	run, err := s.cfg.Members(ctx, project, e.Request.Segment)
	if err != nil {
		return dataset{}, err
	}
	aside := filepath.Join(s.cfg.Dir, unfinished+e.ID.String())
	if err := errors.Join(os.RemoveAll(aside), os.Mkdir(aside, 0o700)); err != nil {
		return dataset{}, diskError(fmt.Errorf("make the dataset's folder: %w", err))
	}
	defer os.RemoveAll(aside) // where it is still there, the dataset is not whole
	whole, err := s.fill(ctx, aside, project, e, run)
	if err == nil {
		err = publish(aside, folder)
	}
	return whole, diskError(err)
}

// fill writes the files of a dataset into a folder.
func (s *Service) fill(ctx context.Context, dir string, project muster.ProjectID, e Export, run Run) (dataset, error) {
	attributes := slices.DeleteFunc(slices.Clone(e.Request.Attributes), reserved)
	src := source{db: s.cfg.DB, project: project, run: run, attributes: attributes}
	kinds, err := src.kinds(ctx)
	if err != nil {
		return dataset{}, err
	}
	p := newParts(dir, columnsOf(attributes, kinds), s.limits, s.create)
	defer p.abandon()
	if err := src.members(ctx, p.add); err != nil {
		return dataset{}, err
	}
	if err := p.finish(); err != nil {
		return dataset{}, err
	}
	m := Manifest{
		Version: manifestVersion, Dataset: e.Request.Dataset, Format: e.Request.Format, Export: e.ID, Project: uint32(project),
		Segment:    ManifestSegment{ID: run.Segment, Name: run.SegmentName, Revision: run.Revision},
		Definition: run.Definition, DefinitionHash: run.DefinitionHash, Run: run.ID, AsOf: run.AsOf, Members: run.Size,
		CreatedAt: time.Now().UTC().Truncate(time.Millisecond), Schema: p.columns, Files: p.files,
	}
	for _, f := range p.files {
		m.Rows += f.Rows
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return dataset{}, fmt.Errorf("write the manifest: %w", err)
	}
	text = append(text, '\n')
	return describe(m, text), s.writeFile(filepath.Join(dir, ManifestName), text)
}

// writeFile writes a new file and waits until it is on the disk.
func (s *Service) writeFile(path string, text []byte) error {
	f, err := s.create(path)
	if err != nil {
		return fmt.Errorf("make a file: %w", err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

// createFile makes a file that nobody else can read, and that must not be there yet.
func createFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

// publish renames a whole dataset to where readers look. When it returns, that outlives a loss of power.
func publish(aside, folder string) error {
	parent := filepath.Dir(folder)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return fmt.Errorf("publish the dataset: %w", err)
	}
	if err := errors.Join(syncDir(aside), syncDir(filepath.Dir(parent))); err != nil {
		return err
	}
	if err := os.Rename(aside, folder); err != nil {
		return fmt.Errorf("publish the dataset: %w", err)
	}
	return syncDir(parent)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync a folder: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync a folder: %w", err)
	}
	return nil
}

// diskError says what to do where the disk is full; other errors it leaves as they are.
func diskError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return &muster.Error{
			Code: muster.Internal, Detail: "the disk that keeps the exports is full",
			Hint: "free some space, then ask for the export again", Err: err,
		}
	}
	return err
}

// removeUnfinished removes what an earlier process left half written.
func removeUnfinished(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("look for unfinished exports: %w", err)
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), unfinished) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return fmt.Errorf("remove an unfinished export: %w", err)
		}
	}
	return nil
}

// ownerOf returns the name a directory of datasets has for ever, which is made when it is first asked for. Several
// processes may share one ClickHouse; each does the exports whose files belong into its own directory.
func ownerOf(dir string) (uuid.UUID, error) {
	path := filepath.Join(dir, "owner")
	text, err := os.ReadFile(path)
	if err == nil {
		owner, err := uuid.ParseBytes(text)
		if err != nil {
			return owner, fmt.Errorf("%s names no owner: %w; remove it to give the directory a new one", path, err)
		}
		return owner, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return uuid.UUID{}, fmt.Errorf("read the owner of the exports: %w", err)
	}
	owner := uuid.New()
	aside := filepath.Join(dir, unfinished+"owner")
	if err := os.WriteFile(aside, []byte(owner.String()), 0o600); err != nil {
		return owner, fmt.Errorf("keep the owner of the exports: %w", err)
	}
	if err := os.Rename(aside, path); err != nil {
		return owner, fmt.Errorf("keep the owner of the exports: %w", err)
	}
	return owner, syncDir(dir)
}
