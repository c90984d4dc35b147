package resourcemetrics

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/metrics/pkg/apis/metrics"

	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// swarm shows two pods of a and one of b, of which two are sampled, and two nodes, of which one is.
type swarm struct{ down bool }

func (s swarm) MeasuredPods(namespace string) ([]Pod, error) {
	if s.down {
		return nil, swarmobj.ErrUnavailable
	}
	var out []Pod
	for _, p := range []Pod{
		{Namespace: "a", Name: "web", Container: "main", Task: "busy", Labels: map[string]string{"app": "web"}},
		{Namespace: "a", Name: "new", Container: "main", Task: "unseen"},
		{Namespace: "b", Name: "db", Container: "main", Task: "busy", Labels: map[string]string{"app": "db"}},
	} {
		if namespace == "" || p.Namespace == namespace {
			out = append(out, p)
		}
	}

	return out, nil
}

func (s swarm) MeasuredNodes() ([]Node, error) {
	if s.down {
		return nil, swarmobj.ErrUnavailable
	}

	return []Node{{Name: "n1", ID: "known", Labels: map[string]string{"zone": "x"}}, {Name: "n2", ID: "silent"}}, nil
}

func (swarm) Window(task string, _ time.Time) []telemetry.Sample {
	if task != "busy" {
		return nil
	}

	return []telemetry.Sample{sampled(15*time.Second, time.Minute, 0), sampled(0, 75*time.Second, 3*time.Second)}
}

func (swarm) Machine(node string) (telemetry.Machine, float64, bool) {
	return telemetry.Machine{MemoryTotal: 10 << 20, MemoryAvailable: 7 << 20}, 1.5, node == "known"
}

func (swarm) MachineAt(node string) time.Time {
	if node != "known" {
		return time.Time{}
	}

	return now
}

func storage(t *testing.T, s swarm) (pods, nodes interface {
	rest.Lister
	rest.Getter
}) {
	t.Helper()
	info, err := Provider{Source: s, Samples: s, Now: func() time.Time { return now }}.NewRESTStorage(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	kinds := info.VersionedResourcesStorageMap["v1beta1"]

	return kinds["pods"].(*podsREST), kinds["nodes"].(*nodesREST)
}

func TestPods(t *testing.T) {
	pods, _ := storage(t, swarm{})

	for name, tc := range map[string]struct {
		reason    string
		namespace string
		options   metainternalversion.ListOptions
		want      []string
	}{
		"OfNamespace": {reason: "Nothing of another one, and nothing of which nothing is known.", namespace: "a", want: []string{"a/web"}},
		"OfAll":       {reason: "All namespaces.", want: []string{"a/web", "b/db"}},
		"ByLabel":     {reason: "Labels are those of the pod.", options: metainternalversion.ListOptions{LabelSelector: labels.SelectorFromSet(labels.Set{"app": "db"})}, want: []string{"b/db"}},
		"ByName":      {reason: "The name is a field.", options: metainternalversion.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", "web")}, want: []string{"a/web"}},
		"Outside":     {reason: "A field does not lead out of the namespace.", namespace: "a", options: metainternalversion.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.namespace", "b")}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := pods.List(request.WithNamespace(t.Context(), tc.namespace), &tc.options)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, m := range got.(*metrics.PodMetricsList).Items {
				names = append(names, m.Namespace+"/"+m.Name)
				if m.Timestamp.Time != now || m.Window.Duration != 15*time.Second || m.Containers[0].Usage.Cpu().String() != "200m" {
					t.Errorf("got %+v", m)
				}
			}
			if diff := cmp.Diff(tc.want, names); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	pods, nodes := storage(t, swarm{})
	a := request.WithNamespace(t.Context(), "a")

	for _, name := range []string{"db", "new", "nope"} {
		if _, err := pods.Get(a, name, &metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("pod %s: got %v, want that it is not found", name, err)
		}
	}
	if _, err := nodes.Get(t.Context(), "n2", &metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("got %v, want that a node that says nothing is not found", err)
	}
	unknown := &metainternalversion.ListOptions{FieldSelector: fields.OneTermEqualSelector("spec.nodeName", "n1")}
	if _, err := pods.List(a, unknown); !apierrors.IsBadRequest(err) {
		t.Errorf("got %v, want a refusal of a field that there is not", err)
	}

	pods, nodes = storage(t, swarm{down: true})
	_, err1 := pods.List(a, nil)
	_, err2 := nodes.List(a, nil)
	if !apierrors.IsServiceUnavailable(err1) || !apierrors.IsServiceUnavailable(err2) {
		t.Errorf("got %v, want that nothing is known, which is no empty list", errors.Join(err1, err2))
	}
}

func TestNodes(t *testing.T) {
	_, nodes := storage(t, swarm{})
	list, err := nodes.List(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := nodes.ConvertToTable(t.Context(), list, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []any{"n1", "1500m", "3Mi", "15s"}
	if len(got.Rows) != 1 || cmp.Diff(want, got.Rows[0].Cells) != "" {
		t.Errorf("got %+v, want one row: %v", got.Rows, want)
	}
}
