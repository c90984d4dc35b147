package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProgramMappings(t *testing.T) {
	const program = "/usr/local/bin/dogker"
	cases := map[string]struct {
		reason string
		smaps  string
		want   []mapping
	}{
		"CodeAndConstants": {
			reason: "What mirrors the file can be read from it again.",
			smaps: "00400000-00500000 r-xp 00000000 08:01 42 /usr/local/bin/dogker\nRss: 1024 kB\nAnonymous: 0 kB\n" +
				"00500000-00600000 r--p 00100000 08:01 42 /usr/local/bin/dogker\nAnonymous: 0 kB\n",
			want: []mapping{{0x400000, 0x500000}, {0x500000, 0x600000}},
		},
		"Data": {
			reason: "What can be written may have been, and would be lost.",
			smaps:  "00600000-00700000 rw-p 00200000 08:01 42 /usr/local/bin/dogker\nAnonymous: 0 kB\n",
		},
		"Relocated": {
			reason: "A range that the dynamic linker has written to is not in the file, though it is read-only now.",
			smaps:  "00600000-00700000 r--p 00200000 08:01 42 /usr/local/bin/dogker\nAnonymous: 4 kB\n",
		},
		"OtherFiles": {
			reason: "Only the program is known to be touched once.",
			smaps: "7f0000000000-7f0000001000 r-xp 00000000 08:01 7 /usr/lib/libc.so.6\nAnonymous: 0 kB\n" +
				"7f0000001000-7f0000002000 rw-p 00000000 00:00 0\nAnonymous: 4 kB\n",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := programMappings(strings.NewReader(tc.smaps), program)
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(mapping{})); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
