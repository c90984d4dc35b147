package mounts

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/mounting"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Swarm shows who writes to a volume.
type Swarm interface {
	// Writers are the services of a tenant that mount a volume, by what engines call it, for writing, or of which a task does
	// that has not ended, of those that were removed as well. It asks the engine.
	Writers(ctx context.Context, tenant, source string) ([]swarmobj.Writer, error)
}

// Rivals are who else may write to a Volume whose data is on one node.
type Rivals struct {
	// Holder is who writes, or will do so without asking again, in people's words; empty when there is nobody.
	Holder string
	// Claims are runs of other jobs that may begin at this very moment.
	Claims []Claim
}

// Claim is that of a run, with whose it is.
type Claim struct {
	jobrun.Claim
	// Text is for people.
	Text string
}

// FindRivals looks for others than me who write to a Volume, called source by engines. Whoever is about to write has said so in the
// store before, and looks here then: of two that do so at the same time at least one sees the other. For that both are read past
// caches, the store first: who is no longer about to write when it is read has a service by then.
func FindRivals(ctx context.Context, s Swarm, live client.Reader, me swarmobj.Owner, volume, source string, now time.Time) (Rivals, error) {
	var (
		jobs   v1alpha1.TenantJobList
		rivals Rivals
	)
	if err := live.List(ctx, &jobs, client.InNamespace(me.Tenant)); err != nil {
		return rivals, fmt.Errorf("list jobs that mount volume %q: %w", volume, err)
	}

	for i := range jobs.Items {
		j := &jobs.Items[i]
		if string(j.UID) == me.UID || !mounting.Writes(j.Spec.Template.Volumes, volume) {
			continue
		}
		for _, claim := range jobrun.Claims(j, now) {
			rivals.Claims = append(rivals.Claims, Claim{claim, fmt.Sprintf("a run of job %q", j.Name)})
		}
	}

	writers, err := s.Writers(ctx, me.Tenant, source)
	if err != nil {
		return rivals, fmt.Errorf("find who writes to volume %q: %w", volume, err)
	}
	for _, w := range writers {
		if w.Owner.UID == me.UID {
			continue
		}
		if rivals.Holder = holder(w, jobs.Items); rivals.Holder != "" {
			break
		}
	}

	return rivals, nil
}

// holder is a service that writes, in people's words; empty for one that does not and will not. That of a container may have tasks
// again at any time, and that of a run until the run is over.
func holder(w swarmobj.Writer, jobs []v1alpha1.TenantJob) string {
	switch {
	case w.Owner.Kind == swarmobj.KindJob:
		if w.Live || goesOn(w, jobs) {
			return fmt.Sprintf("a run of job %q", w.Owner.Name)
		}

		return ""
	case w.Owner.Name != "":
		return fmt.Sprintf("container %q", w.Owner.Name)
	case w.Live:
		return "tasks that are being stopped"
	default:
		return ""
	}
}

func goesOn(w swarmobj.Writer, jobs []v1alpha1.TenantJob) bool {
	for i := range jobs {
		if string(jobs[i].UID) == w.Owner.UID {
			return slices.ContainsFunc(jobs[i].Status.Active, func(r v1alpha1.JobRun) bool { return r.Name == w.Run })
		}
	}

	return false
}
