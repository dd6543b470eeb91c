package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"muster"
	"muster/queries"
	"muster/segments"
)

// explanationBody tells why a user is in a definition, or is not.
type explanationBody struct {
	User        string        `json:"user" doc:"the user's address, stable"`
	UserID      *string       `json:"user_id"`
	AnonymousID *string       `json:"anonymous_id"`
	Matched     bool          `json:"matched" doc:"whether the definition holds for the user"`
	Reason      string        `json:"reason,omitempty" doc:"why nothing holds: the user was not there at the time"`
	Sentence    string        `json:"sentence"`
	Segment     *namedBody    `json:"segment,omitempty" doc:"the segment that was asked for"`
	Tree        explainedBody `json:"tree" doc:"the definition as it was written"`
	AsOf        time.Time     `json:"as_of" doc:"the pinned now"`
	KnownAt     *time.Time    `json:"known_at,omitempty"`
	ElapsedMS   int64         `json:"elapsed_ms"`
	RowsRead    uint64        `json:"rows_read"`
	BytesRead   uint64        `json:"bytes_read"`
}

// explainedBody is a condition of the tree.
type explainedBody struct {
	Kind       string          `json:"kind" doc:"all, any, at_least, not; everyone, identified, attribute, event, aggregate, first, last, sequence, experience, answer, tag, segment, import"`
	Pointer    string          `json:"pointer" doc:"JSON Pointer to the condition, from the object whose \"definition\" it stands in: the request's body or, under a segment, that segment"`
	Definition rawObject       `json:"definition" doc:"the condition alone"`
	Sentence   string          `json:"sentence"`
	Matched    bool            `json:"matched"`
	Segment    *namedBody      `json:"segment,omitempty" doc:"of a segment; its own tree is the only child"`
	Value      any             `json:"value,omitzero" doc:"what is compared: the attribute's value, the number of events that counted, the aggregate, the time of the event, the number of steps done, the answer that decides; null where there is none"`
	Threshold  rawObject       `json:"threshold,omitempty" doc:"what it is compared with: op and value"`
	Window     *spanBody       `json:"window,omitempty" doc:"when the events count, or when the time must be"`
	ValueKind  string          `json:"value_kind,omitempty" doc:"text, number, boolean, list, time, or null for a value that was unset"`
	Source     string          `json:"source,omitempty" doc:"of the value: native, custom, import, integration"`
	SaidAt     *time.Time      `json:"said_at,omitempty" doc:"when the value was said, or unset"`
	Count      *uint64         `json:"count,omitempty" doc:"how many events counted, or answers there were"`
	Times      []time.Time     `json:"times,omitzero" doc:"of the last five events that counted, the newest first"`
	Steps      []stepBody      `json:"steps,omitempty" doc:"of the sequence, with the times of the best chain"`
	Answers    []answerBody    `json:"answers,omitzero" doc:"up to five answers: those that count first, then the newest; the newest first where only the latest counts"`
	Children   []explainedBody `json:"children,omitempty"`
}

// namedBody names a segment.
type namedBody struct {
	ID       string `json:"id"`
	Revision uint32 `json:"revision"`
	Name     string `json:"name"`
}

// spanBody is when something must be.
type spanBody struct {
	From         *time.Time `json:"from" doc:"null for no beginning"`
	FromIncluded bool       `json:"from_included"`
	To           *time.Time `json:"to" doc:"null for no end"`
	ToIncluded   bool       `json:"to_included"`
}

type stepBody struct {
	Event string     `json:"event"`
	Time  *time.Time `json:"time" doc:"null for a step the best chain did not come to"`
}

type answerBody struct {
	Value   any       `json:"value"`
	Kind    string    `json:"kind"`
	Time    time.Time `json:"time"`
	Counted bool      `json:"counted" doc:"whether it compares as asked; of a negative operator, as its positive asks"`
}

// missing is a value that is not there, where one could be.
var missing = jsontext.Value("null")

func newNamedBody(seg *segments.Segment) *namedBody {
	if seg == nil {
		return nil
	}
	return &namedBody{seg.ID, seg.Revision, seg.Name}
}

