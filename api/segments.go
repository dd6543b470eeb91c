package api

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster"
	"muster/queries"
	"muster/segments"
)

// segmentBody is a segment as people see it.
type segmentBody struct {
	ID             string    `json:"id"`
	Revision       uint32    `json:"revision"`
	Name           string    `json:"name"`
	Description    string    `json:"description"`
	Definition     rawObject `json:"definition"`
	DefinitionHash string    `json:"definition_hash" doc:"SHA-256 of the canonical definition"`
	Sentence       string    `json:"sentence" doc:"the definition in one English sentence"`
	Live           bool      `json:"live"`
	Schedule       string    `json:"schedule,omitempty" doc:"five cron fields, in UTC"`
	BrowserVisible bool      `json:"browser_visible"`
	Author         string    `json:"author"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
	LastRun        *runBody  `json:"last_run" doc:"the newest materialization, or null"`

	Warnings []segments.Warning `json:"warnings,omitempty" doc:"when it is saved: what is probably not meant"`
	LiveAsOf *time.Time         `json:"live_as_of,omitempty" doc:"of a live segment: as of when its members are those of the newest run"`
}

// segmentBody is a segment with its newest run, and how current that is.
func (s *server) segmentBody(seg segments.Segment, last *segments.Run) segmentBody {
	body := newSegmentBody(seg, last)
	if seg.Live && last != nil {
		asOf := last.AsOf
		if current, ok := s.Current.Project(seg.Project).AsOf(); ok && current.After(asOf) {
			asOf = current
		}
		body.LiveAsOf = &asOf
	}
	return body
}

func newSegmentBody(seg segments.Segment, last *segments.Run) segmentBody {
	body := segmentBody{
		ID: seg.ID, Revision: seg.Revision, Name: seg.Name, Description: seg.Description,
		Definition: rawObject(queries.Print(seg.Definition)), DefinitionHash: queries.Hash(seg.Definition),
		Sentence: queries.Sentence(seg.Definition), Live: seg.Live, Schedule: seg.Schedule,
		BrowserVisible: seg.BrowserVisible, Author: seg.Author, CreatedAt: seg.CreatedAt, UpdatedAt: seg.UpdatedAt,
	}
	if last != nil {
		run := newRunBody(*last)
		body.LastRun = &run
	}
	return body
}

// draftBody is what a person writes of a segment.
type draftBody struct {
	Name           string    `json:"name"`
	Description    string    `json:"description,omitempty"`
	Definition     rawObject `json:"definition"`
	Live           bool      `json:"live,omitempty" doc:"keep the membership fresh without being asked"`
	Schedule       string    `json:"schedule,omitempty" doc:"five cron fields, in UTC: when to materialize"`
	BrowserVisible bool      `json:"browser_visible,omitempty" doc:"let a page ask whether its user is a member"`
}

func (b draftBody) draft() (segments.Draft, error) {
	definition, err := decodeDefinition(b.Definition, "/definition")
	return segments.Draft{
		Name: b.Name, Description: b.Description, Definition: definition, Live: b.Live, Schedule: b.Schedule,
		BrowserVisible: b.BrowserVisible,
	}, err
}

// decodeDefinition reads a definition that stands at a pointer of the body.
func decodeDefinition(text rawObject, pointer string) (queries.Definition, error) {
	definition, err := queries.Decode(text)
	return definition, queries.At(pointer, err)
}

// inDefinition moves the pointers of a refused definition to where it stands in the body.
func inDefinition(err error) error {
	if muster.CodeOf(err) == muster.InvalidDefinition {
		return queries.At("/definition", err)
	}
	return err
}

// author is who a change made with the project's secret key is put down to.
const author = "secret key"

func etag(revision uint32) string { return `"` + strconv.FormatUint(uint64(revision), 10) + `"` }

// ifMatch reads the revision of an If-Match header; none and * are zero, any revision.
func ifMatch(header string) (uint32, error) {
	header = strings.TrimSpace(header)
	if header == "" || header == "*" {
		return 0, nil
	}
	text := strings.Trim(strings.TrimPrefix(header, "W/"), `"`)
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 {
		return 0, &muster.Error{
			Code: muster.InvalidArgument, Detail: "If-Match is not the ETag of a segment",
			Hint: `send the ETag of the revision you read, such as "3"`,
		}
	}
	return uint32(n), nil
}

type segmentOutput struct {
	ETag string `header:"ETag" doc:"the revision, for If-Match"`
	Body segmentBody
}

type segmentPath struct {
	ID string `path:"id"`
}

