package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/segments"
)

type userEventBody struct {
	Event      string     `json:"event"`
	Time       time.Time  `json:"time" doc:"when it happened: the client's timestamp, corrected for its clock"`
	Received   time.Time  `json:"received" doc:"when it arrived, by our clock"`
	Timestamp  *time.Time `json:"timestamp" doc:"the client's own, or null"`
	Actor      string     `json:"actor" doc:"the actor that sent it"`
	MessageID  string     `json:"message_id"`
	Properties rawObject  `json:"properties" doc:"by their dotted names"`
	Context    rawObject  `json:"context"`
}

type userEventsBody struct {
	Events []userEventBody `json:"events"`
	Next   *string         `json:"next" doc:"the cursor of the next page, or null"`
}

func (s *server) registerUserEvents(api huma.API) {
	get(s, api, "/users/{user}/events", "List what a user did, the newest first", func(ctx context.Context, in *struct {
		User   string    `path:"user"`
		AsOf   time.Time `query:"as_of"`
		Event  string    `query:"event" doc:"only events of this name"`
		Cursor string    `query:"cursor" doc:"goes on with the list it was given for, whatever else is asked"`
		Limit  int       `query:"limit" minimum:"1" maximum:"1000" default:"50"`
	},
	) (*struct{ Body userEventsBody }, error) {
		user, err := userAddress(in.User)
		if err != nil {
			return nil, err
		}
		all, next, err := s.Evaluator.UserEvents(ctx, projectOf(ctx), user, asOf(in.AsOf), segments.EventsRequest{
			Event: in.Event, Cursor: in.Cursor, Limit: in.Limit,
		})
		if err != nil {
			return nil, err
		}
		body := userEventsBody{Events: []userEventBody{}, Next: next}
		for _, e := range all {
			body.Events = append(body.Events, userEventBody{
				Event: e.Event, Time: e.Time, Received: e.Received, Timestamp: e.Timestamp, Actor: e.Actor.String(), MessageID: e.MessageID,
				Properties: rawObject(e.Properties), Context: rawObject(e.Context),
			})
		}
		return &struct{ Body userEventsBody }{body}, nil
	})
}
