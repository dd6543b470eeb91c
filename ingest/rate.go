package ingest

import (
	"crypto/sha256"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"muster"
)

// DefaultRateLimit is how many messages a second one key may send unless told otherwise: more than two cores take in, so
// that it tells only on a larger machine, or where an operator lowers it.
const DefaultRateLimit = 50_000

// rates bound how many messages each key sends. A key may send one second's worth at once, and always a whole batch.
type rates struct {
	limit rate.Limit // messages a second; 0 for no bound
	burst int
	mu    sync.Mutex
	of    map[[sha256.Size]byte]*rate.Limiter // by the digest of the key; only keys that open a project are here
}

func newRates(perSecond int) *rates {
	return &rates{
		limit: rate.Limit(perSecond), burst: max(perSecond, MaxMessages), of: map[[sha256.Size]byte]*rate.Limiter{},
	}
}

// key returns the limiter of a key that is known, or nil when nothing is bounded.
func (r *rates) key(key string) *rate.Limiter {
	if r.limit == 0 {
		return nil
	}
	digest := sha256.Sum256([]byte(key))
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.of[digest]
	if l == nil {
		l = rate.NewLimiter(r.limit, r.burst)
		r.of[digest] = l
	}
	return l
}

// spend takes n messages' worth, or refuses and sets when to come again.
func spend(w http.ResponseWriter, l *rate.Limiter, now time.Time, n int) error {
	if l == nil || l.AllowN(now, n) {
		return nil
	}
	seconds := int(math.Ceil((float64(n) - l.TokensAt(now)) / float64(l.Limit())))
	w.Header().Set("Retry-After", strconv.Itoa(max(seconds, 1)))
	return &muster.Error{
		Code: muster.RateLimited, Detail: fmt.Sprintf("this key may send %g messages a second", float64(l.Limit())),
		Hint: "send the same again after the seconds in Retry-After; nothing of this request was stored",
	}
}
