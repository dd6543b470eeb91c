package segments

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"muster"
	"muster/projects"
)

// tagsAttribute is the native attribute that people set.
const tagsAttribute = "tags"

// Limits of tags.
const (
	maxTag  = 700   // characters, as of every text of an attribute
	maxTags = 1_000 // of one user
)

// maxClockAhead is how far the clock of another process may be ahead for its tags to be seen.
const maxClockAhead = 24 * time.Hour

// maxTagAttempts bounds how often a change is made again because another process changed the same user's tags meanwhile.
const maxTagAttempts = 8

// Statement is a list that people say of a user.
type Statement struct {
	Project   muster.ProjectID
	Kind      muster.ActorKind // of the actor it is said of
	ID        string
	Attribute string
	List      []string
	At        time.Time // of two statements the later holds
}

// TaggerConfig is what a [Tagger] needs.
type TaggerConfig struct {
	Evaluator *Evaluator
	// State returns when a statement is durable, and the number of its message.
	State func(context.Context, Statement) (message uint64, err error)
	// Flush returns when every statement that was durable before is queryable.
	Flush func(context.Context) error
}

// Tagger changes the tags people give to users.
type Tagger struct {
	TaggerConfig

	locks [64]chan struct{} // by uid: two changes of one user follow each other
}

// NewTagger returns a tagger.
func NewTagger(c TaggerConfig) (*Tagger, error) {
	if c.Evaluator == nil || c.State == nil || c.Flush == nil {
		return nil, errors.New("segments: a part of the tagger's configuration is missing")
	}
	t := &Tagger{TaggerConfig: c}
	for i := range t.locks {
		t.locks[i] = make(chan struct{}, 1)
	}
	return t, nil
}

// Change adds and removes tags of a user, and returns those the user has then, in the order they were given. It returns when
// they are durable and queryable. What is added and there already, or removed and not there, changes nothing. Changes of one
// user at the same time, here or in other processes, are all kept.
func (t *Tagger) Change(ctx context.Context, project projects.Project, user muster.Actor, add, remove []string) ([]string, error) {
	if err := checkTags(add, remove); err != nil {
		return nil, err
	}
	scope, who, err := t.Evaluator.profileScope(ctx, project, user, At{})
	if err != nil {
		return nil, err
	}
	lock := t.locks[int(who.uid)%len(t.locks)]
	select {
	case lock <- struct{}{}:
		defer func() { <-lock }()
	case <-ctx.Done():
		return nil, failed(ctx, "change tags", ctx.Err())
	}
	var base, mine uint64 // the messages: of what we went by, and of what we wrote; zero for none
	for range maxTagAttempts {
		scope.Now = time.Now().Add(maxClockAhead).UTC().Truncate(time.Millisecond)
		said, _, err := t.Evaluator.history(ctx, scope, tagsAttribute, nil, 2)
		if err != nil {
			return nil, err
		}
		newest, before := place(said, 0), place(said, 1)
		from := newest
		if mine != 0 && newest.message == mine {
			if before.message == base {
				return tagsOf(newest), nil
			}
			// Somebody else's came between what we went by and what we wrote, and ours hid it.
			from = before
		}
		want := changed(tagsOf(from), add, remove)
		if slices.Equal(want, tagsOf(newest)) {
			return want, nil
		}
		if len(want) > maxTags {
			return nil, &muster.Error{
				Code: muster.InvalidArgument, Detail: fmt.Sprintf("the user would have %d tags; at most %d are kept", len(want), maxTags),
			}
		}
		at := time.Now().UTC().Truncate(time.Millisecond)
		if newest.Said != nil && !at.After(*newest.Said) {
			at = newest.Said.Add(time.Millisecond)
		}
		base = newest.message
		if mine, err = t.State(ctx, statement(project, who, want, at)); err != nil {
			return nil, err
		}
		if err := t.Flush(ctx); err != nil {
			return nil, failed(ctx, "wait for the tags", err)
		}
	}
	return nil, &muster.Error{
		Code: muster.Conflict, Detail: "others keep changing the user's tags at the same time", Hint: "try again",
	}
}

// statement is what is said of a user: of the actor it is known by.
func statement(project projects.Project, who identity, tags []string, at time.Time) Statement {
	of := who.knownBy()
	s := Statement{Project: project.ID, Kind: muster.Anonymous, ID: of.ID, Attribute: tagsAttribute, List: tags, At: at}
	if of.Kind == "user" {
		s.Kind = muster.Identified
	}
	return s
}

// place returns a snapshot of a history, or none.
func place(all []Snapshot, i int) Snapshot {
	if i < len(all) {
		return all[i]
	}
	return Snapshot{}
}

func tagsOf(s Snapshot) []string {
	tags, _ := s.Value.([]string)
	return tags
}

// changed returns tags with some added at the end and some removed, each once.
func changed(tags, add, remove []string) []string {
	made := []string{}
	for _, tag := range slices.Concat(tags, add) {
		if !slices.Contains(remove, tag) && !slices.Contains(made, tag) {
			made = append(made, tag)
		}
	}
	return made
}

// checkTags refuses what cannot be a tag, and what is both added and removed.
func checkTags(add, remove []string) error {
	var issues []muster.Issue
	for i, tag := range add {
		pointer := fmt.Sprintf("/add/%d", i)
		switch n := utf8.RuneCountInString(tag); {
		case tag == "":
			issues = append(issues, muster.Issue{Pointer: pointer, Code: "required", Detail: "a tag must not be empty"})
		case n > maxTag:
			issues = append(issues, muster.Issue{
				Pointer: pointer, Code: "too_long", Detail: fmt.Sprintf("the tag has %d characters; at most %d are kept", n, maxTag),
			})
		case slices.Contains(remove, tag):
			issues = append(issues, muster.Issue{Pointer: pointer, Code: "contradiction", Detail: fmt.Sprintf("%q is removed too", tag)})
		}
	}
	if len(issues) > 0 {
		return &muster.Error{Code: muster.InvalidArgument, Detail: "the tags cannot be changed so", Issues: issues}
	}
	return nil
}
