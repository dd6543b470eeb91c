package api

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"muster"
	"muster/ingest"
)

// rejectionBody is a message the door did not accept.
type rejectionBody struct {
	ID       string    `json:"id"`
	Received time.Time `json:"received"`
	Code     string    `json:"code" doc:"stable; branch on this"`
	Detail   string    `json:"detail"`
	Pointer  string    `json:"pointer" doc:"JSON Pointer into the body it came in"`
	Message  string    `json:"message" doc:"its JSON as it came, without bytes that are not UTF-8"`
	Whole    bool      `json:"whole" doc:"message is all of it; one that was cut cannot be replayed"`
}

func newRejectionBody(r ingest.Rejected) rejectionBody {
	return rejectionBody{
		ID: r.ID.String(), Received: time.UnixMicro(r.Received).UTC(), Code: string(r.Code), Detail: r.Detail, Pointer: r.Pointer,
		Message: strings.ToValidUTF8(r.Message, ""), Whole: r.Whole,
	}
}

type rejectionsBody struct {
	Rejections []rejectionBody              `json:"rejections"`
	Counts     map[ingest.RejectCode]uint64 `json:"counts" doc:"of all that are kept, by code"`
	Next       *string                      `json:"next" doc:"the cursor of the next page, or null"`
}

type replayBody struct {
	Selected int                       `json:"selected" doc:"messages decoded again"`
	Accepted int                       `json:"accepted" doc:"of them, those stored; they are no longer listed"`
	Rejected map[ingest.RejectCode]int `json:"rejected" doc:"of them, those rejected again, by code"`
}

func (s *server) registerRejections(api huma.API) {
	get(s, api, "/rejections", "List the messages that were not accepted in the last 30 days, the newest first", func(ctx context.Context, in *struct {
		Code   string `query:"code" pattern:"^[a-z_]*$" doc:"only those with this code"`
		Cursor string `query:"cursor"`
		Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"50"`
	},
	) (*struct{ Body rejectionsBody }, error) {
		var from *ingest.Place
		if in.Cursor != "" {
			place, err := ingest.ParsePlace(in.Cursor)
			if err != nil {
				return nil, err
			}
			from = &place
		}
		project := projectOf(ctx).ID
		all, err := s.Rejections.List(ctx, project, ingest.RejectionFilter{Code: ingest.RejectCode(in.Code)}, from, in.Limit)
		if err != nil {
			return nil, err
		}
		body := rejectionsBody{Rejections: []rejectionBody{}}
		for _, r := range all {
			body.Rejections = append(body.Rejections, newRejectionBody(r))
		}
		if len(all) == in.Limit {
			last := all[len(all)-1]
			next := ingest.Place{Received: last.Received, ID: last.ID}.String()
			body.Next = &next
		}
		body.Counts, err = s.Rejections.Counts(ctx, project)
		return &struct{ Body rejectionsBody }{body}, err
	})
	post(s, api, "/rejections/replay", "Decode rejected messages again, and take those that are right by now", func(ctx context.Context, in *struct {
		Body struct {
			IDs  []string `json:"ids,omitempty" maxItems:"1000" doc:"only these; all, when neither ids nor code is given"`
			Code string   `json:"code,omitempty" pattern:"^[a-z_]*$" doc:"only those with this code"`
		}
	},
	) (*struct{ Body replayBody }, error) {
		filter := ingest.RejectionFilter{Code: ingest.RejectCode(in.Body.Code)}
		if in.Body.IDs != nil {
			filter.IDs = []uuid.UUID{}
		}
		for i, text := range in.Body.IDs {
			id, err := uuid.Parse(text)
			if err != nil {
				return nil, &muster.Error{
					Code: muster.InvalidArgument, Detail: "an id is not one of ours",
					Issues: []muster.Issue{{Pointer: fmt.Sprintf("/ids/%d", i), Code: "invalid", Detail: "it must be the id of a rejection"}},
				}
			}
			filter.IDs = append(filter.IDs, id)
		}
		result, err := s.Rejections.Replay(ctx, projectOf(ctx).ID, filter)
		if err != nil {
			return nil, err
		}
		return &struct{ Body replayBody }{replayBody(result)}, nil
	})
}
