//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/swarm"
	volumes "github.com/docker/docker/api/types/volume"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/conditions"
)

// mounting mounts a Volume at /NAME.
func mounting(name string) change {
	return func(tc *v1alpha1.TenantContainer) {
		tc.Spec.Volumes = append(tc.Spec.Volumes, v1alpha1.VolumeMount{Name: v1alpha1.DNSLabel(name), MountPath: v1alpha1.AbsolutePath("/" + name)})
	}
}

func readOnly(tc *v1alpha1.TenantContainer) {
	for i := range tc.Spec.Volumes {
		tc.Spec.Volumes[i].ReadOnly = true
	}
}

// volumeNamed is a Volume of the default class, on the node of that hostname if one is named.
func volumeNamed(name, node string) *v1alpha1.Volume {
	return &v1alpha1.Volume{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.VolumeSpec{Size: resource.MustParse("16Mi"), Node: node}}
}

// TestDataSurvives writes a file, and does everything to its container that can be done to one: the file is there each time.
func TestDataSurvives(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{Versions: []string{"v1", "v2"}})
	n := c.namespace(t, "data")
	n.create(volumeNamed("data", ""))
	n.create(volumeNamed("more", ""))
	n.run(app("db", "v1", mounting("data"), mounting("more")))

	n.write("db", "/data/orders", "42 of them")
	n.write("db", "/more/orders", "others")
	first := n.get("db").Status.Revision
	check := func(after string) {
		t.Helper()
		n.ready("db")
		n.wantFile("db", "/data/orders", "42 of them", after)
		n.wantFile("db", "/more/orders", "others", after)
	}
	check("it was written")

	n.edit("db", replicas(0))
	n.condition(atLast, "db", conditions.Ready, metav1.ConditionTrue, v1alpha1.ReasonScaledToZero)
	n.edit("db", replicas(1))
	check("a stop and a start")

	n.edit("db", version("v2"))
	check("a new image")
	n.edit("db", func(tc *v1alpha1.TenantContainer) { tc.Spec.RollbackTo = new(first) })
	check("a rollback")
	n.edit("db", func(tc *v1alpha1.TenantContainer) { tc.Spec.RollbackTo = nil })
	check("the end of the rollback")

	n.edit("db", annotation(v1alpha1.AnnotationSuspend, "unpaid"))
	n.unready(atLast, "db", v1alpha1.ReasonSuspended)
	n.edit("db", func(tc *v1alpha1.TenantContainer) { delete(tc.Annotations, v1alpha1.AnnotationSuspend) })
	check("a suspension")

	tasks := n.taskIDs("db")
	if err := c.server.kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.server.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("a kill of Dogker")
	if now := n.taskIDs("db"); len(now) != 1 || fmt.Sprint(now) != fmt.Sprint(tasks) {
		t.Errorf("tasks before and after a kill of Dogker: %v, %v", tasks, now)
	}

	s := n.settled("db")
	careless := s.Spec
	careless.TaskTemplate.ContainerSpec.Mounts, careless.TaskTemplate.Placement = nil, nil
	if _, err := c.docker().ServiceUpdate(t.Context(), s.ID, s.Version, careless, swarm.ServiceUpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, atLast, "mounts that a careless tool has taken are put back", func() error {
		now, err := n.inspect("db")
		if err != nil {
			return err
		}

		return wantf(len(now.Spec.TaskTemplate.ContainerSpec.Mounts), 2, "number of mounts")
	})
	check("mounts were taken away by hand")

	if err := c.lab.Nodes[0].Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.lab.Nodes[0].Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("a kill of the engine")

	n.remove(app("db", "v1"))
	n.run(app("db", "v1", mounting("data"), mounting("more")))
	check("its container was deleted and made again")

	if err := n.volumesOn("node1", "data", "more"); err != nil {
		t.Error(err)
	}
	was := n.settled("db")
	stays(t, 3*time.Second, "nothing is written any more", func() error { return n.unmoved(was) })
}

