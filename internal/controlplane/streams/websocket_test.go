package streams

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/fleet"
)

// unending never ends the number that it began, and counts what was read of it.
type unending struct{ read int }

func (e *unending) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '1'
	}
	e.read += len(p)

	return len(p), nil
}

// TestSizes: the sizes of a terminal are read as long as they are sizes, and one that does not end fills no memory.
func TestSizes(t *testing.T) {
	var got []fleet.Size
	for s := range sizes(t.Context(), strings.NewReader(strings.Repeat(`{"Width":80,"Height":24}`, 200)+`{"Width":`+strings.Repeat(" ", 4<<10)+`1}`)) {
		got = append(got, s)
	}
	want := make([]fleet.Size, 200)
	for i := range want {
		want[i] = fleet.Size{Width: 80, Height: 24}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	e := &unending{}
	for s := range sizes(t.Context(), e) {
		t.Errorf("got %v out of a number without an end", s)
	}
	if e.read > maxSize {
		t.Errorf("%d bytes were read", e.read)
	}
}
