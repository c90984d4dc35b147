package counters

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

const (
	// maxLine is how long one line of a page may be.
	maxLine = 64 << 10
	// maxSeries is how many series a counter may have in one container. What is read of a line takes a hundred times the memory
	// of the line, so that the length of the page alone bounds too little.
	maxSeries = 10_000
)

var errNotMetrics = errors.New("this is no page of metrics")

// linesOf are the lines of a page in the text format that tell about one counter: its series, and of which type it is.
func linesOf(page io.Reader, name string) (io.Reader, error) {
	var (
		kept   bytes.Buffer
		series int
		whole  = &io.LimitedReader{R: page, N: maxPage + 1}
		lines  = bufio.NewScanner(whole)
	)
	lines.Buffer(nil, maxLine)

	for lines.Scan() {
		line := strings.TrimLeft(lines.Text(), " \t\r")
		switch {
		case line == "":
			continue
		case line[0] == '#':
			if !typeOf(line, name) {
				continue
			}
		case !nameStart(line[0]):
			return nil, errNotMetrics
		case line[:nameLength(line)] != name:
			continue
		default:
			if series++; series > maxSeries {
				return nil, errNotMetrics
			}
		}
		kept.WriteString(line)
		kept.WriteByte('\n')
	}
	// The last line of a page that was cut may be half a number.
	if lines.Err() != nil || whole.N <= 0 {
		return nil, errNotMetrics
	}

	return &kept, nil
}

// typeOf is true for a comment that says of which type the counter is, or the histogram or summary that it counts for.
func typeOf(line, name string) bool {
	words := strings.Fields(line)

	return len(words) > 2 && words[0] == "#" && words[1] == "TYPE" && (words[2] == name || words[2] == strings.TrimSuffix(name, "_count"))
}

// nameStart is true for what begins the name of a metric, or labels that the name is among.
func nameStart(b byte) bool {
	return b == '_' || b == ':' || b == '{' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// nameLength is where the name ends that a line begins with.
func nameLength(line string) int {
	if i := strings.IndexAny(line, "{ \t"); i >= 0 {
		return i
	}

	return len(line)
}