func (s *server) registerSegments(api huma.API) {
	get(s, api, "/segments", "List the segments", func(ctx context.Context, _ *struct{}) (*struct {
		Body struct {
			Segments []segmentBody `json:"segments"`
			Next     *string       `json:"next"`
		}
	}, error,
	) {
		out := &struct {
			Body struct {
				Segments []segmentBody `json:"segments"`
				Next     *string       `json:"next"`
			}
		}{}
		project := projectOf(ctx)
		list, err := s.Segments.List(ctx, project.ID)
		if err != nil {
			return nil, err
		}
		last, err := s.Evaluator.LastRuns(ctx, project.ID)
		if err != nil {
			return nil, err
		}
		out.Body.Segments = []segmentBody{}
		for _, seg := range list {
			out.Body.Segments = append(out.Body.Segments, s.segmentBody(seg, last[seg.ID]))
		}
		return out, nil
	})
	post(s, api, "/segments", "Save a new segment", func(ctx context.Context, in *struct{ Body draftBody }) (*segmentOutput, error) {
		draft, err := in.Body.draft()
		if err != nil {
			return nil, err
		}
		seg, err := s.Segments.Create(ctx, projectOf(ctx).ID, draft, author)
		if err != nil {
			return nil, err
		}
		out := &segmentOutput{ETag: etag(seg.Revision), Body: newSegmentBody(seg, nil)}
		out.Body.Warnings = s.warnings(ctx, seg)
		return out, nil
	}, status(http.StatusCreated))
	get(s, api, "/segments/{id}", "Read a segment", func(ctx context.Context, in *segmentPath) (*segmentOutput, error) {
		project := projectOf(ctx)
		seg, err := s.Segments.Get(ctx, project.ID, in.ID)
		if err != nil {
			return nil, err
		}
		return s.segmentOutput(ctx, seg)
	})
	put(s, api, "/segments/{id}", "Replace a segment with a new revision", func(ctx context.Context, in *struct {
		ID      string `path:"id"`
		IfMatch string `header:"If-Match" doc:"the ETag that was read; a later revision refuses the change"`
		Body    draftBody
	},
	) (*segmentOutput, error) {
		current, err := ifMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		draft, err := in.Body.draft()
		if err != nil {
			return nil, err
		}
		seg, err := s.Segments.Replace(ctx, projectOf(ctx).ID, in.ID, current, draft, author)
		if err != nil {
			return nil, err
		}
		out, err := s.segmentOutput(ctx, seg)
		if err != nil {
			return nil, err
		}
		out.Body.Warnings = s.warnings(ctx, seg)
		return out, nil
	})
	remove(s, api, "/segments/{id}", "Delete a segment that no other uses", func(ctx context.Context, in *struct {
		ID      string `path:"id"`
		IfMatch string `header:"If-Match"`
	},
	) (*struct{}, error) {
		current, err := ifMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return nil, s.Segments.Delete(ctx, projectOf(ctx).ID, in.ID, current, author)
	})
	get(s, api, "/segments/{id}/revisions", "List a segment's revisions, the newest first", func(ctx context.Context, in *segmentPath) (*struct {
		Body struct {
			Revisions []segmentBody `json:"revisions"`
		}
	}, error,
	) {
		out := &struct {
			Body struct {
				Revisions []segmentBody `json:"revisions"`
			}
		}{}
		all, err := s.Segments.Revisions(ctx, projectOf(ctx).ID, in.ID)
		if err != nil {
			return nil, err
		}
		for _, seg := range all {
			out.Body.Revisions = append(out.Body.Revisions, newSegmentBody(seg, nil))
		}
		return out, nil
	})
}

func (s *server) segmentOutput(ctx context.Context, seg segments.Segment) (*segmentOutput, error) {
	last, err := s.Evaluator.LastRuns(ctx, seg.Project)
	if err != nil {
		return nil, err
	}
	return &segmentOutput{ETag: etag(seg.Revision), Body: s.segmentBody(seg, last[seg.ID])}, nil
}

// warnings looks at a segment that was saved. It is saved, whatever comes of looking.
func (s *server) warnings(ctx context.Context, seg segments.Segment) []segments.Warning {
	warnings, err := s.Evaluator.Warnings(ctx, projectOf(ctx), seg.Definition)
	if err != nil {
		s.Log.WarnContext(ctx, "a saved segment could not be looked at", slog.String("segment", seg.ID), slog.Any("error", err))
		return nil
	}
	return warningsAt("/definition", warnings)
}

// warningsAt moves the pointers of warnings under a place in the body.
func warningsAt(pointer string, warnings []segments.Warning) []segments.Warning {
	for i := range warnings {
		warnings[i].Pointer = pointer + warnings[i].Pointer
	}
	return warnings
}
