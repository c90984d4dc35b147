package volume

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
)

// TestLife follows a Volume from its first container to the loss of its data.
func TestLife(t *testing.T) {
	w := newWorld(t, class(), vol("data"))

	v, _, err := w.pass("data")
	if err != nil || v.Status.Node != nil || conditions.Get(v, conditions.Ready).Reason != v1alpha1.ReasonWaitForFirstConsumer {
		t.Fatalf("before a container: %v, %+v", err, v.Status)
	}

	if err := w.Create(t.Context(), container("web", "data")); err != nil {
		t.Fatal(err)
	}
	v, _, err = w.pass("data")
	if err != nil || v.Status.Node == nil || v.Status.ProvisionedAt != nil || len(v.Status.UsedBy) != 1 || v.Status.UsedBy[0].Name != "web" {
		t.Fatalf("with a container: %v, %+v", err, v.Status)
	}
	at := v.Status.Node.ID

	w.has[at] = []string{volume.Name(v)}
	v, _, _ = w.pass("data")
	if v.Status.ProvisionedAt == nil {
		t.Fatal("its data was seen, and is not on record")
	}
	before := v.Status.DeepCopy()
	v, _, _ = w.pass("data")
	if !equality.Semantic.DeepEqual(before, &v.Status) {
		t.Errorf("a pass that has seen the same writes something else:\n%v\n%v", before, &v.Status)
	}
	if len(w.asked) > 0 {
		t.Errorf("engines were asked %v", w.asked)
	}

	// The list is a moment old: the engine itself has the data.
	name := w.has[at]
	w.has[at] = nil
	late := w.controller.storage
	w.controller.storage = blinkered{w, name[0], at}
	v, _, err = w.pass("data")
	if err != nil || conditions.Get(v, conditions.Ready).Reason != v1alpha1.ReasonBound {
		t.Errorf("data that the engine has counts as lost: %v", err)
	}

	w.controller.storage = late
	_, _, err = w.pass("data")
	var stall *outcome.Stall
	if !errors.As(err, &stall) || stall.Reason != v1alpha1.ReasonLost {
		t.Errorf("data that is gone: got %v", err)
	}
}

// TestNodeIsNotGivenUp: without agents no node ever tells. A Volume gets a node all the same; once something has mounted it there
// the node is not given up, neither when it is gone nor with the status.
func TestNodeIsNotGivenUp(t *testing.T) {
	w := newWorld(t, class(), vol("data", func(v *v1alpha1.Volume) { v.CreationTimestamp = metav1.Now() }), container("web", "data"))
	w.silent["a"], w.silent["b"] = true, true

	v, _, err := w.pass("data")
	if err != nil || v.Status.Node == nil || v.Status.MountedAt != nil {
		t.Fatalf("a new Volume: %v, %+v", err, v.Status)
	}
	at := v.Status.Node.ID
	w.services = []swarmobj.ServiceTasks{service("acme", "web", v)}

	w.lose("data")
	w.controller.now = func() time.Time { return time.Now().Add(time.Hour) }
	v, _, err = w.pass("data")
	if err != nil || v.Status.Node == nil || v.Status.Node.ID != at || v.Status.MountedAt == nil {
		t.Fatalf("without its status, and with a service on %s: %v, %+v", at, err, v.Status)
	}
	before := v.Status.DeepCopy()
	if v, _, _ = w.pass("data"); !equality.Semantic.DeepEqual(before, &v.Status) {
		t.Errorf("a pass that has seen the same writes something else:\n%v\n%v", before, &v.Status)
	}

	// The container is stopped, and the node leaves.
	w.services = nil
	w.nodes = slices.DeleteFunc(w.nodes, func(n swarm.Node) bool { return n.ID == at })
	v, _, err = w.pass("data")
	var stall *outcome.Stall
	if !errors.As(err, &stall) || stall.Reason != v1alpha1.ReasonNodeGone || v.Status.Node.ID != at {
		t.Errorf("its node is gone: %v, %+v", err, v.Status)
	}

	// Without a status nor a service nobody knows, until all nodes have told or somebody decides.
	w.lose("data")
	for range 2 {
		var wait *outcome.Wait
		if v, _, err = w.pass("data"); !errors.As(err, &wait) || wait.Reason != v1alpha1.ReasonNodeUnreachable || v.Status.Node != nil {
			t.Fatalf("its status is lost: %v, %+v", err, v.Status)
		}
	}
	clear(w.silent)
	if v, _, err = w.pass("data"); err != nil || v.Status.Node == nil {
		t.Errorf("all nodes have told: %v, %+v", err, v.Status)
	}
}