// TestDataStaysOnItsNode has three nodes: the task stays with its data while a neighbour goes, and waits for its node while
// that is down.
func TestDataStaysOnItsNode(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{Nodes: 3, Managers: 1, Versions: []string{"v1", "v2"}})
	n := c.namespace(t, "pinned")
	n.create(volumeNamed("data", "node3"))
	n.run(app("db", "v1", mounting("data")))
	n.wantNodes("db", map[string]int{"node3": 1})
	n.write("db", "/data/orders", "42 of them")

	neighbour, home := c.lab.Nodes[1], c.lab.Nodes[2]
	if err := neighbour.PowerCut(); err != nil {
		t.Fatal(err)
	}
	n.edit("db", version("v2"))
	n.ready("db")
	n.wantNodes("db", map[string]int{"node3": 1})
	n.wantFile("db", "/data/orders", "42 of them", "a rollout while a neighbour was down")
	if err := neighbour.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, atLast, "the neighbour is back", func() error { return n.nodeReady("node2") })

	if err := home.PowerCut(); err != nil {
		t.Fatal(err)
	}
	tc := n.unready(atLast, "db", v1alpha1.ReasonNodeDown)
	if says := conditions.Get(tc, conditions.Ready).Message; !strings.Contains(says, `Volume "data" lives on node node3`) {
		t.Errorf("message: got %q, want the Volume and its node", says)
	}
	stays(t, 5*time.Second, "nothing starts without its data", func() error {
		for _, node := range []string{"node1", "node2"} {
			if err := n.volumesOn(node); err != nil {
				return err
			}
		}

		return n.onNodes("db", map[string]int{})
	})

	if err := home.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.ready("db")
	n.wantNodes("db", map[string]int{"node3": 1})
	n.wantFile("db", "/data/orders", "42 of them", "its node was down")
}

// TestVolumesAreWaitedFor: a container waits for its Volume, and is woken by it.
func TestVolumesAreWaitedFor(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.create(app("db", "v1", mounting("data")))
	tc := n.unready(soon, "db", v1alpha1.ReasonVolumeNotFound)
	if says := conditions.Get(tc, conditions.Ready).Message; says != `Volume "data" does not exist` {
		t.Errorf("message: got %q", says)
	}
	if err := n.noService("db"); err != nil {
		t.Errorf("nothing is made before the Volume is there: %v", err)
	}
	n.create(volumeNamed("data", ""))
	n.ready("db")

	// What runs goes on when another template names a Volume that is not there.
	before := n.service("db")
	n.edit("db", mounting("later"))
	n.unready(soon, "db", v1alpha1.ReasonVolumeNotFound)
	if err := n.unmoved(before); err != nil {
		t.Error(err)
	}
	n.create(volumeNamed("later", ""))
	n.ready("db")
}

// TestOneWriter: what would write to data of one node twice is refused, with the field's name.
func TestOneWriter(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.create(volumeNamed("data", ""))
	n.run(app("db", "v1", mounting("data")))

	order := func(o v1alpha1.RolloutOrder) change {
		return func(tc *v1alpha1.TenantContainer) { tc.Spec.Rollout = &v1alpha1.Rollout{Order: o} }
	}
	for field, tc := range map[string]*v1alpha1.TenantContainer{
		"spec.replicas":      app("two", "v1", mounting("data"), replicas(2)),
		"spec.rollout.order": app("two", "v1", mounting("data"), order(v1alpha1.OrderStartFirst)),
		"spec.mode":          app("two", "v1", mounting("data"), func(tc *v1alpha1.TenantContainer) { tc.Spec.Mode = v1alpha1.ModeGlobal }),
		"spec.volumes[0].readOnly: Invalid value: false: must be true: container \"db\" writes to Volume \"data\"": app("two", "v1", mounting("data")),
	} {
		tc.Namespace = n.name
		if err := n.api.Create(t.Context(), tc); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("got %v, want a refusal that names %s", err, field)
		}
	}
	scale := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: 3}}
	if err := n.api.SubResource("scale").Update(t.Context(), n.get("db"), client.WithSubResourceBody(scale)); err == nil || !strings.Contains(err.Error(), "spec.replicas") {
		t.Errorf("scale: got %v, want a refusal that names spec.replicas", err)
	}

	n.write("db", "/data/orders", "42 of them")
	n.run(app("reader", "v1", mounting("data"), readOnly, replicas(2)))
	n.wantFile("reader", "/data/orders", "42 of them", "another has written it")
	if got := n.service("db").Spec.UpdateConfig.Order; got != swarm.UpdateOrderStopFirst {
		t.Errorf("order of the rollout of a writer: got %q", got)
	}
}

