//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestStuckTaskIsReplaced: Swarm calls a paused container running. Who has asked for it gets another task in its place.
func TestStuckTaskIsReplaced(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.run(app("hung", "v1", func(tc *v1alpha1.TenantContainer) { tc.Spec.StuckTaskPolicy = v1alpha1.StuckTaskReplace }))
	n.run(app("backup", "v1"))
	before := n.running("hung")[0]
	for _, name := range []string{"hung", "backup"} {
		if err := n.docker().ContainerPause(t.Context(), n.running(name)[0].Status.ContainerStatus.ContainerID); err != nil {
			t.Fatal(err)
		}
	}

	const found = 4 * time.Minute // A minute of samples, half a minute to the next look, and a machine that is busy.
	await(t, found, "another task runs in its place", func() error {
		tasks, err := n.tasks("hung")
		if err != nil {
			return err
		}
		for _, task := range tasks {
			if task.ID != before.ID && task.Status.State == "running" {
				return nil
			}
		}

		return fmt.Errorf("%d tasks, none of them a new one that runs", len(tasks))
	})
	await(t, found, "who has not asked is told", func() error {
		return wantf(n.get("backup").Annotations[v1alpha1.AnnotationHealth], string(v1alpha1.HealthStuck), "annotation of health")
	})
	n.event("hung", "StuckTaskReplaced", "neither ran nor failed")
	if err := n.docker().ContainerUnpause(t.Context(), n.running("backup")[0].Status.ContainerStatus.ContainerID); err != nil {
		t.Error(err)
	}
	await(t, found, "what is over is taken back", func() error {
		return wantf(n.get("backup").Annotations[v1alpha1.AnnotationHealth], "", "annotation of health")
	})
}
