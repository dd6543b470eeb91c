package projects

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"muster"
	"muster/clickhouse"
)

// maxProjectName is the length of a project's name, in characters.
const maxProjectName = 200

// Change is what people set of a project; nil leaves a thing as it is.
type Change struct {
	Name           *string
	TimeZone       *string // an IANA name, such as Europe/Paris; calendar days begin in it
	SignedIdentify *bool   // identification must be signed; see package ingest
}

// Set appends a revision of a project's settings and returns the project as it is from then on. Of two who set at the same
// time one is told that the other was first.
func Set(ctx context.Context, db *clickhouse.DB, current Project, c Change, author string) (Project, error) {
	next, err := c.apply(current)
	if err != nil {
		return Project{}, err
	}
	next.Revision++
	if next.SignedIdentify && next.IdentifySecret == "" {
		secret := make([]byte, 32)
		if _, err := rand.Read(secret); err != nil {
			return Project{}, fmt.Errorf("make an identify secret: %w", err)
		}
		next.IdentifySecret = "is_" + hex.EncodeToString(secret)
	}
	return next, next.write(ctx, db, author)
}

func (c Change) apply(p Project) (Project, error) {
	var issues []muster.Issue
	refuse := func(pointer, code, detail string) {
		issues = append(issues, muster.Issue{Pointer: pointer, Code: code, Detail: detail})
	}
	if c.Name != nil {
		switch n := utf8.RuneCountInString(*c.Name); {
		case strings.TrimSpace(*c.Name) == "":
			refuse("/name", "required", "a project needs a name")
		case n > maxProjectName:
			refuse("/name", "too_long", fmt.Sprintf("the name has %d characters; at most %d are kept", n, maxProjectName))
		}
		p.Name = *c.Name
	}
	if c.TimeZone != nil {
		zone, err := time.LoadLocation(*c.TimeZone)
		if err != nil || *c.TimeZone == "" || *c.TimeZone == "Local" {
			refuse("/time_zone", "unknown_time_zone", fmt.Sprintf("%q is no IANA time zone, such as Europe/Paris", *c.TimeZone))
		}
		p.Zone = zone
	}
	if c.SignedIdentify != nil {
		p.SignedIdentify = *c.SignedIdentify
	}
	if len(issues) > 0 {
		return p, &muster.Error{Code: muster.InvalidArgument, Detail: "the project's settings are not valid", Issues: issues}
	}
	return p, nil
}

// write appends the project as a revision. The deduplication token makes the number of the revision a compare-and-swap.
func (p Project) write(ctx context.Context, db *clickhouse.DB, author string) error {
	id := uuid.New()
	batch, err := db.PrepareBatch(clickhouse.WithInsertToken(ctx, fmt.Sprintf("project_settings/%d/%d", p.ID, p.Revision)), `
		INSERT INTO project_settings (project, revision, name, time_zone, signed_identify, identify_secret, author, updated_at, write)`)
	if err != nil {
		return fmt.Errorf("set the project: %w", err)
	}
	defer batch.Close()
	err = batch.Append(uint32(p.ID), p.Revision, p.Name, p.Zone.String(), p.SignedIdentify, p.IdentifySecret, author, time.Now().UTC(), id)
	if err := errors.Join(err, batch.Send()); err != nil {
		return fmt.Errorf("set the project: %w", err)
	}
	var winner uuid.UUID
	err = db.QueryRow(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": strconv.FormatUint(uint64(p.ID), 10), "revision": strconv.FormatUint(uint64(p.Revision), 10),
	}), `SELECT write FROM project_settings WHERE project = {project:UInt32} AND revision = {revision:UInt32}`).Scan(&winner)
	if err != nil {
		return fmt.Errorf("read the project back: %w", err)
	}
	if winner != id {
		return &muster.Error{
			Code: muster.Conflict, Detail: "the project was changed at the same time", Hint: "look at what it is now, and send your change again",
		}
	}
	return nil
}
