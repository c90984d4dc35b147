package logship

import (
	"bytes"
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
