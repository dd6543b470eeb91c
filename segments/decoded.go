package segments

import (
	"sync"

	"muster/queries"
)

// maxDecoded is how many definitions are remembered.
const maxDecoded = 20_000

// decoded remembers what the texts of saved definitions say: all of a project are asked for by whatever may name one, and few
// are new. Definitions are never changed once they are read.
type decoded struct {
	mu     sync.Mutex
	byText map[string]queries.Definition
}

// definition reads a text, or remembers it.
func (d *decoded) definition(text string) (queries.Definition, error) {
	d.mu.Lock()
	known, ok := d.byText[text]
	d.mu.Unlock()
	if ok {
		return known, nil
	}
	read, err := queries.Decode([]byte(text))
	if err != nil {
		return read, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byText == nil || len(d.byText) >= maxDecoded {
		d.byText = map[string]queries.Definition{}
	}
	d.byText[text] = read
	return read, nil
}
