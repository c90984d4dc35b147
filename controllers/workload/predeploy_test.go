package workload

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

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

	cases := map[string]struct {
		reason string
		// job is what there is of the job; nil when there is none.
		job  func(*v1alpha1.TenantJob)
		old  bool
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
		"AnotherOne": {reason: "The job of another revision says nothing about this one, and goes.", old: true, says: "has to succeed first", steps: "remove create"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := scene(t)
			s.tc.UID = "5b1e"
			s.tc.Spec.Rollout = &v1alpha1.Rollout{PreDeploy: &v1alpha1.PreDeploy{Args: []v1alpha1.Text{"migrate"}}}
			s.target = target{number: 2, fresh: true}

			job := predeploy.Job(s.tc, s.template, s.templateHash, s.image)
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
			if tc.old {
				b = b.WithObjects(predeploy.Job(s.tc, s.template, "another", s.image))
			}
			c := &Controller{client: b.Build()}

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
			if again := c.preDeploy(context.Background(), s); before > 0 && (again == nil || len(s.jobSteps) > 0) {
				t.Errorf("%s: the next pass has steps %v and says %v", tc.reason, s.jobSteps, again)
			}
		})
	}
}
