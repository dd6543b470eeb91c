package exports

import (
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"muster"
)

// maxAttributes bounds the columns of a dataset, and with them the memory a row group takes.
const maxAttributes = 200

// Request is what somebody wants exported.
type Request struct {
	Dataset string `json:"dataset"` // "members"
	Segment string `json:"segment"` // the id of the segment
	// Attributes are the columns after the fixed ones, in this order. Naming none gives the fixed columns alone. The fixed
	// user_id, anonymous_id, first_seen and last_seen may be named, and add nothing.
	Attributes []string `json:"attributes,omitempty"`
	Format     string   `json:"format"` // "parquet"; that is also what an empty one means
}

// check completes a request, or says where it is wrong.
func (r *Request) check() error {
	if r.Format == "" {
		r.Format = "parquet"
	}
	var issues []muster.Issue
	refuse := func(pointer, code, detail string) {
		issues = append(issues, muster.Issue{Pointer: pointer, Code: code, Detail: detail})
	}
	if r.Dataset != "members" {
		refuse("/dataset", "unknown_dataset", fmt.Sprintf("there is no dataset %q; there is \"members\"", r.Dataset))
	}
	if r.Format != "parquet" {
		refuse("/format", "unknown_format", fmt.Sprintf("there is no format %q; there is \"parquet\"", r.Format))
	}
	if r.Segment == "" {
		refuse("/segment", "required", "members are those of a segment; give its id")
	}
	if len(r.Attributes) > maxAttributes {
		refuse("/attributes", "too_many", fmt.Sprintf("%d attributes; at most %d are exported", len(r.Attributes), maxAttributes))
	}
	for i, name := range r.Attributes {
		pointer := "/attributes/" + strconv.Itoa(i)
		switch {
		case name == "":
			refuse(pointer, "required", "an attribute has a name")
		case !utf8.ValidString(name):
			refuse(pointer, "invalid_text", "the name is not valid UTF-8")
		case slices.Index(r.Attributes, name) < i:
			refuse(pointer, "repeated", fmt.Sprintf("%q is named twice", name))
		}
	}
	if len(issues) > 0 {
		return &muster.Error{Code: muster.InvalidArgument, Detail: "the export is not valid", Issues: issues}
	}
	return nil
}
