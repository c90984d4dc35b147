package workload

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/predeploy"
)

// preDeploy holds a fresh revision back until the job that spec.rollout.preDeploy asks for has succeeded. What has to be made for
// that is noted, and made by the plan. No two such jobs run at a time: one that was for another revision goes first, down to its last
// task, which the job itself stays for.
func (c *Controller) preDeploy(ctx context.Context, s *situation) error {
	if s.adoptee != nil {
		return nil
	}

	want := predeploy.Job(s.tc, s.template, s.templateHash, s.image)
	if !s.target.fresh {
		return c.abandon(ctx, s, want)
	}

	// Two passes may make jobs for two revisions within the time that a cache takes to show one.
	from := c.live
	if want == nil {
		from = c.client
	}

	jobs, err := preDeployed(ctx, from, s.tc)
	if err != nil {
		return err
	}

	var have, other *v1alpha1.TenantJob

	for i := range jobs {
		if want != nil && jobs[i].Name == want.Name {
			have = &jobs[i]

			continue
		}
		// It was for another revision, or another image.
		other = &jobs[i]
		s.withoutJob(other)
	}

	switch {
	case other != nil:
		return &outcome.Wait{
			Reason: v1alpha1.ReasonPreDeploying, After: lookAgain,
			Message: fmt.Sprintf("TenantJob %q, which was for another revision, has to be gone first", other.Name),
		}
	case want == nil:
		return nil
	case have != nil:
		return verdictOf(have)
	case s.scale.suspended:
		return &outcome.Wait{Reason: v1alpha1.ReasonPreDeploying, Message: "spec.rollout.preDeploy is run when the suspension is over"}
	default:
		s.jobSteps = append(s.jobSteps, createJob{want})

		return &outcome.Wait{Reason: v1alpha1.ReasonPreDeploying, Message: fmt.Sprintf("TenantJob %q has to succeed first", want.Name)}
	}
}

// abandon takes away the jobs that are not over though the revision that they were for is not to be started any more, because one of
// the record is. Those that are over are kept until the next fresh revision: they say how it went.
func (c *Controller) abandon(ctx context.Context, s *situation, want *v1alpha1.TenantJob) error {
	jobs, err := preDeployed(ctx, c.client, s.tc)
	if err != nil {
		return err
	}

	for i := range jobs {
		if job := &jobs[i]; !jobrun.Over(job) && (want == nil || job.Name != want.Name) {
			s.withoutJob(job)
		}
	}

	return nil
}

// preDeployed are the jobs that were made for revisions of a container.
func preDeployed(ctx context.Context, r client.Reader, tc *v1alpha1.TenantContainer) ([]v1alpha1.TenantJob, error) {
	var jobs v1alpha1.TenantJobList

	err := r.List(ctx, &jobs, client.InNamespace(tc.Namespace), client.MatchingLabels(predeploy.Labels(tc)))
	if err != nil {
		return nil, fmt.Errorf("list jobs of %q: %w", tc.Name, err)
	}

	return slices.DeleteFunc(jobs.Items, func(j v1alpha1.TenantJob) bool { return !predeploy.Owned(&j, tc) }), nil
}

// withoutJob notes that a job is to go, unless it does already.
func (s *situation) withoutJob(job *v1alpha1.TenantJob) {
	if job.DeletionTimestamp.IsZero() {
		s.jobSteps = append(s.jobSteps, removeJob{job.Namespace, job.Name})
	}
}

func verdictOf(job *v1alpha1.TenantJob) error {
	switch verdict, why := predeploy.Judge(job); verdict {
	case predeploy.Passed:
		return nil
	case predeploy.Failed:
		return &outcome.Stall{Reason: v1alpha1.ReasonPreDeployFailed, Message: why + "; change the spec, or delete the job to try it again"}
	default:
		return &outcome.Wait{Reason: v1alpha1.ReasonPreDeploying, Message: why}
	}
}

// createJob makes the job that has to succeed before a revision is started.
type createJob struct{ job *v1alpha1.TenantJob }

func (s createJob) String() string { return fmt.Sprintf("create job %q", s.job.Name) }

// removeJob deletes a job that no revision waits for any more.
type removeJob struct{ namespace, name string }

func (s removeJob) String() string { return fmt.Sprintf("remove job %q", s.name) }

// makeJob makes a job. One that is there was made by a pass that this one does not know of yet.
func (c *Controller) makeJob(ctx context.Context, st createJob) error {
	err := c.client.Create(ctx, st.job.DeepCopy(), client.FieldOwner(fieldOwner))

	switch {
	case err == nil, apierrors.IsAlreadyExists(err):
		return nil
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err):
		return &outcome.Wait{Reason: v1alpha1.ReasonPreDeployFailed, Message: "The job of spec.rollout.preDeploy is refused: " + err.Error(), Err: err}
	default:
		return err
	}
}

func (c *Controller) dropJob(ctx context.Context, st removeJob) error {
	job := &v1alpha1.TenantJob{ObjectMeta: metav1.ObjectMeta{Namespace: st.namespace, Name: st.name}}

	return client.IgnoreNotFound(c.client.Delete(ctx, job))
}
