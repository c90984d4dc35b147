package conditions_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
)

func container() *v1alpha1.TenantContainer {
	return &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Generation: 3}}
}

func TestSummary(t *testing.T) {
	type short struct {
		Type, Status, Reason string
	}

	cases := map[string]struct {
		reason string
		do     func(*v1alpha1.TenantContainer)
		want   []short
	}{
		"ReadyStandsAlone": {
			reason: "Reconciling and Stalled exist only while True.",
			do: func(c *v1alpha1.TenantContainer) {
				conditions.MarkStalled(c, metav1.ConditionFalse, "InvalidSpec", "no")
				conditions.MarkWaiting(c, metav1.ConditionFalse, "Starting", "soon")
				conditions.MarkReady(c, "Running", "yes")
			},
			want: []short{{"Ready", "True", "Running"}},
		},
		"WaitingIsNotStalled": {
			reason: "An object that is both would be read as failed by some tools and as in progress by others.",
			do: func(c *v1alpha1.TenantContainer) {
				conditions.MarkStalled(c, metav1.ConditionFalse, "InvalidSpec", "no")
				conditions.MarkWaiting(c, metav1.ConditionUnknown, "EngineUnavailable", "silence")
			},
			want: []short{{"Ready", "Unknown", "EngineUnavailable"}, {"Reconciling", "True", "EngineUnavailable"}},
		},
		"StalledIsNotReconciling": {
			reason: "Nobody works on what only the user can change.",
			do: func(c *v1alpha1.TenantContainer) {
				conditions.MarkWaiting(c, metav1.ConditionFalse, "Starting", "soon")
				conditions.MarkStalled(c, metav1.ConditionFalse, "InvalidSpec", "no")
			},
			want: []short{{"Ready", "False", "InvalidSpec"}, {"Stalled", "True", "InvalidSpec"}},
		},
		"OrderIsFixed": {
			reason: "Two passes that say the same write the same bytes, in whatever order they say it.",
			do: func(c *v1alpha1.TenantContainer) {
				conditions.Set(c, "Suspended", metav1.ConditionTrue, "ByHand", "")
				conditions.Set(c, "Paused", metav1.ConditionTrue, "ByHand", "")
				conditions.MarkWaiting(c, metav1.ConditionFalse, "Starting", "soon")
			},
			want: []short{
				{"Ready", "False", "Starting"}, {"Reconciling", "True", "Starting"},
				{"Paused", "True", "ByHand"}, {"Suspended", "True", "ByHand"},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := container()
			tc.do(c)

			var got []short
			for _, have := range c.GetConditions() {
				got = append(got, short{have.Type, string(have.Status), have.Reason})
			}

			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nconditions (-want +got):\n%s", tc.reason, diff)
			}

			check.Status(t, c)
		})
	}
}

func TestTransitionTimeMovesWithStatusOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := container()
		conditions.MarkWaiting(c, metav1.ConditionFalse, "Starting", "a")
		first := conditions.Get(c, conditions.Ready).LastTransitionTime

		time.Sleep(time.Hour)
		conditions.MarkWaiting(c, metav1.ConditionFalse, "Unhealthy", "b")

		if got := conditions.Get(c, conditions.Ready).LastTransitionTime; !got.Equal(&first) {
			t.Errorf("a new reason moved the transition time from %v to %v", first, got)
		}

		conditions.MarkReady(c, "Running", "c")

		if got := conditions.Get(c, conditions.Ready).LastTransitionTime; got.Sub(first.Time) != time.Hour {
			t.Errorf("a new status left the transition time at %v", got)
		}
	})
}

func TestSetLeavesCopiesAlone(t *testing.T) {
	before := container()
	conditions.MarkReady(before, "Running", "yes")

	after := *before
	conditions.MarkStalled(&after, metav1.ConditionFalse, "InvalidSpec", "no")

	want := []metav1.Condition{{Type: "Ready", Status: metav1.ConditionTrue, Reason: "Running", Message: "yes", ObservedGeneration: 3}}
	if diff := cmp.Diff(want, before.GetConditions(), cmpopts.IgnoreFields(metav1.Condition{}, "LastTransitionTime")); diff != "" {
		t.Errorf("the copy that shows what was before has changed (-want +got):\n%s", diff)
	}
}

func TestMessagesAreCut(t *testing.T) {
	cases := map[string]struct {
		reason  string
		message string
		want    int
	}{
		"ShortStays":   {reason: "What fits is not touched.", message: "né", want: 2},
		"LimitFits":    {reason: "The limit itself fits.", message: strings.Repeat("é", conditions.MaxMessage), want: conditions.MaxMessage},
		"LongIsCut":    {reason: "Cut on a rune, never within one.", message: strings.Repeat("é", 4000), want: conditions.MaxMessage},
		"InvalidUTF8":  {reason: "The API refuses strings that are no UTF-8.", message: "a\xffb", want: 3},
		"SpaceIsNoise": {reason: "Engines end their texts with line ends.", message: " a\n", want: 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := container()
			conditions.MarkReady(c, "Running", tc.message)

			got := conditions.Get(c, conditions.Ready).Message
			if n := utf8.RuneCountInString(got); n != tc.want || !utf8.ValidString(got) {
				t.Errorf("%s\n%d characters, want %d: %q", tc.reason, n, tc.want, got)
			}
		})
	}
}
