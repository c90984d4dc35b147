package jobrun

import (
	"cmp"
	"slices"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Claim is a run whose service may be made at this very moment.
type Claim struct {
	// Run is its name.
	Run string
	// JobUID of its job.
	JobUID string
	// Since is when the run was put on record.
	Since time.Time
	// Over is true for a run that is over, and whose service nobody makes any more: a call may still be on its way.
	Over bool
}

// Before is the order among claims that are at the same time: of any two, one is before the other.
func (c Claim) Before(o Claim) bool {
	return cmp.Or(c.Since.Compare(o.Since), cmp.Compare(c.JobUID, o.JobUID), cmp.Compare(c.Run, o.Run)) < 0
}

// Claims are the runs of a job that have no service as far as is known, and for which one may be made right now, the first of them
// first. What is on record decides that: a service is made for a run of which the record says so, and until the time that it says.
// A run that something is in the way of, and of which the record says that, claims nothing.
func Claims(job *v1alpha1.TenantJob, now time.Time) []Claim {
	d := decision{Input: Input{Now: now}}

	var claims []Claim

	add := func(r *v1alpha1.JobRun, over bool) {
		if past, _ := d.past(r.StartBefore); r.ServiceID == "" && !past {
			claims = append(claims, Claim{Run: r.Name, JobUID: string(job.UID), Since: r.StartTime.Time, Over: over})
		}
	}

	for i := range job.Status.Active {
		if r := &job.Status.Active[i]; Claimed(r) {
			add(r, false)
		}
	}
	for i := range job.Status.History {
		add(&job.Status.History[i], true)
	}

	slices.SortFunc(claims, func(x, y Claim) int {
		if x.Before(y) {
			return -1
		}

		return 1
	})

	return claims
}

// Claimed is true for a run that has no service, and of which the record says that one is about to be made.
func Claimed(r *v1alpha1.JobRun) bool {
	return r.ServiceID == "" && r.Reason == v1alpha1.ReasonWaitingForService
}
