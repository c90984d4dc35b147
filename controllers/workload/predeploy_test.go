package workload

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/predeploy"
)

// TestPreDeployHoldsBack: a fresh revision waits for its job, and for no other one.
func TestPreDeployHoldsBack(t *testing.T) {
	finished := func(condition, message string) func(*v1alpha1.TenantJob) {
		return func(j *v1alpha1.TenantJob) { conditions.Set(j, condition, metav1.ConditionTrue, "Because", message) }
	}

	going := func(j *v1alpha1.TenantJob) { j.Status.Active = []v1alpha1.JobRun{{Name: "run"}} }
	done := func(j *v1alpha1.TenantJob) { j.Status.History = []v1alpha1.JobRun{{Name: "run"}} }
	stopping := func(j *v1alpha1.TenantJob) {
		j.DeletionTimestamp, j.Finalizers = &metav1.Time{Time: time.Unix(1, 0)}, []string{v1alpha1.Finalizer}
	}

	cases := map[string]struct {
		reason string
		// job is what there is of the job; nil when there is none.
		job func(*v1alpha1.TenantJob)
		// old is what there is of the job of another revision; nil when there is none.
		old  func(*v1alpha1.TenantJob)
		edit func(*situation)
		// says is what is waited for; stalls when only a change can help.
		says   string
		stalls bool
		steps  string
	}{
		"First":      {reason: "The job is made.", says: "has to succeed first", steps: "create"},
		"Running":    {reason: "It is waited for.", job: func(*v1alpha1.TenantJob) {}, says: "has to succeed first"},
		"Passed":     {reason: "The way is free.", job: finished("Complete", "")},
		"Failed":     {reason: "The rollout stops, with its reason.", job: finished("Failed", "exit code 3"), says: "exit code 3", stalls: true},
		"Suspended":  {reason: "Nothing is run for what is not to run.", edit: func(s *situation) { s.scale.suspended = true }, says: "suspension"},
		"NotAsked":   {reason: "Nothing is asked for.", edit: func(s *situation) { s.tc.Spec.Rollout = nil }},
		"NotFresh":   {reason: "A revision on record has passed.", edit: func(s *situation) { s.target.fresh = false }},
		"AnotherOne": {reason: "The job of another revision goes first, and no two run at a time.", old: going, says: "has to be gone first", steps: "remove"},
		"AnotherAndThis": {
			reason: "Whatever this one says: two may not have run at a time.", job: finished("Complete", ""), old: going, says: "has to be gone first", steps: "remove",
		},
		"StillStopping": {reason: "It is being deleted, and its tasks have their grace.", old: stopping, says: "has to be gone first"},
		"AskedNoMore":   {reason: "Nor does a revision begin beside it that asks for none.", old: going, edit: func(s *situation) { s.tc.Spec.Rollout = nil }, says: "has to be gone first", steps: "remove"},
		"WentBack":      {reason: "What is run again has been tried; nobody needs what goes on.", old: going, edit: func(s *situation) { s.target.fresh = false }, steps: "remove"},
		"WentBackOver":  {reason: "How it went can be read until the next one.", old: done, edit: func(s *situation) { s.target.fresh = false }},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := scene(t)
			s.tc.UID = "5b1e"
			s.tc.Spec.Rollout = &v1alpha1.Rollout{PreDeploy: &v1alpha1.PreDeploy{Args: []v1alpha1.Text{"migrate"}}}
			s.target = target{number: 2, fresh: true}

			job := predeploy.Job(s.tc, s.template, s.templateHash, s.image)
			asking := s.tc.DeepCopy()
			if tc.edit != nil {
				tc.edit(s)
			}

			scheme := runtime.NewScheme()
			if err := v1alpha1.AddToScheme(scheme); err != nil {
				t.Fatal(err)
			}
			b := fake.NewClientBuilder().WithScheme(scheme)
			if tc.job != nil {
				tc.job(job)
				b = b.WithObjects(job)
			}
			if tc.old != nil {
				another := predeploy.Job(asking, s.template, "another", s.image)
				tc.old(another)
				b = b.WithObjects(another)
			}
			c := &Controller{client: b.Build()}
			c.live = c.client

			err := c.preDeploy(context.Background(), s)

			var stall *outcome.Stall
			if (err != nil) != (tc.says != "") || err != nil && !strings.Contains(err.Error(), tc.says) || errors.As(err, &stall) != tc.stalls {
				t.Fatalf("%s: %v, want %q", tc.reason, err, tc.says)
			}

			var steps []string
			for _, st := range s.jobSteps {
				steps = append(steps, strings.Fields(fmt.Sprint(st))[0])
				for range 2 { // What is done already is done.
					if err := c.do(context.Background(), s, st); err != nil {
						t.Errorf("%s: %v", st, err)
					}
				}
			}
			if got := strings.Join(steps, " "); got != tc.steps {
				t.Errorf("%s: steps %q, want %q", tc.reason, got, tc.steps)
			}

			// What it has made it finds, and makes no more of it.
			before := len(s.jobSteps)
			s.jobSteps = nil
			again := c.preDeploy(context.Background(), s)
			if tc.steps == "create" && (again == nil || len(s.jobSteps) > 0) || before == 0 && len(s.jobSteps) > 0 {
				t.Errorf("%s: the next pass has steps %v and says %v", tc.reason, s.jobSteps, again)
			}

			// When the other one is gone it is this one's turn.
			if _, makes := first(s.jobSteps).(createJob); tc.steps == "remove" && makes != (tc.job == nil && s.target.fresh && s.tc.Spec.Rollout != nil) {
				t.Errorf("%s: then the steps are %v", tc.reason, s.jobSteps)
			}
		})
	}
}

func first(steps []step) step {
	if len(steps) == 0 {
		return nil
	}

	return steps[0]
}
