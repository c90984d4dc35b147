package fleet

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/docker/docker/pkg/stdcopy"
)

func TestSeparate(t *testing.T) {
	var both bytes.Buffer
	for _, part := range []struct {
		stream stdcopy.StdType
		text   string
	}{{stdcopy.Stdout, "a"}, {stdcopy.Stderr, "b"}, {stdcopy.Stdout, strings.Repeat("c", 100_000)}, {stdcopy.Stderr, ""}} {
		if _, err := io.WriteString(stdcopy.NewStdWriter(&both, part.stream), part.text); err != nil {
			t.Fatal(err)
		}
	}

	for name, tc := range map[string]struct {
		reason, in, out, errs, says string
	}{
		"Both":    {reason: "Each stream gets what is its own.", in: both.String(), out: "a" + strings.Repeat("c", 100_000), errs: "b"},
		"Nothing": {reason: "A process may say nothing."},
		"Broken":  {reason: "What came before the connection broke is passed on.", in: "\x01\x00\x00\x00\x00\x00\x00\x05abc", out: "abc"},
		"Claims":  {reason: "A frame is believed to be as long as it is.", in: "\x01\x00\x00\x00\xff\xff\xff\xffabc", out: "abc"},
		"Engine":  {reason: "What the engine says is an error.", in: "\x03\x00\x00\x00\x00\x00\x00\x02no", says: "the engine says: no"},
		"Garbage": {reason: "There is no such stream.", in: "\x09\x00\x00\x00\x00\x00\x00\x02no", says: "stream 9"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := separate(&out, &errs, strings.NewReader(tc.in))
			runtime.ReadMemStats(&after)

			if (err != nil) != (tc.says != "") || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s\ngot the error %v, want %q", tc.reason, err, tc.says)
			}
			if out.String() != tc.out || errs.String() != tc.errs {
				t.Errorf("%s\ngot %.20q and %.20q", tc.reason, out.String(), errs.String())
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
				t.Errorf("%s\nit took %d bytes", tc.reason, took)
			}
		})
	}
}
