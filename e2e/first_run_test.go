package e2e

import (
	"strings"
	"testing"
)

// TestFirstRun does what the dashboard of an empty project says: it pastes the snippet shown there into a page of another
// site. The dashboard shows the first visitor by itself.
func TestFirstRun(t *testing.T) {
	s := startService(t, t.TempDir(), freeAddress(t))
	browser := startChromium(t)
	dashboard := openTab(t, browser, s.url+"/#key="+s.keys.SecretKey)
	text := ""
	await(t, "the snippet on the dashboard", func() bool {
		text = value[string](dashboard, `document.querySelector("pre")?.textContent ?? ""`)
		return text != ""
	})
	site := serveSite(t, map[string]string{"/": text + `<script>muster.push(["do", "identify", ["ann"]])</script>`})
	openTab(t, browser, site.URL)
	await(t, "the first user on the dashboard", func() bool {
		return strings.Contains(value[string](dashboard, `document.querySelector("table")?.textContent ?? ""`), "ann")
	})
	if shown := value[string](dashboard, `document.body.innerText`); !strings.Contains(shown, "1 user\n") {
		t.Errorf("the dashboard shows %q, want 1 user", shown)
	}
}
