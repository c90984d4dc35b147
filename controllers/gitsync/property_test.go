package gitsync

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/source"
)

// TestHistoriesByChance: whatever is committed, fails, dies and is changed by hand, nothing is written before it is on record
// and nothing is deleted that never was (the space demands both); a commit that is bad changes nothing; and when a good commit
// is left alone it is applied, exactly, and then nothing is written any more.
func TestHistoriesByChance(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		wait := rapid.Bool().Draw(r, "wait")
		history := rapid.SliceOfN(rapid.Custom(drawMishap), 1, 8).Draw(r, "history")
		last := drawCommit(r)

		var v verdict

		synctest.Test(t, func(*testing.T) {
			defer v.reached()
			v.live(wait, history, last)
		})

		if len(v.said) > 0 {
			r.Fatalf("%s", strings.Join(v.said, "\n"))
		}
	})
}

// verdict is what is found out about one history.
type verdict struct{ said []string }

// over ends a history about which nothing more is to be found out.
type over struct{}

// Helper implements fataler.
func (*verdict) Helper() {}

// Errorf implements fataler.
func (v *verdict) Errorf(format string, args ...any) {
	v.said = append(v.said, fmt.Sprintf(format, args...))
}

// Fatalf implements fataler.
func (v *verdict) Fatalf(format string, args ...any) {
	v.Errorf(format, args...)
	panic(over{})
}

func (*verdict) reached() {
	if p := recover(); p != nil && p != any(over{}) {
		panic(p)
	}
}

// live is one history, and its end.
func (v *verdict) live(wait bool, history []mishap, last []string) {
	w := newWorld(v, func(s *gitopsv1.GitSync) { s.Spec.Wait, s.Spec.PruneEmpty = wait, true })
	defer w.close()

	w.space.foreign("theirs")

	for _, m := range history {
		w.happen(m)
	}

	w.space.dies, w.lose = 0, 0
	w.repo.change(func(r *repo) { r.takes = 0 })
	clear(w.space.refuses)
	clear(w.space.sick)
	w.repo.push(last...)
	// The longest time to the next look at a repository that could not be reached is fifteen minutes.
	w.run(35 * time.Minute)

	has := map[string]string{"theirs": "foreign"}

	for _, o := range last {
		name, value, _ := strings.Cut(o, "=")
		has[name] = value
	}

	if diff := cmp.Diff(has, w.space.has()); diff != "" {
		v.Fatalf("what is there is not what was committed last, -want +got\n%s\n%s", diff, w.ready())
	}

	patches, writes := w.patches, w.space.writes
	w.run(25 * time.Minute)

	if w.patches != patches || w.space.writes != writes {
		v.Fatalf("at rest there were %d patches and %d writes", w.patches-patches, w.space.writes-writes)
	}
}

// mishap is something that happens, and how long nothing else does after it.
type mishap struct {
	What    string
	Commit  []string
	N       int
	Seconds int
}

func drawMishap(r *rapid.T) mishap {
	return mishap{
		What: rapid.SampledFrom([]string{
			"commit", "commit", "bad", "unreachable", "refused", "dies", "restart", "hand", "lost", "slow", "sick", "ask", "spec",
		}).Draw(r, "what"),
		Commit:  drawCommit(r),
		N:       rapid.IntRange(1, 4).Draw(r, "n"),
		Seconds: rapid.SampledFrom([]int{0, 1, 15, 61, 700}).Draw(r, "seconds"),
	}
}

// drawCommit draws what a repository has.
func drawCommit(r *rapid.T) []string {
	var out []string

	for _, name := range []string{"a", "b", "c", "d"} {
		if v := rapid.IntRange(0, 3).Draw(r, name); v > 0 {
			out = append(out, fmt.Sprintf("%s=%d", name, v))
		}
	}

	return out
}

func (w *world) happen(m mishap) {
	switch m.What {
	case "commit":
		w.repo.push(m.Commit...)
	case "bad":
		w.bad(time.Duration(m.Seconds) * time.Second)

		return
	case "unreachable":
		w.repo.change(func(r *repo) {
			r.fails = &source.Error{Reason: source.ReasonGitOperationFailed, Message: "no route to host", Transient: true}
		})
	case "refused":
		w.space.refuses["b"] = []delivery.Reason{delivery.ReasonInvalid, delivery.ReasonQuotaExceeded}[m.N%2]
	case "dies":
		w.space.dies = m.N
	case "restart":
		w.start()
	case "hand":
		for id, value := range w.space.live {
			if value != "foreign" {
				w.space.live[id] = "mine"
			}
		}
	case "lost":
		w.lose = m.N
	case "slow":
		w.repo.change(func(r *repo) { r.takes = 7 * time.Second })
	case "sick":
		w.space.sick["a"] = !w.space.sick["a"]
	case "ask":
		w.edit(func(s *gitopsv1.GitSync) {
			s.Annotations = map[string]string{gitopsv1.AnnotationRequestedAt: time.Now().String()}
		})
	case "spec":
		w.edit(func(s *gitopsv1.GitSync) { s.Spec.Path += "x" })
	}

	w.run(time.Duration(m.Seconds) * time.Second)
}

// bad makes a commit that cannot be built, and demands that from when it is known nothing is written.
func (w *world) bad(d time.Duration) {
	w.repo.pushBad()
	w.start()
	// What the process before has built is gone with it: there is nothing but the bad commit.
	before := w.space.has()
	w.run(d)

	if diff := cmp.Diff(before, w.space.has()); diff != "" {
		w.t.Fatalf("a bad commit has changed something:\n%s", diff)
	}
}
