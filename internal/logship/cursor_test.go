package logship

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/docker/docker/pkg/stdcopy"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type written struct {
	stream stream
	at     time.Time
	text   string
}

// TestResume: whoever goes on at a cursor reads exactly what comes after it, wherever it is, also when lines share a time,
// and when those of the two streams are written down in another order than their times.
func TestResume(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var log []written
		var times [streams]time.Time
		now := start
		for range rapid.IntRange(0, 40).Draw(t, "lines") {
			now = now.Add(rapid.SampledFrom([]time.Duration{0, 0, 1, time.Millisecond, 20 * time.Second}).Draw(t, "pause"))
			s := stream(rapid.IntRange(0, 1).Draw(t, "stream"))
			at := now.Add(-rapid.SampledFrom([]time.Duration{0, time.Millisecond, time.Second}).Draw(t, "late"))
			if at.Before(times[s]) {
				at = times[s] // A stream is written by one, in the order of its times.
			}
			times[s] = at
			log = append(log, written{s, at, rapid.SampledFrom([]string{"a", "b"}).Draw(t, "text")})
		}
		done := rapid.IntRange(0, len(log)).Draw(t, "done")

		var c Cursor
		for _, l := range log[:done] {
			c.of(l.stream).advance(l.at, hashOf(l.text))
		}
		again := resume{from: c.clone()}
		var got []written
		for _, l := range log {
			if !l.at.Before(c.since()) && !again.done(l.stream, l.at, hashOf(l.text)) {
				got = append(got, l)
			}
		}
		want := log[done:]
		if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(append([]written{}, got...))); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// TestFrames: lines come out as they went in, however engines and networks cut them.
func TestFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.StringMatching(`[a-z 0-9:]{0,60}`), 0, 20).Draw(t, "lines")
		cut := rapid.IntRange(1, 50).Draw(t, "cut")
		var raw bytes.Buffer
		var want []written
		for i, line := range lines {
			s, at := stream(i%2), start.Add(time.Duration(i))
			want = append(want, written{s, at, line})
			for part := line + "\n"; part != ""; part = part[min(cut, len(part)):] {
				w := stdcopy.NewStdWriter(&raw, []stdcopy.StdType{stdcopy.Stdout, stdcopy.Stderr}[s])
				_, _ = io.WriteString(w, at.Format(time.RFC3339Nano)+" "+part[:min(cut, len(part))])
			}
		}
		var got []written
		f := newFrames(iotest.OneByteReader(&raw), time.Now)
		var err error
		for err == nil {
			err = f.next(func(s stream, at time.Time, text string) error {
				got = append(got, written{s, at, text})
				return nil
			})
		}
		if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(append([]written{}, got...))); diff != "" || err != io.EOF {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
	})
}

func TestFramesRefuseNonsense(t *testing.T) {
	for name, raw := range map[string]string{
		"UnknownStream": "\x09\x00\x00\x00\x00\x00\x00\x01x",
		"CutInFrame":    "\x01\x00\x00\x00\x00\x00\x00\x05x",
		"CutInHeader":   "\x01\x00\x00",
		"EngineFails":   "\x03\x00\x00\x00\x00\x00\x00\x01x",
	} {
		t.Run(name, func(t *testing.T) {
			f := newFrames(strings.NewReader(raw), time.Now)
			err := f.next(func(stream, time.Time, string) error { return nil })
			if err == nil || err == io.EOF {
				t.Errorf("it was read as if it was a log: %v", err)
			}
		})
	}
}

// TestTimesThatAreNone: a time that cannot be kept is none, however it is written; then it is now, and all of it is the line.
func TestTimesThatAreNone(t *testing.T) {
	for name, stamp := range map[string]string{
		"Year10000": "9999-12-31T23:59:59-23:59", "Before": "0001-01-01T00:00:00+23:59", "Overflow": "2262-12-31T00:00:00Z", "Old": "1969-12-31T23:59:59Z",
	} {
		t.Run(name, func(t *testing.T) {
			var raw bytes.Buffer
			_, _ = io.WriteString(stdcopy.NewStdWriter(&raw, stdcopy.Stdout), stamp+" text\n")
			var c Cursor
			f := newFrames(&raw, func() time.Time { return start })
			err := f.next(func(s stream, at time.Time, text string) error {
				if !at.Equal(start) || text != stamp+" text" {
					t.Errorf("got %q at %v", text, at)
				}
				c.of(s).advance(at, hashOf(text))

				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := json.Marshal(c); err != nil {
				t.Errorf("the cursor cannot be written: %v", err)
			}
		})
	}
}

// TestManyLargeCursors: lines that share one nanosecond make cursors large. All are written nevertheless: a store takes so much
// at a time.
func TestManyLargeCursors(t *testing.T) {
	e := Etcd{openStore(t)}
	cursors := map[string]Cursor{}
	for i := range maxOps {
		c := Cursor{Stdout: Position{Time: start}, Stderr: Position{Time: start}}
		for j := range maxSame {
			c.Stdout.Lines = append(c.Stdout.Lines, ^uint64(j))
			c.Stderr.Lines = append(c.Stderr.Lines, ^uint64(j))
		}
		cursors[fmt.Sprintf("task-%03d", i)] = c
	}
	if err := e.Save(t.Context(), cursors); err != nil {
		t.Fatal(err)
	}
	got, err := e.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(cursors, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
