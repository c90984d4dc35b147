package workload

import (
	"errors"
	"strconv"
	"testing"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
)

// service is a live service that runs a revision.
func service(n int64, hash string) *swarm.Service {
	return &swarm.Service{ID: "svc", Spec: swarm.ServiceSpec{Annotations: swarm.Annotations{
		Name: "acme_web",
		Labels: map[string]string{
			v1alpha1.SwarmLabelRevision:     strconv.FormatInt(n, 10),
			v1alpha1.SwarmLabelTemplateHash: hash,
		},
	}}}
}

func TestChoose(t *testing.T) {
	two := int64(2)
	seven := int64(7)
	good, bad := v1alpha1.OutcomeComplete, v1alpha1.OutcomeFailed

	cases := map[string]struct {
		reason   string
		spec     v1alpha1.TenantContainerSpec
		declared string
		have     history
		live     *swarm.Service

		want   int64
		fresh  bool
		paused bool
		failed int64
		stall  bool
	}{
		"FirstRevision": {
			reason: "A new container starts with revision 1.", declared: "a", want: 1, fresh: true,
		},
		"NotRecordedYet": {
			reason:   "The service is made before its revision is recorded; it must not get a second number.",
			declared: "a", live: service(1, "a"), want: 1,
		},
		"ChangedBeforeRecorded": {
			reason:   "A template that was replaced before it was recorded keeps its number to itself.",
			declared: "b", live: service(1, "a"), want: 2, fresh: true,
		},
		"Unchanged": {
			reason:   "An unchanged template is the newest revision.",
			declared: "b", have: history{revision(1, "a", good), revision(2, "b", good)}, live: service(2, "b"), want: 2,
		},
		"Changed": {
			reason:   "A changed template is a new revision.",
			declared: "c", have: history{revision(1, "a", good), revision(2, "b", good)}, live: service(2, "b"), want: 3, fresh: true,
		},
		"BackToAnEarlierTemplate": {
			reason:   "A template that is used again is a new revision: the history says what happened.",
			declared: "a", have: history{revision(1, "a", good), revision(2, "b", good)}, live: service(2, "b"), want: 3, fresh: true,
		},
		"RecordedNotSent": {
			reason:   "A crash between record and update must not make a second record.",
			declared: "b", have: history{revision(1, "a", good), revision(2, "b", "")}, live: service(1, "a"), want: 2,
		},
		"FailedGoesBack": {
			reason:   "A failed template is not tried again; the last good one runs.",
			declared: "c", have: history{revision(1, "a", good), revision(2, "b", good), revision(3, "c", bad)},
			live: service(3, "c"), want: 2, failed: 3,
		},
		"FailedThenChanged": {
			reason:   "A change of the template is tried.",
			declared: "d", have: history{revision(1, "a", good), revision(2, "b", bad)}, live: service(1, "a"), want: 3, fresh: true,
		},
		"FailedThenSameAgainAfterChange": {
			reason:   "The failed template is tried again once something else was declared in between.",
			declared: "b", have: history{revision(1, "a", good), revision(2, "b", bad), revision(3, "a", good)},
			live: service(3, "a"), want: 4, fresh: true,
		},
		"FailedWithNothingToGoBackTo": {
			reason:   "A first revision that fails stays: there is nothing else to run.",
			declared: "a", have: history{revision(1, "a", bad)}, live: service(1, "a"), want: 1,
		},
		"FailedWithPause": {
			reason:   "failureAction Pause leaves things as they stopped.",
			spec:     v1alpha1.TenantContainerSpec{Rollout: &v1alpha1.Rollout{FailureAction: v1alpha1.FailurePause}},
			declared: "b", have: history{revision(1, "a", good), revision(2, "b", bad)}, live: service(2, "b"), want: 2,
		},
		"Undo": {
			reason:   "spec.rollbackTo runs that revision, whatever is declared.",
			spec:     v1alpha1.TenantContainerSpec{RollbackTo: &two},
			declared: "c", have: history{revision(2, "b", good), revision(3, "c", good)}, live: service(3, "c"), want: 2,
		},
		"UndoToNowhere": {
			reason:   "A revision that is not there is said plainly.",
			spec:     v1alpha1.TenantContainerSpec{RollbackTo: &seven},
			declared: "c", have: history{revision(2, "b", good)}, live: service(2, "b"), stall: true,
		},
		"Paused": {
			reason:   "spec.paused holds a change back.",
			spec:     v1alpha1.TenantContainerSpec{Paused: true},
			declared: "b", have: history{revision(1, "a", good)}, live: service(1, "a"), want: 1, paused: true,
		},
		"PausedBeforeTheFirst": {
			reason:   "spec.paused holds changes back, not the first start.",
			spec:     v1alpha1.TenantContainerSpec{Paused: true},
			declared: "a", want: 1, fresh: true,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := choose(&v1alpha1.TenantContainer{Spec: tc.spec}, tc.declared, tc.have, tc.live)

			var stall *outcome.Stall
			if errors.As(err, &stall) != tc.stall {
				t.Fatalf("%s\nerror = %v, want a stall: %v", tc.reason, err, tc.stall)
			}
			if tc.stall {
				return
			}

			var failed int64
			if got.failed != nil {
				failed = got.failed.Spec.Revision
			}
			if got.number != tc.want || got.fresh != tc.fresh || got.paused != tc.paused || failed != tc.failed {
				t.Errorf("%s\ngot revision %d (fresh %v, paused %v, failed %d), want %d (%v, %v, %d)", tc.reason,
					got.number, got.fresh, got.paused, failed, tc.want, tc.fresh, tc.paused, tc.failed)
			}
		})
	}
}
