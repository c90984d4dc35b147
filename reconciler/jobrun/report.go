package jobrun

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

// Report puts the status of a plan into a job, and its conditions after it.
func Report(job *v1alpha1.TenantJob, in Input, plan Plan) {
	was := job.Status
	job.Status = plan.Status
	job.Status.Conditions, job.Status.ObservedGeneration = was.Conditions, was.ObservedGeneration

	why, held := (&decision{Input: in}).held()
	if held {
		conditions.Set(job, v1alpha1.ConditionSuspended, metav1.ConditionTrue, v1alpha1.ReasonSuspended, why)
	} else {
		conditions.Delete(job, v1alpha1.ConditionSuspended)
	}

	result(job)

	switch {
	case in.Deleting:
		conditions.MarkWaiting(job, metav1.ConditionFalse, v1alpha1.ReasonDeleting, "Its runs are being stopped")
	case plan.Invalid != nil:
		conditions.MarkStalled(job, metav1.ConditionFalse, v1alpha1.ReasonInvalidSchedule, plan.Invalid.Error())
	case blocked(job, in):
		obstructed(job, *in.Obstacle)
	case job.Spec.Schedule == "":
		reportOnce(job, why, held)
	default:
		reportScheduled(job, in, why, held)
	}
}

// result says how the last run that is over has ended. It stays when that run is forgotten.
func result(job *v1alpha1.TenantJob) {
	if len(job.Status.History) == 0 {
		return
	}

	is, isNot := v1alpha1.ConditionFailed, v1alpha1.ConditionComplete
	last := job.Status.History[0]
	if last.Phase == v1alpha1.RunSucceeded {
		is, isNot = isNot, is
	}

	message := last.Message
	if message == "" {
		message = "Run " + last.Name
	}

	conditions.Set(job, is, metav1.ConditionTrue, last.Reason, message)
	conditions.Delete(job, isNot)
}

// blocked is true while a run waits for its service, and none can be made.
func blocked(job *v1alpha1.TenantJob, in Input) bool {
	return in.Obstacle != nil && len(Wanting(job, in.World)) > 0
}

func obstructed(job *v1alpha1.TenantJob, o Obstacle) {
	if o.Stalled {
		conditions.MarkStalled(job, metav1.ConditionFalse, o.Reason, o.Message)
	} else {
		conditions.MarkWaiting(job, metav1.ConditionFalse, o.Reason, o.Message)
	}
}

// reportOnce: a job without a schedule is ready when its run has succeeded, and waited for until then.
func reportOnce(job *v1alpha1.TenantJob, why string, held bool) {
	s := &job.Status

	switch {
	case len(s.History) > 0 && s.History[0].Phase == v1alpha1.RunSucceeded:
		conditions.MarkReady(job, v1alpha1.ReasonComplete, "The run has succeeded")
	case len(s.History) > 0:
		conditions.MarkStalled(job, metav1.ConditionFalse, s.History[0].Reason, s.History[0].Message)
	case held && len(Wanting(job, World{})) == len(s.Active):
		rest(job, metav1.ConditionFalse, v1alpha1.ReasonSuspended, why)
	default:
		message := "The run is not over"
		if len(s.Active) > 0 && s.Active[0].Message != "" {
			message += ": " + s.Active[0].Message
		}
		conditions.MarkWaiting(job, metav1.ConditionFalse, v1alpha1.ReasonActive, message)
	}
}

// reportScheduled: a job with a schedule is ready as long as its ticks have runs; how those end is another matter.
func reportScheduled(job *v1alpha1.TenantJob, in Input, why string, held bool) {
	switch {
	case in.Held != nil:
		rest(job, metav1.ConditionFalse, v1alpha1.ReasonSuspended, why)
	case len(job.Status.Active) > 0:
		conditions.MarkReady(job, v1alpha1.ReasonActive, "A run is not over")
	case held:
		conditions.MarkReady(job, v1alpha1.ReasonSuspended, "No run begins, as declared: "+why)
	default:
		conditions.MarkReady(job, v1alpha1.ReasonScheduled, "It waits for the tick in status.nextScheduleTime")
	}
}

// rest says that nothing is being worked on, and nothing is wrong.
func rest(job *v1alpha1.TenantJob, status metav1.ConditionStatus, reason, message string) {
	conditions.Set(job, conditions.Ready, status, reason, message)
	conditions.Delete(job, conditions.Reconciling)
	conditions.Delete(job, conditions.Stalled)
}