// at is the engine that runs a task of the container, and the ID of its container there.
func (n *tenant) at(name string) (*lab.Node, string, error) {
	tasks, err := n.tasks(name)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := contextFor(instant)
	defer cancel()
	nodes, err := n.docker().NodeList(ctx, swarm.NodeListOptions{})
	if err != nil {
		return nil, "", err
	}

	for _, task := range tasks {
		if task.Status.State != swarm.TaskStateRunning || task.DesiredState != swarm.TaskStateRunning {
			continue
		}
		for _, node := range nodes {
			for _, l := range n.lab.Nodes {
				if node.ID == task.NodeID && l.Name == node.Description.Hostname {
					return l, task.Status.ContainerStatus.ContainerID, nil
				}
			}
		}
	}

	return nil, "", fmt.Errorf("no task of %q runs", name)
}

// write puts a file into a running container.
func (n *tenant) write(name, file, content string) {
	n.t.Helper()

	await(n.t, soon, fmt.Sprintf("write %s in %q", file, name), func() error {
		node, id, err := n.at(name)
		if err != nil {
			return err
		}
		var archive bytes.Buffer
		w := tar.NewWriter(&archive)
		if err := errors.Join(
			w.WriteHeader(&tar.Header{Name: path.Base(file), Mode: 0o644, Size: int64(len(content))}),
			second(w.Write([]byte(content))), w.Close(),
		); err != nil {
			return err
		}
		ctx, cancel := contextFor(instant)
		defer cancel()

		return node.Docker.CopyToContainer(ctx, id, path.Dir(file), &archive, container.CopyToContainerOptions{})
	})
}

// wantFile demands that a running task of the container sees the file as it was written.
func (n *tenant) wantFile(name, file, want, after string) {
	n.t.Helper()

	await(n.t, soon, fmt.Sprintf("%s is in %q after %s", file, name, after), func() error {
		node, id, err := n.at(name)
		if err != nil {
			return err
		}
		got, err := readFile(node, id, file)
		if err != nil {
			return err
		}

		return wantf(got, want, "content of %s", file)
	})
}

func readFile(node *lab.Node, id, file string) (string, error) {
	ctx, cancel := contextFor(instant)
	defer cancel()

	stream, _, err := node.Docker.CopyFromContainer(ctx, id, file)
	if err != nil {
		return "", err
	}
	defer stream.Close()
	r := tar.NewReader(stream)
	if _, err := r.Next(); err != nil {
		return "", err
	}
	content, err := io.ReadAll(r)

	return string(content), err
}

func second(_ int, err error) error { return err }

// volumesOn is an error when the node has other volumes of the namespace than those.
func (n *tenant) volumesOn(node string, want ...string) error {
	for _, l := range n.lab.Nodes {
		if l.Name != node {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), instant)
		defer cancel()
		list, err := l.Docker.VolumeList(ctx, volumes.ListOptions{})
		if err != nil {
			return err
		}
		var got []string
		for _, v := range list.Volumes {
			if v.Labels[v1alpha1.SwarmLabelTenant] == n.name && v.Labels[v1alpha1.SwarmLabelKind] == v1alpha1.KindVolume {
				got = append(got, v.Labels[v1alpha1.SwarmLabelName])
			}
		}

		return wantf(len(got), len(want), "volumes on %s (%v)", node, got)
	}

	return fmt.Errorf("there is no node %q", node)
}
