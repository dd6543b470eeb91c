package projects

import (
	"context"
	"fmt"
	"time"

	"muster"
	"muster/clickhouse"
)

// The project that the first start makes.
const (
	DefaultID   muster.ProjectID = 1
	DefaultName                  = "default"
)

// Project is one tenant.
type Project struct {
	ID        muster.ProjectID
	Name      string
	Zone      *time.Location // where its calendar days begin
	CreatedAt time.Time
	Revision  uint32 // of its settings; 0 where nobody set any

	SignedIdentify bool   // identification must be signed, with the secret
	IdentifySecret string // empty until signatures were first demanded
}

// Register makes the default project when there is none and registers the ring's own keys for it. It may be called at every
// start and by several processes.
func Register(ctx context.Context, db *clickhouse.DB, ring *Keyring) error {
	err := db.Exec(clickhouse.WithParameters(ctx, clickhouse.Parameters{"name": DefaultName}), `
		INSERT INTO projects (project, name, time_zone, created_at, version)
		SELECT 1, {name:String}, 'UTC', now64(3), 1
		WHERE (SELECT count() FROM projects WHERE project = 1) = 0`)
	if err != nil {
		return fmt.Errorf("make the default project: %w", err)
	}
	batch, err := db.PrepareBatch(ctx, `INSERT INTO project_keys (digest, project, kind, created_at, version)`)
	if err != nil {
		return fmt.Errorf("register the keys: %w", err)
	}
	defer batch.Close()
	for d, g := range ring.own {
		// Version zero: registering a key again never brings back one that was revoked.
		if err := batch.Append(string(d[:]), uint32(g.project), int8(g.kind), time.Now().UTC(), uint64(0)); err != nil {
			return fmt.Errorf("register the keys: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("register the keys: %w", err)
	}
	return ring.Refresh(ctx, db)
}

// All lists the projects.
func All(ctx context.Context, db *clickhouse.DB) ([]Project, error) {
	rows, err := db.Query(ctx, `
		SELECT project, if(revision = 0, p.name, s.name), if(revision = 0, p.time_zone, s.time_zone), created_at, revision,
			signed_identify, identify_secret
		FROM (SELECT project, name, time_zone, created_at FROM projects FINAL) AS p
		LEFT JOIN (SELECT * FROM project_settings ORDER BY revision DESC LIMIT 1 BY project) AS s USING (project)
		ORDER BY project`)
	if err != nil {
		return nil, fmt.Errorf("list the projects: %w", err)
	}
	defer rows.Close()
	var all []Project
	for rows.Next() {
		var id uint32
		var p Project
		var zone string
		if err := rows.Scan(&id, &p.Name, &zone, &p.CreatedAt, &p.Revision, &p.SignedIdentify, &p.IdentifySecret); err != nil {
			return nil, fmt.Errorf("list the projects: %w", err)
		}
		p.ID = muster.ProjectID(id)
		if p.Zone, err = time.LoadLocation(zone); err != nil {
			return nil, fmt.Errorf("project %q: %w", p.Name, err)
		}
		all = append(all, p)
	}
	return all, rows.Err()
}
