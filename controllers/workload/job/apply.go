package job

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/sight"
	"github.com/dogker/dogker/reconciler/slogctx"
)

// Reasons of events, as Kubernetes' own controllers of jobs have them.
const (
	eventCreated = "SuccessfulCreate"
	eventDeleted = "SuccessfulDelete"
)

// apply carries the steps out, in order, and stops at the first that fails. It makes no choices: a step whose work is done already
// succeeds, and the rest is for the next pass, which looks again.
func (c *Controller) apply(ctx context.Context, s *situation, steps []jobrun.Step) error {
	for _, step := range steps {
		if err := c.do(ctx, s, step); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}

		// What was done shows a moment later.
		s.again = lookAgain
	}

	return nil
}

// announce says what is about to be changed. A step that only waits says nothing, however many passes that takes.
func announce(ctx context.Context, step jobrun.Step) {
	slogctx.From(ctx).LogAttrs(ctx, slog.LevelInfo, "Changing what TenantJob needs", slog.String(logkey.Step, step.String()))
}

func (c *Controller) do(ctx context.Context, s *situation, step jobrun.Step) error {
	switch step.Deed {
	case jobrun.Create:
		if s.start == nil {
			return nil // Nobody has found out from what; the next pass does.
		}
		if stands, err := c.stands(ctx, s, step.Run); err != nil || !stands {
			return err
		}
		announce(ctx, step)
		if err := c.begin(ctx, s.start, step); err != nil {
			return err
		}

		c.recorder.Event(s.in.Job, corev1.EventTypeNormal, eventCreated, "Created service of run "+step.Run)

		return nil
	case jobrun.Remove:
		return c.remove(ctx, s, step)
	case jobrun.DeleteJob:
		announce(ctx, step)

		return c.deleteJob(ctx, s.in.Job)
	default:
		panic(fmt.Sprintf("job: nobody does %q", step.Deed))
	}
}

// stands is true while the record that a service is made from is still what the store has. What was read may be from before the run
// was over, if it comes from a cache that is behind, and a run that had to be stopped leaves nothing that would be in the way; or from
// before it was told to wait, and whoever it waits for relies on that.
func (c *Controller) stands(ctx context.Context, s *situation, run string) (bool, error) {
	var now v1alpha1.TenantJob

	err := c.live.Get(ctx, client.ObjectKeyFromObject(s.in.Job), &now)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read job %q: %w", s.in.Job.Name, err)
	}

	waits := slices.ContainsFunc(now.Status.Active, func(r v1alpha1.JobRun) bool { return r.Name == run && jobrun.Claimed(&r) })

	return waits && now.UID == s.in.Job.UID && now.DeletionTimestamp.IsZero(), nil
}

// remove takes a service away. One that no record tells of is held against the record once more, as the store has it now.
func (c *Controller) remove(ctx context.Context, s *situation, step jobrun.Step) error {
	if step.Orphan {
		var now v1alpha1.TenantJob

		err := c.live.Get(ctx, client.ObjectKeyFromObject(s.in.Job), &now)
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("read job %q: %w", s.in.Job.Name, err)
		}
		if err == nil && now.UID == s.in.Job.UID && recorded(&now, step.Run) {
			return nil
		}
	}

	if seen, ok := s.service(step.ServiceID); ok {
		stopping, err := c.stop(ctx, s, seen, step)
		if err != nil || stopping || keepsName(s, step) {
			return err
		}
	}

	announce(ctx, step)
	if err := c.swarm.RemoveService(ctx, step.ServiceID, s.owner); err != nil {
		return sight.Lost(err)
	}

	c.recorder.Event(s.in.Job, corev1.EventTypeNormal, eventDeleted, "Removed service of run "+step.Run)

	return nil
}

func recorded(j *v1alpha1.TenantJob, run string) bool {
	for _, list := range [][]v1alpha1.JobRun{j.Status.Active, j.Status.History} {
		for _, r := range list {
			if r.Name == run {
				return true
			}
		}
	}

	return false
}

// deleteJob deletes this job, and not one that was made under its name meanwhile.
func (c *Controller) deleteJob(ctx context.Context, j *v1alpha1.TenantJob) error {
	err := c.client.Delete(ctx, j.DeepCopy(), client.Preconditions{UID: &j.UID})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete job %q: %w", j.Name, err)
	}

	return nil
}

// Bounds of what is read of what a run wrote last.
const (
	logLines = 20
	logBytes = 2 * v1alpha1.MaxJobLogTail
	// noLog stands in the place of a log that cannot be read.
	noLog = "(what it wrote last cannot be read)"
)

// keepLogs puts what runs that are over wrote last on record, while the engine still has it.
func (c *Controller) keepLogs(ctx context.Context, plan *jobrun.Plan) {
	for _, end := range plan.Ends {
		if end.TaskID == "" {
			continue
		}

		output, err := c.swarm.Tail(ctx, end.TaskID, logLines, logBytes)
		if err != nil {
			slogctx.From(ctx).WarnContext(ctx, "Could not read what a run wrote last", logkey.Step, end.Run, logkey.Err, err)
			plan.Attach(end.Run, noLog)

			continue
		}

		plan.Attach(end.Run, string(output))
	}
}

// tell says what has changed, to people and in numbers.
func (c *Controller) tell(j *v1alpha1.TenantJob, plan *jobrun.Plan) {
	for _, news := range plan.News {
		kind := corev1.EventTypeNormal
		if news.Warning {
			kind = corev1.EventTypeWarning
		}
		c.recorder.Event(j, kind, news.Reason, news.Message)
	}

	c.metrics.missed(plan.Status.MissedRuns - j.Status.MissedRuns)

	for _, end := range plan.Ends {
		for i := range plan.Status.History {
			if r := &plan.Status.History[i]; r.Name == end.Run {
				c.metrics.ended(r)
			}
		}
	}
}
