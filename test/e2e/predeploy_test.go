//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

// preDeploy asks for these arguments to be run with the image of a new revision.
func preDeploy(args ...v1alpha1.Text) change {
	return func(tc *v1alpha1.TenantContainer) {
		tc.Spec.Rollout = &v1alpha1.Rollout{PreDeploy: &v1alpha1.PreDeploy{Args: args}}
	}
}

// preDeployJobs are the jobs that were made for revisions of a container.
func (n *tenant) preDeployJobs(name string) []v1alpha1.TenantJob {
	n.t.Helper()

	var list v1alpha1.TenantJobList
	err := n.api.List(n.t.Context(), &list, client.InNamespace(n.name),
		client.MatchingLabels{v1alpha1.LabelContainer: name, v1alpha1.LabelPreDeploy: "true"})
	if err != nil {
		n.t.Fatalf("list jobs of %q: %v", name, err)
	}

	return list.Items
}

// TestPreDeploy: a revision is started when what has to succeed before it has, and not otherwise; what runs goes on.
func TestPreDeploy(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)

	n.run(app("shop", "v1", preDeploy("echo", "migrated to one")))

	jobs := n.preDeployJobs("shop")
	if len(jobs) != 1 || !conditions.IsTrue(&jobs[0], v1alpha1.ConditionComplete) || len(jobs[0].Status.History) != 1 {
		t.Fatalf("the first revision runs, and its jobs are %+v", jobs)
	}
	if run := jobs[0].Status.History[0]; !strings.Contains(run.LogTail, "migrated to one") {
		t.Errorf("the record of what was run: %+v", run)
	}

	was := n.taskIDs("shop")
	n.edit("shop", version("v2"), preDeploy("complain", "no such column"))

	tc := n.unready(atLast, "shop", v1alpha1.ReasonPreDeployFailed)
	if !conditions.IsTrue(tc, conditions.Stalled) || tc.Status.Revision != 1 {
		t.Errorf("what runs while a revision may not be started: %+v", tc.Status)
	}
	for id := range n.taskIDs("shop") {
		if !was[id] {
			t.Errorf("task %s was started for a revision that may not be", id)
		}
	}

	n.edit("shop", preDeploy("echo", "migrated to two"))

	if tc := n.ready("shop"); tc.Status.Revision != 2 {
		t.Errorf("revision %d runs, not the second", tc.Status.Revision)
	}
	await(t, soon, "the job of the revision that runs is the only one", func() error {
		return wantf(len(n.preDeployJobs("shop")), 1, "jobs")
	})
}
