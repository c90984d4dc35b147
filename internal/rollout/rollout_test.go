package rollout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

func container(running int64) *v1alpha1.TenantContainer {
	tc := &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "web", Generation: 1}}
	tc.Spec.Image = "shop:3"
	tc.Status.Revision, tc.Status.ObservedGeneration, tc.Status.Tasks = running, 1, "1/1"

	return tc
}

func revision(n int64, outcome v1alpha1.RevisionOutcome) *v1alpha1.ContainerRevision {
	return &v1alpha1.ContainerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "acme", Name: fmt.Sprintf("web-%d", n), Labels: map[string]string{v1alpha1.LabelContainer: "web"},
		},
		Spec: v1alpha1.ContainerRevisionSpec{
			Container: "web", Revision: n,
			Template: v1alpha1.TenantContainerSpec{Image: v1alpha1.Image(fmt.Sprintf("shop:%d", n))},
		},
		Status: v1alpha1.ContainerRevisionStatus{Outcome: outcome},
	}
}

// rolloutOf is a rollout against a store that holds the objects.
func rolloutOf(t *testing.T, objs ...client.Object) (*Rollout, *bytes.Buffer) {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}

	out := &bytes.Buffer{}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objs...).Build()

	return &Rollout{Client: c, Out: out, Key: types.NamespacedName{Namespace: "acme", Name: "web"}}, out
}

func TestUndo(t *testing.T) {
	good, bad := v1alpha1.OutcomeComplete, v1alpha1.OutcomeFailed

	cases := map[string]struct {
		reason string
		to     int64
		want   int64 // 0 is an error
	}{
		"LastGood":  {"Without a number it is the last one that worked before what runs.", 0, 1},
		"ByNumber":  {"A number is taken as it is.", 2, 2},
		"NotThere":  {"A number that is not in the history is refused.", 9, 0},
		"ToNothing": {"A negative number is no revision.", -1, 0},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r, _ := rolloutOf(t, container(3), revision(1, good), revision(2, bad), revision(3, good))

			err := r.Undo(context.Background(), tc.to)
			if (err != nil) != (tc.want == 0) {
				t.Fatalf("%s\nerror = %v", tc.reason, err)
			}
			if err != nil {
				return
			}

			got, err := r.get(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if got.Spec.RollbackTo == nil || *got.Spec.RollbackTo != tc.want {
				t.Errorf("%s\nspec.rollbackTo = %v, want %d", tc.reason, got.Spec.RollbackTo, tc.want)
			}

			if err := r.Forward(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got, err = r.get(context.Background()); err != nil || got.Spec.RollbackTo != nil {
				t.Errorf("forward must remove spec.rollbackTo, it is %v (%v)", got.Spec.RollbackTo, err)
			}
		})
	}
}

func TestHistoryAndDiff(t *testing.T) {
	r, out := rolloutOf(t, container(2), revision(2, v1alpha1.OutcomeComplete), revision(1, v1alpha1.OutcomeComplete))

	if err := r.History(context.Background(), time.Now()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if !strings.HasPrefix(lines[1], "1 ") || !strings.HasPrefix(lines[2], "2 *") {
		t.Errorf("history is ordered, with a mark at what runs:\n%s", out)
	}

	out.Reset()
	if err := r.Diff(context.Background(), 1, 2); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "-  image: shop:1\n+  image: shop:2\n") {
		t.Errorf("diff shows what changed:\n%s", out)
	}
}

func TestStatus(t *testing.T) {
	behind := container(1)
	behind.Generation = 2

	ready, stalled := container(1), container(1)
	conditions.MarkReady(ready, v1alpha1.ReasonRunning, "Revision 1 runs")
	conditions.MarkStalled(stalled, metav1.ConditionFalse, v1alpha1.ReasonRolledBack, "Revision 2 failed")

	if _, ended, _ := describe(behind); ended {
		t.Error("a change that has not been seen is not the end")
	}

	r, out := rolloutOf(t, ready)
	if err := r.Status(context.Background(), true); err != nil || !strings.Contains(out.String(), "Running (1/1 tasks ready)") {
		t.Errorf("a rollout that is done ends well: %v\n%s", err, out)
	}

	r, _ = rolloutOf(t, stalled)
	if err := r.Status(context.Background(), true); !errors.Is(err, ErrFailed) {
		t.Errorf("error = %v, want ErrFailed", err)
	}
}