func newExplainedBody(x *segments.Explained) explainedBody {
	c := x.Condition
	body := explainedBody{
		Kind: c.Kind, Pointer: "/definition" + c.Pointer, Definition: rawObject(queries.Print(c.Definition)),
		Sentence: queries.Sentence(c.Definition), Matched: x.Matched, Segment: newNamedBody(x.Segment), Threshold: rawObject(c.Asked),
	}
	if c.Span != nil {
		body.Window = &spanBody{c.Span.From, c.Span.FromIncluded, c.Span.To, c.Span.ToIncluded}
	}
	if x.Seen != nil {
		body.show(x.Seen)
	}
	for _, child := range x.Of {
		body.Children = append(body.Children, newExplainedBody(child))
	}
	return body
}

// show puts in what a leaf looked at.
func (b *explainedBody) show(s *segments.Seen) {
	b.Value, b.Count, b.Times = s.Value, s.Count, s.Times
	if b.Value == nil {
		b.Value = missing
	}
	if s.Fact != nil {
		b.ValueKind, b.Source, b.SaidAt = s.Fact.Kind, s.Fact.Source, s.Fact.Said
	}
	for _, step := range s.Steps {
		b.Steps = append(b.Steps, stepBody(step))
	}
	if s.Answers != nil {
		b.Answers = []answerBody{}
		for _, a := range s.Answers {
			b.Answers = append(b.Answers, answerBody(a))
		}
	}
}

func (s *server) registerExplain(api huma.API) {
	post(s, api, "/segments/explain", "Tell why a user is in a segment or a definition, or is not", func(ctx context.Context, in *struct {
		Body struct {
			Definition rawObject  `json:"definition,omitempty" doc:"this or a segment"`
			Segment    string     `json:"segment,omitempty" doc:"the id of a segment, as it is currently defined"`
			User       string     `json:"user" doc:"the user's address"`
			AsOf       *time.Time `json:"as_of,omitempty"`
			KnownAt    *time.Time `json:"known_at,omitempty" doc:"also ignore what was received later"`
		}
	},
	) (*struct{ Body explanationBody }, error) {
		project := projectOf(ctx)
		var definition queries.Definition
		var segment *segments.Segment
		switch given := len(in.Body.Definition) > 0; {
		case given == (in.Body.Segment != ""):
			return nil, &muster.Error{
				Code: muster.InvalidArgument, Detail: "an explanation is of a definition or of a segment",
				Hint: `send either "definition" or "segment"`,
			}
		case given:
			var err error
			if definition, err = decodeDefinition(in.Body.Definition, "/definition"); err != nil {
				return nil, err
			}
		default:
			found, err := s.Segments.Get(ctx, project.ID, in.Body.Segment)
			if err != nil {
				return nil, err
			}
			definition, segment = found.Definition, &found
		}
		user, err := userAddress(in.Body.User)
		if err != nil {
			return nil, err
		}
		x, err := s.Evaluator.Explain(ctx, project, definition, user, segments.At{AsOf: in.Body.AsOf, KnownAt: in.Body.KnownAt})
		if err != nil {
			return nil, queries.At("/definition", err)
		}
		return &struct{ Body explanationBody }{explanationBody{
			User: x.User.Actor.String(), UserID: x.User.UserID, AnonymousID: x.User.AnonymousID, Matched: x.Root.Matched, Reason: x.Reason,
			Sentence: queries.Sentence(definition), Segment: newNamedBody(segment), Tree: newExplainedBody(x.Root), AsOf: x.AsOf,
			KnownAt: in.Body.KnownAt, ElapsedMS: x.Elapsed.Milliseconds(), RowsRead: x.RowsRead, BytesRead: x.BytesRead,
		}}, nil
	})
}

// userAddress reads the address of a user; what is none is the address of nobody.
func userAddress(text string) (muster.Actor, error) {
	actor, err := muster.ParseActor(text)
	if err != nil {
		return 0, &muster.Error{
			Code: muster.NotFound, Detail: "there is no user " + text + " in this project",
			Hint: "POST /api/v1/users/query lists users; their \"user\" is the address, 16 hexadecimal digits",
		}
	}
	return actor, nil
}
