package audit

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestThePageHasEveryCheck: what people read about the checks and the checks are the same.
func TestThePageHasEveryCheck(t *testing.T) {
	content, err := os.ReadFile("../../docs/reference/audit.md")
	if err != nil {
		t.Fatal(err)
	}

	// The first cell of a row has the ids of one check, or of several.
	page := map[string]string{}
	_, tables, _ := strings.Cut(string(content), "\n## Checks\n")
	for _, m := range regexp.MustCompile(`(?m)^\| ([0-9A-Z][^|]*) \| ([^|]*) \|`).FindAllStringSubmatch(tables, -1) {
		if m[1] == "Check" {
			continue
		}
		for id := range strings.SplitSeq(m[1], ", ") {
			page[id] = m[2]
		}
	}

	known := map[string]bool{}
	for _, c := range Evaluate(right(t), Options{}).Checks {
		known[c.ID] = true
		words, there := page[c.ID]
		switch {
		case !there:
			t.Errorf("the page does not have check %s %q", c.ID, c.Title)
		case words != "what each says" && !strings.Contains(c.Title, words):
			t.Errorf("the page calls check %s %q, and the check itself %q", c.ID, words, c.Title)
		}
	}
	for id := range page {
		if !known[id] {
			t.Errorf("the page has a check %s, which does not exist", id)
		}
	}
}