// TestRestored: a store that was put back to an earlier time does not know what has run since.
func TestRestored(t *testing.T) {
	w := newWorld(t, class(), vol("data", func(v *v1alpha1.Volume) { v.CreationTimestamp = metav1.Now() }))
	w.silent["b"] = true
	if v, _, err := w.pass("data"); err != nil || v.Status.Restores == nil || v.Status.Node != nil {
		t.Fatalf("a new Volume: %v, %+v", err, v.Status)
	}
	if err := w.Create(t.Context(), container("web", "data")); err != nil {
		t.Fatal(err)
	}

	w.controller.AfterRestores(1)
	v, _, err := w.pass("data")
	var wait *outcome.Wait
	if !errors.As(err, &wait) || wait.Reason != v1alpha1.ReasonNodeUnreachable || v.Status.Node != nil {
		t.Errorf("after a restore, with a silent node: %v, %+v", err, v.Status)
	}
	clear(w.silent)
	if v, _, err := w.pass("data"); err != nil || v.Status.Node == nil || *v.Status.Restores != 1 {
		t.Errorf("after all have told: %v, %+v", err, v.Status)
	}
}

// blinkered lists nothing, and yet has the data.
type blinkered struct {
	*world
	name, at string
}

func (b blinkered) Exists(_ context.Context, node, name string) (bool, error) {
	return node == b.at && name == b.name, nil
}

// TestTogether: two Volumes of one container live on one node, whichever is looked at first and whatever else is there.
func TestTogether(t *testing.T) {
	for _, first := range []string{"data", "logs"} {
		w := newWorld(t, class(), vol("data"), vol("logs"), container("web", "data", "logs"), vol("x1"), vol("x2"), container("x", "x1", "x2"))
		second := map[string]string{"data": "logs", "logs": "data"}[first]
		one, _, err1 := w.pass(first)
		_, _, _ = w.pass("x1")
		two, _, err2 := w.pass(second)
		if err1 != nil || err2 != nil || one.Status.Node == nil || two.Status.Node == nil || one.Status.Node.ID != two.Status.Node.ID {
			t.Errorf("%s first: %+v and %+v (%v, %v)", first, one.Status.Node, two.Status.Node, err1, err2)
		}
	}
}

// TestTogetherWithWish: a Volume goes where another one of its container is wished to be.
func TestTogetherWithWish(t *testing.T) {
	for _, wished := range []string{"host-a", "b"} {
		w := newWorld(t, class(), vol("data"), vol("logs", func(v *v1alpha1.Volume) { v.Spec.Node = wished }), container("web", "data", "logs"))
		v, _, err := w.pass("data")
		if err != nil || v.Status.Node == nil || !strings.HasSuffix(wished, v.Status.Node.ID) {
			t.Errorf("wish %s: got %+v, %v", wished, v.Status.Node, err)
		}
	}
}

