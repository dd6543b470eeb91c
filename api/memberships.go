package api

import (
	"context"
	"fmt"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"muster"
	"muster/membership"
)

func (s *server) registerMemberships(api huma.API) {
	post(s, api, "/users/{user}/segments", "Tell which live segments a user is in, from memory", func(ctx context.Context, in *struct {
		User string `path:"user" doc:"the user's address, or that of one of its actors"`
		Body struct {
			Segments []string `json:"segments,omitempty" maxItems:"1000" doc:"the live segments to look at; all, when it is missing"`
		}
	},
	) (*struct{ Body membershipsBody }, error) {
		actor, err := muster.ParseActor(in.User)
		if err != nil {
			return nil, err
		}
		project := s.Current.Project(projectOf(ctx).ID)
		if err := notLive(project, in.Body.Segments); err != nil {
			return nil, err
		}
		answer, loaded := project.Of(actor, func(seg membership.Segment) bool {
			return in.Body.Segments == nil || slices.Contains(in.Body.Segments, seg.ID)
		})
		switch {
		case !loaded:
			return nil, errNotLoaded
		case answer.User == 0:
			return nil, &muster.Error{Code: muster.NotFound, Detail: fmt.Sprintf("there is no user %s in this project", in.User)}
		}
		return &struct{ Body membershipsBody }{newMembershipsBody(answer)}, nil
	})
}

// notLive refuses segments whose members are not in memory: those that are not live, or are not there.
func notLive(project *membership.Project, ids []string) error {
	var issues []muster.Issue
	for i, id := range ids {
		if project.Members(id) == nil {
			issues = append(issues, muster.Issue{
				Pointer: fmt.Sprintf("/segments/%d", i), Code: "not_live", Detail: fmt.Sprintf("there is no live segment %q in this project", id),
			})
		}
	}
	if _, loaded := project.AsOf(); len(issues) == 0 || !loaded {
		return nil
	}
	return &muster.Error{
		Code: muster.InvalidArgument, Detail: "only live segments are kept in memory", Issues: issues,
		Hint: "save the segment with \"live\": true; its members are here a few seconds later",
	}
}
