package volumework

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/volumejob"
)

// ordered are jobs by words such as "Copy a b".
func ordered(words ...string) []*job {
	var out []*job
	for i, w := range words {
		f := strings.Fields(w + " - -")
		o := volumejob.Order{
			Owner: fmt.Sprint(i), Kind: volumejob.Kind(f[0]), Source: volumejob.Place{Node: f[1]}, Target: volumejob.Place{Node: f[2]},
		}
		out = append(out, &job{order: o, need: needOf(&o)})
	}

	return out
}

func TestChoose(t *testing.T) {
	for name, c := range map[string]struct {
		reason           string
		running, waiting []string
		want             []string
	}{
		"NothingWaits": {reason: "There is nothing to begin."},
		"InOrder": {
			reason:  "What fits begins in the order in which it was ordered.",
			waiting: []string{"Save a", "Save b", "Check", "Save c"},
			want:    []string{"0", "1", "2"},
		},
		"MovesFirst": {
			reason:  "Containers stand still for a move, and for no snapshot.",
			waiting: []string{"Save a", "Save b", "Restore - c", "Copy d e"},
			want:    []string{"3", "2", "0", "1"},
		},
		"RoomForMoves": {
			reason:  "Snapshots that take hours do not keep a move from beginning.",
			running: []string{"Save a", "Save b", "Save c"}, waiting: []string{"Save d", "Copy a b"},
			want: []string{"1"},
		},
		"ReadersOfANode": {
			reason:  "The disk of a node is busy with other things.",
			running: []string{"Save a", "Save a"}, waiting: []string{"Save a", "Save b", "Verify a c"},
			want: []string{"2", "1"},
		},
		"OneWriterOfANode": {
			reason:  "Two that write to one disk make each other slow, and the containers beside them.",
			running: []string{"Copy a b"}, waiting: []string{"Restore - b", "Restore - c"},
			want: []string{"1"},
		},
		"NotOvertaken": {
			reason:  "What waits for two nodes would wait for ever if others took one of them each time that it is free.",
			running: []string{"Restore - b", "Remove a", "Remove a"}, waiting: []string{"Copy a b", "Remove a", "Save a"},
			want: nil,
		},
		"ThawNeverWaits": {
			reason:  "Containers are frozen until it is done.",
			running: []string{"Copy a b", "Copy b a", "Restore - c", "Restore - d"}, waiting: []string{"Save e", "Thaw a"},
			want: []string{"1"},
		},
		"All": {
			reason:  "All data passes through this process.",
			running: []string{"Copy a b", "Copy b a", "Restore - c", "Restore - d"}, waiting: []string{"Copy e f", "Check"},
			want: nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			busy := newLoad()
			for _, j := range ordered(c.running...) {
				busy.take(&j.need)
			}
			var got []string
			for _, j := range busy.choose(ordered(c.waiting...), DefaultLimits) {
				got = append(got, j.order.Owner)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// TestTurns holds that tenants take turns, whoever has ordered more, or first.
func TestTurns(t *testing.T) {
	of := func(tenant string, n int) []*job {
		var out []*job
		for i := range n {
			o := volumejob.Order{Owner: fmt.Sprint(tenant, i), Kind: volumejob.Save, Source: volumejob.Place{Node: "a"}, Namespace: tenant}
			out = append(out, &job{order: o, need: needOf(&o)})
		}

		return out
	}
	at := Limits{All: 2, Background: 2, Readers: 2, BackgroundReaders: 2, Writers: 1}
	waiting, busy := append(of("acme", 100), of("globex", 2)...), newLoad()

	var got []string
	for range 3 { // Both that run end, and two others begin.
		began := busy.choose(waiting, at)
		for _, j := range began {
			got = append(got, j.order.Owner)
			waiting = slices.DeleteFunc(waiting, func(w *job) bool { return w == j })
		}
	}
	if diff := cmp.Diff([]string{"acme0", "globex0", "acme1", "globex1", "acme2", "acme3"}, got); diff != "" {
		t.Errorf("one tenant holds up another (-want +got):\n%s", diff)
	}

	// Where one place is free, what runs counts.
	for _, j := range of("acme", 1) {
		busy.take(&j.need)
	}
	if began := busy.choose(append(of("acme", 9), of("globex", 1)...), at); len(began) != 1 || began[0].order.Owner != "globex0" {
		t.Errorf("who has nothing running does not come first: %v", began)
	}
}

// TestLimitsHold orders, begins and ends at random: no limit is ever passed, but by what comes back from a hook, and once all that runs
// ends, everything was begun.
func TestLimitsHold(t *testing.T) {
	node := rapid.SampledFrom([]string{"a", "b", "c"})
	kind := rapid.SampledFrom(kinds)

	rapid.Check(t, func(t *rapid.T) {
		busy, at := newLoad(), Limits{All: 4, Background: 3, Readers: 3, BackgroundReaders: 2, Writers: 1, Away: 3, TenantAway: 2}
		var waiting, running, away []*job
		back := map[*job]bool{}

		begin := func() {
			for _, j := range busy.choose(waiting, at) {
				for i := range waiting {
					if waiting[i] == j {
						waiting = append(waiting[:i:i], waiting[i+1:]...)
						break
					}
				}
				if of := busy.awayOf[j.need.tenant]; j.need.hooks && (of >= at.TenantAway || len(away) >= at.Away) {
					t.Fatalf("one with hooks begins while %d of its tenant are away, and %d in all", of, len(away))
				}
				busy.take(&j.need)
				running = append(running, j)
			}
			more := len(back)
			if busy.all > at.All+more || busy.background > at.Background+more {
				t.Fatalf("%d run, %d of them in the background", busy.all, busy.background)
			}
			for _, id := range []string{"a", "b", "c"} {
				// A verification of two volumes of one node is two readers at once.
				if busy.readers[id] > at.Readers+1+more || busy.backgroundReaders[id] > at.BackgroundReaders+more || busy.writers[id] > at.Writers {
					t.Fatalf("node %s has %d readers, %d of them in the background, and %d writers", id, busy.readers[id], busy.backgroundReaders[id], busy.writers[id])
				}
			}
		}
		end := func(i int) {
			busy.free(&running[i].need)
			delete(back, running[i])
			running = append(running[:i:i], running[i+1:]...)
		}

		// lend and comeBack are the beginning and the end of a hook that lasts.
		lend := func(i int) {
			busy.free(&running[i].need)
			busy.lend(&running[i].need, 1)
			away = append(away, running[i])
			delete(back, running[i])
			running = append(running[:i:i], running[i+1:]...)
		}
		comeBack := func() {
			busy.lend(&away[0].need, -1)
			busy.take(&away[0].need)
			back[away[0]] = true
			running, away = append(running, away[0]), away[1:]
		}

		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch what := rapid.IntRange(0, 5).Draw(t, "what"); {
			case what == 0 && len(running) > 0:
				if i := rapid.IntRange(0, len(running)-1).Draw(t, "which"); running[i].need.hooks {
					lend(i)
				}
			case what == 1 && len(away) > 0:
				comeBack()
			case what <= 3 && len(running) > 0:
				end(rapid.IntRange(0, len(running)-1).Draw(t, "which"))
			default:
				o := volumejob.Order{
					Kind: kind.Draw(t, "kind"), Source: volumejob.Place{Node: node.Draw(t, "source")}, Target: volumejob.Place{Node: node.Draw(t, "target")},
					Namespace: rapid.SampledFrom([]string{"acme", "globex"}).Draw(t, "tenant"),
				}
				if rapid.Bool().Draw(t, "hook") {
					o.Quiet.Pre = &volumejob.Hook{}
				}
				waiting = append(waiting, &job{order: o, need: needOf(&o)})
			}
			begin()
		}
		for len(running)+len(away) > 0 {
			for len(away) > 0 {
				comeBack()
			}
			if len(running) > 0 {
				end(0)
			}
			begin()
		}
		if len(waiting) > 0 {
			t.Fatalf("%d wait although nothing runs", len(waiting))
		}
		if diff := cmp.Diff(newLoad(), busy, cmp.AllowUnexported(load{})); diff != "" {
			t.Fatalf("nothing runs, and it takes (-want +got):\n%s", diff)
		}
	})
}
