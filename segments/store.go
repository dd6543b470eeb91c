package segments

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/robfig/cron/v3"

	"muster"
	"muster/clickhouse"
	"muster/queries"
)

// Limits of what people write, in characters.
const (
	maxName        = 200
	maxDescription = 2000
)

// Store keeps segments as append-only revisions: an edit never destroys an older one.
type Store struct {
	db      *clickhouse.DB
	decoded decoded
	// saving is held from a check to what it allows, so that two changes that are right alone do not make a ring together.
	// It holds for one process; what several do at the same moment is found out when it is evaluated.
	saving sync.Mutex
}

// NewStore returns a store over db.
func NewStore(db *clickhouse.DB) *Store { return &Store{db: db} }

// Create saves a new segment under a new id.
func (s *Store) Create(ctx context.Context, project muster.ProjectID, draft Draft, author string) (Segment, error) {
	s.saving.Lock()
	defer s.saving.Unlock()
	id, err := uuid.NewV7()
	if err != nil {
		return Segment{}, fmt.Errorf("make a segment id: %w", err)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	seg := fromDraft(draft)
	seg.Project, seg.ID, seg.Revision, seg.Author, seg.CreatedAt, seg.UpdatedAt = project, id.String(), 1, author, now, now
	if err := s.check(ctx, seg); err != nil {
		return Segment{}, err
	}
	return seg, s.write(ctx, seg, false)
}

// Replace saves a new revision. With a revision above zero given, it must still be the current one.
func (s *Store) Replace(ctx context.Context, project muster.ProjectID, id string, current uint32, draft Draft, author string) (Segment, error) {
	s.saving.Lock()
	defer s.saving.Unlock()
	old, err := s.Get(ctx, project, id)
	if err != nil {
		return Segment{}, err
	}
	if current != 0 && current != old.Revision {
		return Segment{}, changedMeanwhile(old)
	}
	seg := fromDraft(draft)
	seg.Project, seg.ID, seg.Revision, seg.Author = project, id, old.Revision+1, author
	seg.CreatedAt, seg.UpdatedAt = old.CreatedAt, time.Now().UTC().Truncate(time.Millisecond)
	if err := s.check(ctx, seg); err != nil {
		return Segment{}, err
	}
	return seg, s.write(ctx, seg, false)
}

// Delete ends a segment that no other segment names. Its revisions and runs stay for those who look back.
func (s *Store) Delete(ctx context.Context, project muster.ProjectID, id string, current uint32, author string) error {
	s.saving.Lock()
	defer s.saving.Unlock()
	all, err := s.Current(ctx, project)
	if err != nil {
		return err
	}
	seg, ok := all[id]
	if !ok {
		return notFound(id)
	}
	if current != 0 && current != seg.Revision {
		return changedMeanwhile(seg)
	}
	var users []muster.Issue
	for _, other := range sorted(all) {
		if other.ID != id && slices.Contains(queries.References(other.Definition), id) {
			users = append(users, muster.Issue{
				Pointer: "", Code: "in_use", Detail: fmt.Sprintf("segment %q (%s) uses it", other.Name, other.ID),
			})
		}
	}
	if len(users) > 0 {
		return &muster.Error{
			Code: muster.Conflict, Detail: fmt.Sprintf("segment %q is in use", seg.Name), Issues: users,
			Hint: "remove it from the segments that use it first",
		}
	}
	seg.Revision, seg.Author, seg.UpdatedAt = seg.Revision+1, author, time.Now().UTC().Truncate(time.Millisecond)
	return s.write(ctx, seg, true)
}

// Get returns the current revision of a segment.
func (s *Store) Get(ctx context.Context, project muster.ProjectID, id string) (Segment, error) {
	all, err := s.revisions(ctx, project, id)
	if err != nil {
		return Segment{}, err
	}
	if len(all) == 0 || all[0].deleted {
		return Segment{}, notFound(id)
	}
	return all[0].Segment, nil
}

// List returns the current segments, the oldest first.
func (s *Store) List(ctx context.Context, project muster.ProjectID) ([]Segment, error) {
	all, err := s.Current(ctx, project)
	if err != nil {
		return nil, err
	}
	return sorted(all), nil
}

// Revisions returns all revisions of a segment, the newest first.
func (s *Store) Revisions(ctx context.Context, project muster.ProjectID, id string) ([]Segment, error) {
	rows, err := s.revisions(ctx, project, id)
	if err != nil {
		return nil, err
	}
	var all []Segment
	for _, row := range rows {
		if !row.deleted {
			all = append(all, row.Segment)
		}
	}
	if len(all) == 0 {
		return nil, notFound(id)
	}
	return all, nil
}

// Current returns the current segments of a project by id.
func (s *Store) Current(ctx context.Context, project muster.ProjectID) (map[string]Segment, error) {
	rows, err := s.read(ctx, project, `SELECT `+columns+` FROM (
		SELECT `+columns+` FROM segments WHERE project = {project:UInt32} ORDER BY segment, revision DESC LIMIT 1 BY segment
	) WHERE NOT deleted`, clickhouse.Parameters{})
	if err != nil {
		return nil, err
	}
	all := make(map[string]Segment, len(rows))
	for _, row := range rows {
		all[row.ID] = row.Segment
	}
	return all, nil
}

// check refuses a segment that could not be evaluated or scheduled, or that would name itself, however far around.
func (s *Store) check(ctx context.Context, seg Segment) error {
	var issues []muster.Issue
	refuse := func(pointer, code, detail string) {
		issues = append(issues, muster.Issue{Pointer: pointer, Code: code, Detail: detail})
	}
	switch n := utf8.RuneCountInString(seg.Name); {
	case strings.TrimSpace(seg.Name) == "":
		refuse("/name", "required", "a segment needs a name")
	case n > maxName:
		refuse("/name", "too_long", fmt.Sprintf("the name has %d characters; at most %d are kept", n, maxName))
	}
	if n := utf8.RuneCountInString(seg.Description); n > maxDescription {
		refuse("/description", "too_long", fmt.Sprintf("the description has %d characters; at most %d are kept", n, maxDescription))
	}
	if err := CheckSchedule(seg.Schedule); err != nil {
		refuse("/schedule", "invalid_schedule", err.Error())
	}
	if len(issues) > 0 {
		return &muster.Error{Code: muster.InvalidArgument, Detail: "the segment is not valid", Issues: issues}
	}
	all, err := s.Current(ctx, seg.Project)
	if err != nil {
		return err
	}
	imports, err := s.imports(ctx, seg.Project)
	if err != nil {
		return err
	}
	all[seg.ID] = seg
	lookup := func(id string) (queries.Definition, bool) {
		found, ok := all[id]
		return found.Definition, ok
	}
	known := func(id string) bool { return imports[id] }
	if err := queries.CheckReferences(seg.ID, lookup, known); err != nil {
		return err
	}
	// Segments that use this one grow with it.
	for _, other := range usersOf(seg.ID, all) {
		if err := queries.CheckReferences(other.ID, lookup, known); err != nil {
			return &muster.Error{
				Code: muster.InvalidDefinition, Detail: "a segment that uses this one could not be evaluated any more", Err: err,
				Issues: []muster.Issue{{
					Pointer: "/definition", Code: "breaks_segment", Detail: fmt.Sprintf("segment %q (%s): %v", other.Name, other.ID, err),
				}},
			}
		}
	}
	return nil
}

// usersOf lists the segments that name a segment, or one that does, however far around.
func usersOf(id string, all map[string]Segment) []Segment {
	uses := map[string]bool{id: true}
	var users []Segment
	for more := true; more; {
		more = false
		for _, seg := range sorted(all) {
			if uses[seg.ID] || !slices.ContainsFunc(queries.References(seg.Definition), func(of string) bool { return uses[of] }) {
				continue
			}
			uses[seg.ID], more = true, true
			users = append(users, seg)
		}
	}
	return users
}

// CheckSchedule tells what is wrong with a cron schedule: five fields, in UTC. An empty one is none, and right.
func CheckSchedule(schedule string) error {
	if schedule == "" {
		return nil
	}
	if strings.Contains(schedule, "TZ=") {
		return fmt.Errorf("%q names a time zone; schedules run in UTC", schedule)
	}
	if _, err := cron.ParseStandard(schedule); err != nil {
		return fmt.Errorf("%q is not a schedule of five cron fields, such as \"*/15 * * * *\": %w", schedule, err)
	}
	return nil
}

func fromDraft(d Draft) Segment {
	return Segment{
		Name: d.Name, Description: d.Description, Definition: d.Definition, Live: d.Live, Schedule: d.Schedule,
		BrowserVisible: d.BrowserVisible,
	}
}

func sorted(all map[string]Segment) []Segment {
	list := make([]Segment, 0, len(all))
	for _, seg := range all {
		list = append(list, seg)
	}
	slices.SortFunc(list, func(a, b Segment) int { return strings.Compare(a.ID, b.ID) })
	return list
}

func notFound(id string) error {
	return &muster.Error{
		Code: muster.NotFound, Detail: fmt.Sprintf("there is no segment %q in this project", id),
		Hint: "GET /api/v1/segments lists them",
	}
}

func changedMeanwhile(seg Segment) error {
	return &muster.Error{
		Code: muster.Stale, Detail: fmt.Sprintf("segment %q is at revision %d by now", seg.Name, seg.Revision),
		Hint: "read it again, apply your change to what it says now, and send its ETag as If-Match",
	}
}

func number[T ~uint32 | ~uint64 | ~int | ~int64](n T) string { return strconv.FormatInt(int64(n), 10) }
