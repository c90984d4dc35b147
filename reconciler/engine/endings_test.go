package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

var errBoom = errors.New("boom")

func TestEndings(t *testing.T) {
	type condition struct{ Type, Status, Reason, Message string }

	type seen struct {
		Conditions []condition
		Observed   int64
		After      time.Duration
		Events     []string
	}

	cases := map[string]struct {
		reason string
		kind   kindFunc
		want   seen
	}{
		"Success": {
			reason: "Ready, and nobody is told to come back.",
			kind:   ready,
			want: seen{
				Conditions: []condition{{"Ready", "True", "Running", "1 of 1 tasks runs"}},
				Observed:   1, Events: []string{"Normal Running: 1 of 1 tasks runs"},
			},
		},
		"SuccessWithRequeue": {
			reason: "A kind may ask to be called again.",
			kind: func(ctx context.Context, c *v1alpha1.TenantContainer) (outcome.Result, error) {
				_, _ = ready(ctx, c)

				return outcome.Result{RequeueAfter: time.Minute}, nil
			},
			want: seen{
				Conditions: []condition{{"Ready", "True", "Running", "1 of 1 tasks runs"}},
				Observed:   1, After: time.Minute, Events: []string{"Normal Running: 1 of 1 tasks runs"},
			},
		},
		"Silence": {
			reason: "Ready is always there, even if the kind forgot.",
			kind:   ending(outcome.Result{}, nil),
			want:   seen{Conditions: []condition{{"Ready", "Unknown", "Unreported", "the controller has not said how it stands"}}, Observed: 1},
		},
		"Wait": {
			reason: "Progress is shown, looked at again, and is no event.",
			kind:   ending(outcome.Result{}, &outcome.Wait{Reason: "Starting", Message: "0 of 1 tasks runs", After: 3 * time.Second}),
			want: seen{
				Conditions: []condition{{"Ready", "False", "Starting", "0 of 1 tasks runs"}, {"Reconciling", "True", "Starting", "0 of 1 tasks runs"}},
				Observed:   1, After: 3 * time.Second,
			},
		},
		"WaitWithCause": {
			reason: "A wait that something went wrong in is worth an event, and an engine that is away makes Ready Unknown.",
			kind:   ending(outcome.Result{}, fmt.Errorf("observe: %w", &outcome.Wait{Reason: "EngineUnavailable", Err: errBoom, Ready: metav1.ConditionUnknown})),
			want: seen{
				Conditions: []condition{{"Ready", "Unknown", "EngineUnavailable", "boom"}, {"Reconciling", "True", "EngineUnavailable", "boom"}},
				Observed:   1, After: outcome.DefaultWait, Events: []string{"Warning EngineUnavailable: boom"},
			},
		},
		"Stall": {
			reason: "Only a change helps, so nobody comes back by the clock.",
			kind:   ending(outcome.Result{}, &outcome.Stall{Reason: "InvalidSpec", Err: errBoom}),
			want: seen{
				Conditions: []condition{{"Ready", "False", "InvalidSpec", "boom"}, {"Stalled", "True", "InvalidSpec", "boom"}},
				Observed:   1, Events: []string{"Warning InvalidSpec: boom"},
			},
		},
		"Error": {
			reason: "What was not understood was not observed.",
			kind:   ending(outcome.Result{}, errBoom),
			want: seen{
				Conditions: []condition{{"Ready", "False", "Error", "boom"}, {"Reconciling", "True", "Error", "boom"}},
				After:      5 * time.Millisecond, Events: []string{"Warning Error: boom"},
			},
		},
		"Panic": {
			reason: "One poisoned object is one failing object, and its owner is told nothing of our insides.",
			kind:   func(context.Context, *v1alpha1.TenantContainer) (outcome.Result, error) { panic("nil map") },
			want: seen{
				Conditions: []condition{
					{"Ready", "False", "Error", "internal error; it has been logged and counted, and other objects are not affected"},
					{"Reconciling", "True", "Error", "internal error; it has been logged and counted, and other objects are not affected"},
				},
				After:  5 * time.Millisecond,
				Events: []string{"Warning Error: internal error; it has been logged and counted, and other objects are not affected"},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, tc.kind)
			got := seen{After: b.pass(), Events: b.events}

			c := b.stored()
			got.Observed = c.Status.ObservedGeneration

			for _, have := range c.Status.Conditions {
				got.Conditions = append(got.Conditions, condition{have.Type, string(have.Status), have.Reason, have.Message})
			}

			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}

			b.lint()
		})
	}
}

