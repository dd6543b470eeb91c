package segments

import "time"

// Fact is a value that was said of a user.
type Fact struct {
	Value  any    // string, float64, bool, []string or time.Time; nil for one that was unset
	Kind   string // "text", "number", "boolean", "list", "time" or "null"
	Source string // "native", "custom", "import" or "integration"
	Said   *time.Time
}

// stored is a value as the tables keep it.
type stored struct {
	kind, text string
	number     *float64
	list       []string
	instant    int64 // milliseconds, of kind "time"
}

// value returns what a stored value is: a string, float64, bool, []string or time.Time; nil for one that was unset.
func (s stored) value() any {
	switch s.kind {
	case "null":
		return nil
	case "number":
		if s.number == nil {
			return nil
		}
		return *s.number
	case "boolean":
		return s.text == "true"
	case "list":
		if s.list == nil {
			return []string{}
		}
		return s.list
	case "time":
		return time.UnixMilli(s.instant).UTC()
	default:
		return s.text
	}
}
