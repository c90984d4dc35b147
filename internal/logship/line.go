package logship

import (
	"hash/fnv"
	"strings"
	"time"
)

const (
	// maxLine is how long a line may be, in bytes; the rest is left out.
	maxLine = 64 << 10
	// cutMark ends a line of which something is left out.
	cutMark = " … [cut by dogker]"
	// entryCost is what a line takes in memory beside its text.
	entryCost = 256
)

// source is where lines come from. Lines share it.
type source struct {
	tenant, container, pod, node, task string
}

// entry is a line on its way.
type entry struct {
	source *source
	stream stream
	time   time.Time
	text   string
	// hash tells it from others of its nanosecond, and ordinal from those that are the same.
	hash    uint64
	ordinal int
	// from is told when the store has it, or will never have it.
	from *follower
}

// stream is what a container writes to.
type stream uint8

const (
	stdout stream = iota
	stderr
	streams
)

func (s stream) String() string { return [streams]string{"stdout", "stderr"}[s] }

func (e *entry) cost() int64 { return int64(len(e.text)) + entryCost }

// lineOf makes a line of what a container wrote. Stores take text only.
func lineOf(raw []byte, cut bool) string {
	text := strings.ToValidUTF8(string(raw), "\uFFFD")
	if cut {
		// The cut may have gone through a character.
		text = strings.TrimSuffix(text, "\uFFFD") + cutMark
	}

	return text
}

func hashOf(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // It never fails.

	return h.Sum64()
}
