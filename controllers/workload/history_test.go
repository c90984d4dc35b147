package workload

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// revision is one entry of a history, named for what it is.
func revision(n int64, hash string, outcome v1alpha1.RevisionOutcome) v1alpha1.ContainerRevision {
	return v1alpha1.ContainerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Name:            "web-" + string(rune('0'+n)),
			OwnerReferences: []metav1.OwnerReference{{UID: "uid-1"}},
		},
		Spec:   v1alpha1.ContainerRevisionSpec{Container: "web", Revision: n, TemplateHash: hash, ResolvedImage: "web@sha256:" + hash},
		Status: v1alpha1.ContainerRevisionStatus{Outcome: outcome},
	}
}

func numbers(revs []v1alpha1.ContainerRevision) []int64 {
	out := []int64{}
	for _, r := range revs {
		out = append(out, r.Spec.Revision)
	}

	return out
}

func TestNewHistory(t *testing.T) {
	foreign := revision(9, "z", "")
	foreign.OwnerReferences[0].UID = "uid-of-an-earlier-web"

	h := newHistory([]v1alpha1.ContainerRevision{revision(3, "c", ""), foreign, revision(1, "a", "")}, "uid-1")

	if diff := cmp.Diff([]int64{1, 3}, numbers(h)); diff != "" {
		t.Errorf("revisions of a namesake must be left out and the rest ordered (-want +got):\n%s", diff)
	}
}

func TestHistoryLastGood(t *testing.T) {
	h := history{
		revision(1, "a", v1alpha1.OutcomeComplete), revision(2, "b", v1alpha1.OutcomeComplete),
		revision(3, "c", v1alpha1.OutcomeFailed), revision(4, "d", v1alpha1.OutcomeFailed),
	}

	if got := h.lastGood(4); got == nil || got.Spec.Revision != 2 {
		t.Errorf("lastGood(4) = %v, want revision 2", got)
	}
	if got := h.lastGood(1); got != nil {
		t.Errorf("lastGood(1) = %d, want none", got.Spec.Revision)
	}
}

func TestHistoryNext(t *testing.T) {
	cases := map[string]struct {
		reason string
		have   history
		live   int64
		want   int64
	}{
		"First":      {"A history starts with 1.", nil, 0, 1},
		"Recorded":   {"The next is past the newest on record.", history{revision(3, "a", "")}, 3, 4},
		"Unrecorded": {"Swarm may run a revision that is not on record yet; its number is taken.", history{revision(3, "a", "")}, 4, 5},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.have.next(tc.live); got != tc.want {
				t.Errorf("%s\nnext(%d) = %d, want %d", tc.reason, tc.live, got, tc.want)
			}
		})
	}
}

func TestHistoryExpired(t *testing.T) {
	five := history{
		revision(1, "a", v1alpha1.OutcomeComplete), revision(2, "b", v1alpha1.OutcomeComplete),
		revision(3, "c", v1alpha1.OutcomeFailed), revision(4, "d", v1alpha1.OutcomeFailed),
		revision(5, "e", v1alpha1.OutcomeFailed),
	}

	cases := map[string]struct {
		reason       string
		limit        int
		live, pinned int64
		want         []int64
	}{
		"WithinLimit":      {"Old revisions up to the limit stay.", 4, 5, 0, []int64{}},
		"OldestFirst":      {"What is past the limit goes, oldest first.", 2, 5, 0, []int64{1, 3}},
		"KeepsRollback":    {"The target of a rollback stays however old it is.", 1, 5, 0, []int64{1, 3, 4}},
		"KeepsWhatRuns":    {"What Swarm runs stays.", 1, 1, 0, []int64{3, 4}},
		"KeepsWhatIsNamed": {"What spec.rollbackTo names stays.", 1, 5, 1, []int64{3, 4}},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, numbers(five.expired(tc.limit, tc.live, tc.pinned))); diff != "" {
				t.Errorf("%s\nexpired (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
