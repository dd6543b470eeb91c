package ingest

import (
	"fmt"
	"strings"
	"testing"
)

func TestTheNewestRejectionsAreKept(t *testing.T) {
	var k rejections
	for i := range maxRejections + 10 {
		k.keep(1, receipt, fmt.Append(nil, i), Rejection{Index: i})
	}
	got := k.newest(1)
	if len(got) != maxRejections || got[0].Index != maxRejections+9 || got[maxRejections-1].Index != 10 {
		t.Errorf("%d are kept, from %d to %d", len(got), got[0].Index, got[len(got)-1].Index)
	}
	if len(k.newest(2)) != 0 {
		t.Error("another project sees them")
	}
}

func TestTheDoorKeepsWhatItRejects(t *testing.T) {
	d := newTestDoor(t, openSpool(t))
	bad := `{"type":"track","userId":"u","event":"` + strings.Repeat("é", maxRejectedText) + `"}`
	post(t, d, "/v1/batch", `{"writeKey":"wk","batch":[`+bad+`]}`)
	post(t, d, "/v1/track", `{"writeKey":"wk","event":"e"}`)
	got := d.Rejections(7)
	if len(got) != 2 {
		t.Fatalf("%d are kept", len(got))
	}
	if got[0].Code != RejectMissingID || got[0].Message != `{"writeKey":"wk","event":"e"}` || !got[0].Received.Equal(receipt) {
		t.Errorf("kept %+v", got[0])
	}
	if got[1].Code != RejectTooLong || got[1].Pointer != "/batch/0/event" || !strings.HasPrefix(bad, got[1].Message) || len(got[1].Message) < maxRejectedText-1 {
		t.Errorf("kept %+v", got[1])
	}
	if stats := d.Stats(); stats.Accepted != 0 || stats.Rejected != 2 {
		t.Errorf("counted %+v", stats)
	}
}
