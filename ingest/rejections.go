package ingest

import (
	"strings"
	"sync"
	"time"

	"muster"
)

const (
	// maxRejections bounds how many rejected messages are kept, of all projects together.
	maxRejections = 1000
	// maxRejectedText bounds how much of each is kept, in bytes.
	maxRejectedText = 2 << 10
)

// Rejected is a message that was not accepted, kept for the operator.
type Rejected struct {
	Rejection

	Received time.Time `json:"received"`
	Message  string    `json:"message"` // its JSON, cut to 2 KiB
}

// rejections are the newest rejected messages. They live in memory: they help to mend a sender, they are no data.
type rejections struct {
	mu   sync.Mutex
	ring []rejectedOf
	next int // where the next one goes once the ring is full
}

type rejectedOf struct {
	Rejected

	project muster.ProjectID
}

func (k *rejections) keep(project muster.ProjectID, received time.Time, raw []byte, r Rejection) {
	text := strings.ToValidUTF8(string(raw[:min(len(raw), maxRejectedText)]), "")
	one := rejectedOf{Rejected{r, received.UTC(), text}, project}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.ring) < maxRejections {
		k.ring = append(k.ring, one)
		return
	}
	k.ring[k.next] = one
	k.next = (k.next + 1) % maxRejections
}

// newest returns the project's rejected messages, the newest first.
func (k *rejections) newest(project muster.ProjectID) []Rejected {
	k.mu.Lock()
	defer k.mu.Unlock()
	found := []Rejected{}
	for i := range k.ring {
		one := k.ring[(k.next+len(k.ring)-1-i)%len(k.ring)]
		if one.project == project {
			found = append(found, one.Rejected)
		}
	}
	return found
}
