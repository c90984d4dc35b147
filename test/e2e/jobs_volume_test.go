//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// reading mounts a Volume at /NAME, and lets nobody write there.
func reading(name string) jobChange {
	return func(j *v1alpha1.TenantJob) {
		jobMounting(name)(j)
		j.Spec.Template.Volumes[0].ReadOnly = true
	}
}

// TestJobsShareAVolume: jobs write to the data of a Volume one after the other, and after the container that does; who only reads it
// waits for nobody.
func TestJobsShareAVolume(t *testing.T) {
	t.Parallel()
	c := sharedCell(t)
	n := c.tenant(t)
	w := c.watch(t)
	n.create(volumeNamed("data", ""))
	n.run(app("db", "v1", mounting("data")))
	n.write("db", "/data/log", "the container\n")

	n.create(jobOf("reader", nil, reading("data")))
	n.create(jobOf("first", []string{"append", "/data/log", "a job"}, jobMounting("data")))
	n.waits("first", v1alpha1.ReasonVolumeConflict, `Volume "data" is written by container "db"`)
	n.runActive("reader")

	n.remove(app("db", "v1"))
	if run := n.runOver(atLast, "first", v1alpha1.RunSucceeded); run.LogTail != "the container\na job" {
		t.Errorf("the job sees %q", run.LogTail)
	}

	const writers = 4
	for i := range writers {
		n.create(jobOf(fmt.Sprintf("writer-%d", i), nil, jobMounting("data"), lasting(3*time.Second)))
	}
	var lives []life
	for i := range writers {
		run := n.runOver(goneBy, fmt.Sprintf("writer-%d", i), v1alpha1.RunSucceeded)
		lives = append(lives, w.of(t, n.name, "job_"+run.Name)...)
	}
	slices.SortFunc(lives, func(a, b life) int { return a.started.Compare(b.started) })
	if len(lives) != writers {
		t.Errorf("%d runs had %d containers: %+v", writers, len(lives), lives)
	}
	for i := 1; i < len(lives); i++ {
		if lives[i].started.Before(lives[i-1].ended) {
			t.Errorf("%s began at %v, and %s wrote until %v", lives[i].service, lives[i].started, lives[i-1].service, lives[i-1].ended)
		}
	}

	n.runActive("reader") // It has been there all the time.

	// Two at a time are refused, or wait where the Volume came later.
	both := jobOf("both", nil, jobMounting("data"), tasksOf(2, 2))
	both.Namespace = n.name
	if err := n.api.Create(t.Context(), both); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.parallelism: Invalid value: 2: must be at most 1") {
		t.Errorf("two tasks at a time that write: got %v, want a refusal of spec.parallelism", err)
	}
	n.create(jobOf("early", nil, jobMounting("later"), tasksOf(2, 2)))
	n.create(volumeNamed("later", ""))
	n.waits("early", v1alpha1.ReasonVolumeConflict, "spec.parallelism: 2: must be 1")
}
