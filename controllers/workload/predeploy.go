package workload

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/predeploy"
)

// preDeploy holds a fresh revision back until the job that spec.rollout.preDeploy asks for has succeeded. What has to be made for
// that is noted, and made by the plan.
func (c *Controller) preDeploy(ctx context.Context, s *situation) error {
	want := predeploy.Job(s.tc, s.template, s.templateHash, s.image)
	if want == nil || !s.target.fresh || s.adoptee != nil {
		return nil
	}

	var jobs v1alpha1.TenantJobList

	err := c.client.List(ctx, &jobs, client.InNamespace(s.tc.Namespace), client.MatchingLabels(want.Labels))
	if err != nil {
		return fmt.Errorf("list jobs of %q: %w", s.tc.Name, err)
	}

	var have *v1alpha1.TenantJob

	for i := range jobs.Items {
		switch job := &jobs.Items[i]; {
		case !predeploy.Owned(job, s.tc):
		case job.Name == want.Name:
			have = job
		default: // It was for another revision, or another image.
			s.jobSteps = append(s.jobSteps, removeJob{job.Namespace, job.Name})
		}
	}

	switch {
	case have != nil:
		return verdictOf(have)
	case s.scale.suspended:
		return &outcome.Wait{Reason: v1alpha1.ReasonPreDeploying, Message: "spec.rollout.preDeploy is run when the suspension is over"}
	default:
		s.jobSteps = append(s.jobSteps, createJob{want})

		return &outcome.Wait{Reason: v1alpha1.ReasonPreDeploying, Message: fmt.Sprintf("TenantJob %q has to succeed first", want.Name)}
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
