package workload

import (
	"cmp"
	"slices"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// history is the revisions of one container, oldest first.
type history []v1alpha1.ContainerRevision

// newHistory orders the revisions that belong to the owner; a namesake's, not collected yet, are left out.
func newHistory(items []v1alpha1.ContainerRevision, uid string) history {
	h := make(history, 0, len(items))

	for _, r := range items {
		for _, o := range r.OwnerReferences {
			if string(o.UID) == uid {
				h = append(h, r)
			}
		}
	}

	slices.SortFunc(h, func(a, b v1alpha1.ContainerRevision) int { return cmp.Compare(a.Spec.Revision, b.Spec.Revision) })

	return h
}

// latest is the newest revision, nil when there is none.
func (h history) latest() *v1alpha1.ContainerRevision {
	if len(h) == 0 {
		return nil
	}

	return &h[len(h)-1]
}

// number is the revision with that number, nil when there is none.
func (h history) number(n int64) *v1alpha1.ContainerRevision {
	i := slices.IndexFunc(h, func(r v1alpha1.ContainerRevision) bool { return r.Spec.Revision == n })
	if i < 0 {
		return nil
	}

	return &h[i]
}

// lastGood is the newest complete revision before n, nil when there is none: the target of a rollback.
func (h history) lastGood(n int64) *v1alpha1.ContainerRevision {
	for i := len(h) - 1; i >= 0; i-- {
		if h[i].Spec.Revision < n && h[i].Status.Outcome == v1alpha1.OutcomeComplete {
			return &h[i]
		}
	}

	return nil
}

// next is the number for a new revision. It is past every recorded one and past the one that Swarm runs, which may not
// have been recorded yet.
func (h history) next(live int64) int64 {
	if l := h.latest(); l != nil {
		live = max(live, l.Spec.Revision)
	}

	return live + 1
}

// expired lists the revisions beyond the limit, oldest first. The newest, the one that runs, the one a rollback would
// go back to, and the one that is pinned are never among them.
func (h history) expired(limit int, live, pinned int64) []v1alpha1.ContainerRevision {
	latest := h.latest()
	if latest == nil {
		return nil
	}

	keep := []int64{latest.Spec.Revision, live, pinned}
	if good := h.lastGood(latest.Spec.Revision); good != nil {
		keep = append(keep, good.Spec.Revision)
	}

	var out []v1alpha1.ContainerRevision

	// The newest is no old revision, so it does not count against the limit.
	for i, surplus := 0, len(h)-1-limit; i < len(h) && len(out) < surplus; i++ {
		if !slices.Contains(keep, h[i].Spec.Revision) {
			out = append(out, h[i])
		}
	}

	return out
}

// refersTo tells whether any revision still needs the Swarm secret or config.
func (h history) refersTo(swarmName string) bool {
	return slices.ContainsFunc(h, func(r v1alpha1.ContainerRevision) bool {
		return slices.ContainsFunc(r.Spec.Contents, func(c v1alpha1.RevisionContent) bool { return c.SwarmName == swarmName })
	})
}

// liveRevision is the number of the revision that the service runs, 0 when it does not say.
func liveRevision(s *swarm.Service) int64 {
	if s == nil {
		return 0
	}

	n, _ := parseInt(s.Spec.Labels[v1alpha1.SwarmLabelRevision])

	return n
}
