package api

import (
	"fmt"
	"io"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// strictJSON reads bodies without guessing: a key that stands twice, in another case or in broken UTF-8 is refused.
var strictJSON = huma.Format{
	Marshal: func(w io.Writer, v any) error { return json.MarshalWrite(w, v) },
	Unmarshal: func(data []byte, v any) error {
		if err := json.Unmarshal(data, v); err != nil {
			return fmt.Errorf("the body is not valid JSON: %w", err)
		}
		return nil
	},
}

// rawObject is a JSON object kept as it came, for the package that knows how to read it.
type rawObject jsontext.Value

// Schema describes any JSON object.
func (rawObject) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "a definition in the segment language; see docs/segments.md"}
}

// MarshalJSON returns the object as it came.
func (o rawObject) MarshalJSON() ([]byte, error) { return jsontext.Value(o).MarshalJSON() }

// UnmarshalJSON keeps a copy of the text.
func (o *rawObject) UnmarshalJSON(text []byte) error { return (*jsontext.Value)(o).UnmarshalJSON(text) }
