package projects

import (
	"context"
	"slices"
	"sync/atomic"

	"muster"
	"muster/clickhouse"
)

// Directory holds the projects in memory. It is empty until its first refresh.
type Directory struct {
	projects atomic.Pointer[[]Project]
}

// Refresh reads the projects.
func (d *Directory) Refresh(ctx context.Context, db *clickhouse.DB) error {
	all, err := All(ctx, db)
	if err != nil {
		return err
	}
	d.projects.Store(&all)
	return nil
}

// Put replaces a project that was changed, ahead of the next refresh.
func (d *Directory) Put(p Project) {
	all := slices.Clone(d.All())
	if i := slices.IndexFunc(all, func(other Project) bool { return other.ID == p.ID }); i >= 0 {
		all[i] = p
		d.projects.Store(&all)
	}
}

// All returns the projects.
func (d *Directory) All() []Project {
	if all := d.projects.Load(); all != nil {
		return *all
	}
	return nil
}

// Get returns a project by its number.
func (d *Directory) Get(id muster.ProjectID) (Project, bool) {
	all := d.All()
	if i := slices.IndexFunc(all, func(p Project) bool { return p.ID == id }); i >= 0 {
		return all[i], true
	}
	return Project{}, false
}