func TestSamePassWritesNothing(t *testing.T) {
	cases := map[string]kindFunc{
		"Success": ready,
		"Wait":    ending(outcome.Result{}, &outcome.Wait{Reason: "Starting", Err: errBoom}),
		"Stall":   ending(outcome.Result{}, &outcome.Stall{Reason: "InvalidSpec", Message: "no"}),
		"Error":   ending(outcome.Result{}, errBoom),
	}
	for name, kind := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, kind)
				for range 11 {
					b.pass()
					time.Sleep(time.Hour)
				}

				if diff := cmp.Diff([]string{"status"}, b.writes); diff != "" {
					t.Errorf("eleven passes that saw the same, writes (-want +got):\n%s", diff)
				}

				if len(b.events) != 1 {
					t.Errorf("eleven passes that saw the same made %d events: %q", len(b.events), b.events)
				}
			})
		})
	}
}

func TestConflictsAreSilentUntilTheyAreAFight(t *testing.T) {
	terminating := apierrors.NewForbidden(schema.GroupResource{Resource: "containerrevisions"}, "web-1", errors.New("no"))
	terminating.ErrStatus.Details.Causes = append(terminating.ErrStatus.Details.Causes, metav1.StatusCause{Type: corev1.NamespaceTerminatingCause})
	for name, conflict := range map[string]error{"Stale": swarmobj.ErrStale, "NamespaceTerminating": terminating} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, ending(outcome.Result{}, fmt.Errorf("update service: %w", conflict)))

				for range 10 {
					time.Sleep(b.pass())
				}

				if len(b.writes) > 0 || len(b.events) > 0 {
					t.Fatalf("ten conflicts wrote %q and told %q; they must be silent", b.writes, b.events)
				}

				for range 3 {
					time.Sleep(b.pass())
				}

				if diff := cmp.Diff([]string{"Warning Error: update service: " + conflict.Error()}, b.events); diff != "" {
					t.Errorf("a fight must be told, once (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestFailingObjectIsTriedOnceASecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		b := newBench(t, kindFunc(func(context.Context, *v1alpha1.TenantContainer) (outcome.Result, error) {
			tries++

			return outcome.Result{}, errBoom
		}))

		// Somebody reports a change every 10 ms for a minute.
		for range 6000 {
			b.pass()
			time.Sleep(10 * time.Millisecond)
		}

		if tries > 66 {
			t.Errorf("%d tries in a minute", tries)
		}

		before := tries
		b.edit(func(c *v1alpha1.TenantContainer) { c.Generation++ })
		b.pass()

		if tries != before+1 {
			t.Error("a change of the spec was held back")
		}
	})
}

func TestBackOffGrowsToFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails := true
		b := newBench(t, kindFunc(func(ctx context.Context, c *v1alpha1.TenantContainer) (outcome.Result, error) {
			if fails {
				return outcome.Result{}, errBoom
			}

			return ready(ctx, c)
		}))

		var last time.Duration

		for range 20 {
			after := b.pass()
			if after < last {
				t.Errorf("the time until the next try went down from %v to %v", last, after)
			}

			last = after
			time.Sleep(after)
		}

		if last != 5*time.Minute {
			t.Errorf("the longest time until the next try is %v", last)
		}

		fails = false
		if after := b.pass(); after != 0 {
			t.Errorf("after a success the next pass is due in %v", after)
		}

		b.lint()
	})
}

func TestExplainGuardsWhatOwnersRead(t *testing.T) {
	b := newBench(t, ending(outcome.Result{}, errBoom), func(o *engine.Options) {
		o.Explain = func(error) string { return "something failed" }
	})
	b.pass()

	if got := b.stored().Status.Conditions[0].Message; got != "something failed" {
		t.Errorf("message %q", got)
	}
}
