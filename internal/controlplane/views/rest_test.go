package views

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/util/flowcontrol"
	core "k8s.io/kubernetes/pkg/apis/core"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// within is a request in a namespace, or in all of them.
func within(t *testing.T, namespace string) context.Context {
	return request.WithNamespace(t.Context(), namespace)
}

// filled shows four containers of two tasks each.
func filled(t *testing.T) (*Views, *store, *world) {
	t.Helper()
	w := newWorld("a", "b")
	v, _ := show(t, w)
	for i := range 4 {
		for slot := range 2 {
			w.add(ownerOf(i), slot+1)
		}
	}
	s := newStore(v.pods, v.ready)
	eventually(t, "all pods are shown", func() bool { return len(names(t, s, "", nil)) == 8 })

	return v, s, w
}

func listed(t *testing.T, s *store, namespace string, o *internalversion.ListOptions) *core.PodList {
	t.Helper()
	list, err := s.List(within(t, namespace), o)
	if err != nil {
		t.Fatal(err)
	}

	return list.(*core.PodList)
}

func names(t *testing.T, s *store, namespace string, o *internalversion.ListOptions) []string {
	t.Helper()
	var out []string
	for _, p := range listed(t, s, namespace, o).Items {
		out = append(out, p.Name)
	}

	return out
}

func TestListSelects(t *testing.T) {
	_, s, _ := filled(t)

	for name, tc := range map[string]struct {
		namespace, label, field string
		want                    int
	}{
		"Everything":     {"", "", "", 8},
		"Namespace":      {"tenant-0", "", "", 4},
		"OtherNamespace": {"tenant-1", "", "", 2},
		"NoNamespace":    {"nobody", "", "", 0},
		"Label":          {"", "dogker.io/slot=1", "", 4},
		"Field":          {"", "", "spec.nodeName=a,status.phase=Running", 8},
		"NoSuchField":    {"", "", "spec.nodeName=b", 0},
		"Beyond":         {"tenant-0", "", "metadata.namespace=tenant-1", 0},
	} {
		t.Run(name, func(t *testing.T) {
			label, err1 := labels.Parse(tc.label)
			field, err2 := fields.ParseSelector(tc.field)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			if got := names(t, s, tc.namespace, &internalversion.ListOptions{LabelSelector: label, FieldSelector: field}); len(got) != tc.want {
				t.Errorf("got %v, want %d", got, tc.want)
			}
		})
	}
}

