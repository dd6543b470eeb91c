package segments

import (
	"fmt"
	"testing"

	"muster"
)

// TestDecoded reads texts again and again, also more than are remembered, and never remembers one that says nothing.
func TestDecoded(t *testing.T) {
	var d decoded
	for i := range 2 * (maxDecoded + 10) {
		text := fmt.Sprintf(`{"tag":"t%d"}`, i%(maxDecoded+10))
		definition, err := d.definition(text)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := d.definition(text); err != nil || again != definition {
			t.Fatalf("%s is read as %v, and then as %v, %v", text, definition, again, err)
		}
		if len(d.byText) > maxDecoded {
			t.Fatalf("%d definitions are remembered; want at most %d", len(d.byText), maxDecoded)
		}
	}
	for range 2 {
		if _, err := d.definition(`{"tag":`); muster.CodeOf(err) != muster.InvalidDefinition {
			t.Fatalf("half a definition is read with %v; want an invalid definition", err)
		}
	}
}