func TestDeletion(t *testing.T) {
	name := func(v *v1alpha1.Volume) string { return volume.Name(v) }

	cases := map[string]struct {
		why    string
		volume *v1alpha1.Volume
		others []client.Object
		// set prepares the world; the data is on node a already.
		set func(*world)
		// reason is why it waits; empty when it is gone. kept tells whether the data is there, and recorded that it is on record.
		reason         string
		kept, recorded bool
	}{
		"Delete": {why: "Its data goes with it.", volume: vol("data", deleted, onA)},
		"Retain": {why: "Its data stays, on record.", volume: vol("data", deleted, onA, retained), kept: true, recorded: true},
		"Unsaid": {why: "What does not say that it may go stays.", volume: vol("data", deleted, onA, unsaid), kept: true, recorded: true},
		"InUse":  {why: "It waits for who mounts it.", volume: vol("data", deleted, onA), others: []client.Object{container("web", "data")}, reason: "InUse", kept: true},
		"InUseByJob": {
			why: "A job between two runs will mount it again.", volume: vol("data", deleted, onA), others: []client.Object{job("@daily", "data")}, reason: "InUse", kept: true,
		},
		"JobOver":  {why: "A job that has run never will again.", volume: vol("data", deleted, onA), others: []client.Object{job("", "data")}},
		"Referred": {why: "The engine's word counts: a container that has ended refers to it.", volume: vol("data", deleted, onA), set: func(w *world) { w.mounted[name(vol("data"))] = true }, reason: "InUse", kept: true},
		"StillRuns": {
			why: "No spec mentions it, and an earlier revision runs on.", volume: vol("data", deleted, onA, retained), others: []client.Object{container("web")},
			set: func(w *world) { w.services = []swarmobj.ServiceTasks{service("acme", "web", vol("data", onA))} }, reason: "InUse", kept: true,
		},
		"StillRunsElsewhere": {
			why: "Nor is it released from under another tenant, who is not named.", volume: vol("data", deleted, onA, retained),
			set: func(w *world) {
				w.services = []swarmobj.ServiceTasks{service("globex", "0123456789ab", vol("data", onA))}
			}, reason: "InUse", kept: true,
		},
		"Down": {why: "A node that cannot be asked keeps it.", volume: vol("data", deleted, onA), set: func(w *world) { w.silent["a"] = true }, reason: "NodeUnreachable", kept: true},
		"DownRetain": {
			why: "To keep data takes no node.", volume: vol("data", deleted, onA, retained), set: func(w *world) { w.silent["a"] = true }, kept: true, recorded: true,
		},
		"NodeGone": {why: "A node that has left took it along.", volume: vol("data", deleted, onA), set: func(w *world) { w.nodes = w.nodes[1:] }, kept: true},
		"Blind":    {why: "An engine that cannot be asked is not an empty swarm.", volume: vol("data", deleted, onA), set: func(w *world) { w.blind = errors.New("blind") }, reason: "EngineUnavailable", kept: true},
		"StatusLost": {
			why: "What nodes have is known without a status.", volume: vol("data", deleted),
		},
		"NotTheirs": {
			why:    "Data that another Volume has is not touched by one that only wanted it.",
			volume: vol("thief", deleted, onA, func(v *v1alpha1.Volume) { v.Spec.Adopt = name(vol("data")) }), others: []client.Object{vol("data", onA)}, kept: true,
		},
	}
	for n, tc := range cases {
		t.Run(n, func(t *testing.T) {
			w := newWorld(t, append(tc.others, class(), tc.volume)...)
			w.has["a"] = []string{name(vol("data")), "postgres"}
			if tc.set != nil {
				tc.set(w)
			}

			_, result, err := w.pass(tc.volume.Name)

			reason := ""
			var wait *outcome.Wait
			if errors.As(err, &wait) {
				reason = wait.Reason
				if strings.Contains(wait.Message, "0123456789ab") {
					t.Errorf("an ID of the engine is told: %s", wait.Message)
				}
			}
			if reason != tc.reason || result.Finalized != (tc.reason == "") {
				t.Errorf("%s\ngot %+v, %v", tc.why, result, err)
			}
			if kept := slices.Contains(w.has["a"], name(vol("data"))); kept != tc.kept {
				t.Errorf("%s\nthe data is kept: %v", tc.why, kept)
			}
			if !slices.Contains(w.has["a"], "postgres") {
				t.Error("data of somebody else is gone")
			}
			var records v1alpha1.ReleasedVolumeList
			if err := w.List(t.Context(), &records); err != nil || (len(records.Items) == 1) != tc.recorded {
				t.Errorf("%s\non record: %+v, %v", tc.why, records.Items, err)
			}
		})
	}
}

// TestNothingToRetain: a Volume that never had data leaves no record.
func TestNothingToRetain(t *testing.T) {
	w := newWorld(t, class(), vol("data", deleted, retained, onA, func(v *v1alpha1.Volume) { v.Status.ProvisionedAt = nil }))
	_, result, err := w.pass("data")
	var records v1alpha1.ReleasedVolumeList
	if lerr := w.List(t.Context(), &records); lerr != nil || err != nil || !result.Finalized || len(records.Items) > 0 {
		t.Errorf("got %+v, %v and %v (%v)", result, err, records.Items, lerr)
	}
}