// TestPages: a list in parts is one of one moment, though pods come and go between the parts.
func TestPages(t *testing.T) {
	v, s, w := filled(t)
	want := names(t, s, "", nil)

	var got []string
	for o := (&internalversion.ListOptions{Limit: 3}); ; {
		page := listed(t, s, "", o)
		for _, p := range page.Items {
			got = append(got, p.Name)
		}
		if page.Continue == "" {
			break
		}
		if left := *page.RemainingItemCount; int(left) != len(want)-len(got) {
			t.Errorf("%d are said to be left, want %d", left, len(want)-len(got))
		}
		_, before := v.pods.shelf.list("")
		w.change(ownerOf(0), func(s *swarmobj.ServiceTasks) { s.Tasks = s.Tasks[:1] })
		w.add(ownerOf(3), 3+len(got))
		eventually(t, "the change is shown", func() bool { _, now := v.pods.shelf.list(""); return now > before })
		o.Continue = page.Continue
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestVersionsOfOthersAreRefused(t *testing.T) {
	v, s, _ := filled(t)
	_, current := v.pods.shelf.list("")

	for name, version := range map[string]uint64{
		"AnEarlierStart": v.pods.shelf.first - 1, "ALaterServer": current + 1, "SomethingElse": 1,
	} {
		t.Run(name, func(t *testing.T) {
			o := &internalversion.ListOptions{ResourceVersion: strconv.FormatUint(version, 10)}
			if _, err := s.List(within(t, ""), o); !apierrors.IsResourceExpired(err) {
				t.Errorf("list: %v, want 410 Expired", err)
			}
			for _, initial := range []*bool{nil, new(true)} {
				o.SendInitialEvents = initial
				w, err := s.Watch(within(t, ""), o)
				if err != nil {
					t.Fatal(err)
				}
				if e := <-w.ResultChan(); e.Type != watch.Error || !apierrors.IsResourceExpired(apierrors.FromObject(e.Object)) {
					t.Errorf("watch: %v, want 410 Expired", e)
				}
			}
		})
	}

	if _, err := s.List(within(t, ""), &internalversion.ListOptions{ResourceVersion: "x"}); !apierrors.IsBadRequest(err) {
		t.Errorf("no version at all: %v, want a bad request", err)
	}
	for _, token := range []string{"x", "e30", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIuLi94In0"} {
		if _, err := s.List(within(t, ""), &internalversion.ListOptions{Limit: 1, Continue: token}); err == nil {
			t.Errorf("the token %q is taken", token)
		}
	}
}

// TestWatch: what a watch tells by how it is begun.
func TestWatch(t *testing.T) {
	for name, tc := range map[string]struct {
		reason  string
		options func(version string) internalversion.ListOptions
		want    []string
	}{
		"FromAVersion": {
			"What happened since, and nothing else.",
			func(v string) internalversion.ListOptions { return internalversion.ListOptions{ResourceVersion: v} },
			[]string{"ADDED web-3-3", "MODIFIED web-3-3", "DELETED web-3-3"},
		},
		"FromNow": {
			"What is there comes first.",
			func(string) internalversion.ListOptions { return internalversion.ListOptions{} },
			[]string{"ADDED web-3-1", "ADDED web-3-2", "ADDED web-3-3", "MODIFIED web-3-3", "DELETED web-3-3"},
		},
		"AsAList": {
			"A mark tells when all is there.",
			func(string) internalversion.ListOptions {
				return internalversion.ListOptions{SendInitialEvents: new(true), AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan}
			},
			[]string{"ADDED web-3-1", "ADDED web-3-2", "BOOKMARK ", "ADDED web-3-3", "MODIFIED web-3-3", "DELETED web-3-3"},
		},
		"OfAPart": {
			"What leaves the part is gone from it.",
			func(v string) internalversion.ListOptions {
				return internalversion.ListOptions{ResourceVersion: v, FieldSelector: fields.OneTermEqualSelector("status.phase", "Running")}
			},
			[]string{"ADDED web-3-3", "DELETED web-3-3"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, s, w := filled(t)
			o := tc.options(listed(t, s, "", nil).ResourceVersion)
			if o.LabelSelector == nil {
				o.LabelSelector = labels.SelectorFromSet(labels.Set{"dogker.io/container": "web-3"})
			}
			watched, err := s.Watch(within(t, "tenant-0"), &o)
			if err != nil {
				t.Fatal(err)
			}
			defer watched.Stop()

			var got []string
			last := uint64(0)
			next := func() {
				e := <-watched.ResultChan()
				m, err := meta.Accessor(e.Object)
				if err != nil {
					t.Fatal(err)
				}
				version, _ := strconv.ParseUint(m.GetResourceVersion(), 10, 64)
				if e.Type != watch.Added && version <= last && e.Type != watch.Bookmark {
					t.Errorf("version %d follows %d", version, last)
				}
				last = max(last, version)
				short := m.GetLabels()["dogker.io/container"]
				if slot := m.GetLabels()["dogker.io/slot"]; slot != "" {
					short += "-" + slot
				}
				got = append(got, fmt.Sprintf("%s %s", e.Type, short))
			}
			for range len(tc.want) - 3 {
				next()
			}
			if name == "OfAPart" {
				got = nil
			}
			steps := []func(){
				func() { w.add(ownerOf(3), 3) },
				func() {
					w.change(ownerOf(3), func(s *swarmobj.ServiceTasks) {
						s.Tasks[2].State, s.Tasks[2].Version = swarm.TaskStatePending, w.version
					})
				},
				func() { w.change(ownerOf(3), func(s *swarmobj.ServiceTasks) { s.Tasks = s.Tasks[:2] }) },
			}
			if name == "OfAPart" {
				steps = steps[:2]
			}
			for _, step := range steps {
				step()
				next()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n%s", tc.reason, diff)
			}
		})
	}
}

// TestWatchLeavesItsSeat: who watches takes part in the API's fairness for what is there already, and not for as long as it
// watches.
func TestWatchLeavesItsSeat(t *testing.T) {
	_, s, _ := filled(t)
	version := listed(t, s, "", nil).ResourceVersion
	for name, o := range map[string]*internalversion.ListOptions{
		"FromAVersion": {ResourceVersion: version},
		"FromNow":      {},
		"AsAList":      {SendInitialEvents: new(true), AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan},
	} {
		t.Run(name, func(t *testing.T) {
			seat := flowcontrol.NewInitializationSignal()
			left := make(chan struct{})
			go func() {
				seat.Wait()
				close(left)
			}()
			watched, err := s.Watch(flowcontrol.WithInitializationSignal(within(t, ""), seat), o)
			if err != nil {
				t.Fatal(err)
			}
			defer watched.Stop()
			select {
			case <-left:
			case <-time.After(30 * time.Second):
				t.Error("it keeps its seat while it waits for what happens")
			}
		})
	}
}

// TestNothingIsKnown: a swarm that cannot be asked is not an empty one.
func TestNothingIsKnown(t *testing.T) {
	v, s, w := filled(t)
	w.mu.Lock()
	w.state = swarmobj.ErrUnavailable
	w.mu.Unlock()

	for what, ask := range map[string]func() error{
		"get":   func() error { _, err := s.Get(within(t, "tenant-0"), "x", nil); return err },
		"list":  func() error { _, err := s.List(within(t, ""), nil); return err },
		"watch": func() error { _, err := s.Watch(within(t, ""), nil); return err },
	} {
		if err := ask(); !apierrors.IsServiceUnavailable(err) {
			t.Errorf("%s: %v, want 503", what, err)
		}
	}
	if _, _, _, err := v.Pod("tenant-0", "x"); err == nil {
		t.Error("a pod is looked up while nothing is known")
	}
}

// TestNodesGo: pods know it when their node is lost, and nodes when they are gone.
func TestNodesGo(t *testing.T) {
	v, s, w := filled(t)
	nodes := newStore(v.nodes, v.ready)
	w.mu.Lock()
	w.nodes[0].Status.State, w.nodes[0].Version.Index = swarm.NodeStateDown, 9
	w.nodes = w.nodes[:1]
	w.mu.Unlock()
	w.hintNode()

	eventually(t, "the node that left is gone", func() bool {
		_, err := nodes.Get(t.Context(), "b", nil)
		return apierrors.IsNotFound(err)
	})
	eventually(t, "no pod is ready", func() bool {
		for _, p := range listed(t, s, "", nil).Items {
			for _, c := range p.Status.Conditions {
				if c.Type == core.PodReady && c.Status == core.ConditionTrue {
					return false
				}
			}
		}
		return true
	})
	if id, err := v.Node("a"); err != nil || id != "id-of-a" {
		t.Errorf("node a: %q, %v", id, err)
	}
}

// TestNamesAreHandedOn: a node that gets the name of another, which has left or is called otherwise now, is shown under it.
func TestNamesAreHandedOn(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		change func(nodes []swarm.Node) []swarm.Node
		want   map[string]string
	}{
		"JoinedAgain": {"A machine that joins again is another node, and has its name.", func(n []swarm.Node) []swarm.Node {
			n[1].ID = "id-of-b-again"
			return n
		}, map[string]string{"a": "id-of-a", "b": "id-of-b-again"}},
		"Inherited": {"A machine is called as one that has left.", func(n []swarm.Node) []swarm.Node {
			n[0].Description.Hostname = "b"
			return n[:1]
		}, map[string]string{"b": "id-of-a"}},
		"Swapped": {"Two have changed their names.", func(n []swarm.Node) []swarm.Node {
			n[0].Description.Hostname, n[1].Description.Hostname = "b", "a"
			return n
		}, map[string]string{"b": "id-of-a", "a": "id-of-b"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld("a", "b")
			v, _ := show(t, w)
			w.mu.Lock()
			w.nodes = tc.change(slices.Clone(w.nodes))
			for i := range w.nodes {
				w.nodes[i].Version.Index++
			}
			w.mu.Unlock()
			w.hintNode()

			eventually(t, tc.reason, func() bool {
				rows, _ := v.nodes.shelf.list("")
				got := map[string]string{}
				for _, r := range rows {
					got[r.name] = r.object.(*core.Node).Annotations["dogker.io/node"]
				}

				return maps.Equal(got, tc.want)
			})
		})
	}
}

// TestPlaces: streams find the container of a pod in its own namespace only.
func TestPlaces(t *testing.T) {
	v, s, _ := filled(t)
	name := names(t, s, "tenant-0", nil)[0]

	pod, at, _, err := v.Pod("tenant-0", name)
	if err != nil || pod.Name != name || at.Container != "c" || at.Node != "id-of-a" || at.Task == "" {
		t.Errorf("got %+v at %+v, %v", pod, at, err)
	}
	if _, _, _, err := v.Pod("tenant-1", name); err == nil {
		t.Error("a pod is found in a namespace that is not its own")
	}
}
