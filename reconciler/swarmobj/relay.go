package swarmobj

import (
	"regexp"
	"strings"
)

// What the engine's texts may hold that is not the tenant's: its own folders, IDs, addresses of nodes.
var (
	engineFolder = regexp.MustCompile(`/(var/lib|var/run|run)/[^\s"':,)]+`)
	longID       = regexp.MustCompile(`\b[0-9a-f]{25,64}\b|\b[0-9a-z]{25}\b`)
	address      = regexp.MustCompile(`\b(\d{1,3}\.){3}\d{1,3}(:\d+)?\b`)
	spaces       = regexp.MustCompile(`\s+`)
)

// Relay makes an engine's text fit for the tenant's eyes: its words, without what belongs to the platform or to
// others, and without IDs that change at every attempt.
func Relay(text string) string {
	text = strings.TrimPrefix(text, "task: ")
	text = engineFolder.ReplaceAllString(text, "…")
	text = strings.ReplaceAll(text, "sha256:", "")
	text = longID.ReplaceAllString(text, "…")
	text = address.ReplaceAllString(text, "…")
	text = strings.TrimSpace(spaces.ReplaceAllString(text, " "))

	const limit = 500
	if r := []rune(text); len(r) > limit {
		text = string(r[:limit]) + "…"
	}

	return text
}
