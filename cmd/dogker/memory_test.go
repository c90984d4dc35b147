package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPacer(t *testing.T) {
	const mib = 1 << 20

	// second is one look: how many collections there were since the one before, and what is alive.
	type second struct {
		ran, live uint64
	}
	repeat := func(n int, s second) []second { return slices.Repeat([]second{s}, n) }

	cases := map[string]struct {
		reason string
		looks  []second
		want   int
		// changes is how often the percentage moves on the way.
		changes int
	}{
		"Rest": {
			reason: "One collection now and then is rest.",
			looks:  repeat(60, second{1, 80 * mib}),
			want:   gcPercentResting,
		},
		"Load": {
			reason:  "Garbage may grow by the headroom.",
			looks:   repeat(3, second{4, 96 * mib}),
			want:    200,
			changes: 1,
		},
		"LoadThatLooksLikeRest": {
			reason:  "With room there are few collections, and that must not take the room away.",
			looks:   append(repeat(1, second{4, 96 * mib}), repeat(60, second{1, 96 * mib})...),
			want:    200,
			changes: 1,
		},
		"AfterLoad": {
			reason:  "The process becomes small again.",
			looks:   append(repeat(3, second{4, 96 * mib}), repeat(16, second{0, 96 * mib})...),
			want:    gcPercentResting,
			changes: 2,
		},
		"NotYet": {
			reason:  "A pause between two requests is no rest.",
			looks:   append(repeat(3, second{4, 96 * mib}), repeat(14, second{0, 96 * mib})...),
			want:    200,
			changes: 1,
		},
		"LittleAlive": {
			reason:  "A share has a bound, so that a load that builds up memory is noticed.",
			looks:   repeat(3, second{9, 10 * mib}),
			want:    gcPercentBusiest,
			changes: 1,
		},
		"MuchAlive": {
			reason: "The headroom is less than what is allowed at rest.",
			looks:  repeat(3, second{9, 4096 * mib}),
			want:   gcPercentResting,
		},
		"AliveVaries": {
			reason:  "Small differences are no reason to stop the world.",
			looks:   []second{{4, 96 * mib}, {4, 90 * mib}, {4, 100 * mib}, {4, 94 * mib}},
			want:    200,
			changes: 1,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := pacer{percent: gcPercentResting}
			now := time.Now()
			var c collections
			changes := 0
			for _, s := range tc.looks {
				now = now.Add(gcLook)
				c.cycles, c.live = c.cycles+s.ran, s.live
				if p.look(now, c) {
					changes++
				}
			}
			if p.percent != tc.want || changes != tc.changes {
				t.Errorf("%s\ngot %d %% after %d changes, want %d %% after %d", tc.reason, p.percent, changes, tc.want, tc.changes)
			}
		})
	}
}

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
