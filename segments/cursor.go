package segments

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"muster"
	"muster/queries"
)

// defaultLimit is the length of a page nobody gave a length for.
const defaultLimit = 50

// cursor is where a list goes on: after a user, as of the time the first page was asked for.
type cursor struct {
	After   uint32    `json:"a"` // a uid
	AsOf    int64     `json:"t"` // unix milliseconds
	KnownAt int64     `json:"k,omitempty"`
	Run     string    `json:"r,omitempty"` // of a list of members
	List    string    `json:"l,omitempty"` // names what is listed and how it is sorted
	At      *position `json:"p,omitempty"` // of a sorted list
}

// position is a [queries.Position] without its uid. Its text may be any bytes.
type position struct {
	Missing bool    `json:"m,omitempty"`
	Kind    uint8   `json:"k,omitempty"`
	Number  float64 `json:"n,omitempty"`
	Text    []byte  `json:"t,omitempty"`
}

// before returns the position of the last user of the page before, in a sorted list.
func (c cursor) before() *queries.Position {
	if c.At == nil {
		return nil
	}
	return &queries.Position{Missing: c.At.Missing, Kind: c.At.Kind, Number: c.At.Number, Text: string(c.At.Text), UID: c.After}
}

func (c cursor) String() string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("print a cursor: %v", err)) // plain fields
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseCursor(text string) (cursor, error) {
	var c cursor
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil || c.AsOf == 0 {
		return c, &muster.Error{
			Code: muster.InvalidArgument, Detail: "the cursor is not one of ours", Hint: "send the \"next\" of the page before, unchanged",
		}
	}
	return c, nil
}

// otherList refuses a cursor that was made for something else.
func otherList() error {
	return &muster.Error{
		Code: muster.InvalidArgument, Detail: "the cursor is of another list",
		Hint: "send the \"next\" of the page before with the same request; change only the limit and the columns",
	}
}
