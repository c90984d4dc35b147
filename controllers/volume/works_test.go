package volume

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// works is a Work that makes one step at a time, on what the nodes of a world have.
type works struct {
	w *world
	// content of volumes, and the operation that has made each.
	content, made map[volumejob.Place]string
	// archives by name.
	archives map[string]string
	jobs     map[string]*labour
	orders   []volumejob.Order
	// fails makes each job fail for that reason.
	fails     string
	permanent bool
	// writes is how often a container has written since data was restored, and broken the first thing that must never happen.
	writes int
	broken string
}

// labour is a job and how many steps of it are done.
type labour struct {
	order volumejob.Order
	job   volumejob.Job
	steps int
	// read is what was read of the source.
	read string
}

func newWorks(w *world) *works {
	return &works{
		w: w, content: map[volumejob.Place]string{}, made: map[volumejob.Place]string{}, archives: map[string]string{"acme/data/1.age": "monday;"},
		jobs: map[string]*labour{},
	}
}

func (k *works) Job(owner string) (volumejob.Job, bool) {
	if l := k.jobs[owner]; l != nil {
		return l.job, true
	}

	return volumejob.Job{}, false
}

func (k *works) Order(o volumejob.Order) {
	if k.jobs[o.Owner] == nil {
		k.orders = append(k.orders, o)
		k.jobs[o.Owner] = &labour{order: o, job: volumejob.Job{Kind: o.Kind, Operation: o.Operation}}
	}
}

func (k *works) Cancel(owner string) {
	if l := k.jobs[owner]; l != nil && !l.job.Ended {
		k.failed(l, "it was cancelled")
	}
}

func (k *works) Dismiss(owner string) {
	if l := k.jobs[owner]; l != nil && l.job.Ended {
		delete(k.jobs, owner)
	}
}

func (k *works) Look(_ context.Context, node, name string) (volumejob.Presence, error) {
	if k.w.silent[node] {
		return volumejob.Presence{}, fmt.Errorf("%w: gone", swarmobj.ErrUnavailable)
	}

	return volumejob.Presence{There: slices.Contains(k.w.has[node], name), Operation: k.made[volumejob.Place{Node: node, Name: name}]}, nil
}

func (k *works) Discard(_ context.Context, node, name, operation string) error {
	at := volumejob.Place{Node: node, Name: name}
	switch {
	case k.w.silent[node]:
		return fmt.Errorf("%w: gone", swarmobj.ErrUnavailable)
	case !k.there(at):
		return nil
	case k.made[at] != operation:
		return fmt.Errorf("%w: %q", swarmobj.ErrExists, k.made[at])
	case len(k.w.Mounting("", name)) > 0 && k.pinned(at):
		return fmt.Errorf("%w: by a task", swarmobj.ErrInUse)
	}
	k.remove(at)

	return nil
}

func (k *works) there(at volumejob.Place) bool { return slices.Contains(k.w.has[at.Node], at.Name) }

// pinned is true when a task may have it mounted.
func (k *works) pinned(at volumejob.Place) bool {
	return slices.ContainsFunc(k.w.services, func(s swarmobj.ServiceTasks) bool {
		return slices.ContainsFunc(s.Tasks, func(t swarmobj.TaskDetail) bool {
			return t.NodeID == at.Node && swarmobj.MountsVolume(t.Spec, at.Name)
		})
	})
}

func (k *works) put(at volumejob.Place, content, operation string) {
	if !k.there(at) {
		k.w.has[at.Node] = append(k.w.has[at.Node], at.Name)
	}
	k.content[at], k.made[at] = content, operation
}

func (k *works) remove(at volumejob.Place) {
	k.w.has[at.Node] = slices.DeleteFunc(k.w.has[at.Node], func(n string) bool { return n == at.Name })
	delete(k.content, at)
	delete(k.made, at)
}

func (k *works) violate(format string, args ...any) {
	if k.broken == "" {
		k.broken = fmt.Sprintf(format, args...)
	}
}

// failed ends a job, and takes away what it has made.
func (k *works) failed(l *labour, why string) {
	if at := l.order.Target; l.steps > 0 && k.there(at) && k.made[at] == l.order.Operation && !k.w.silent[at.Node] {
		k.remove(at)
	}
	l.job.Ended, l.job.Err, l.job.Permanent = true, why, k.permanent
}

// work makes one step of each job: the first reads and makes what is to be filled, the second fills it and reads it back.
func (k *works) work() {
	for _, l := range k.jobs {
		if l.job.Ended {
			continue
		}
		o := &l.order
		needs := map[volumejob.Kind][]string{
			volumejob.Copy: {o.Source.Node, o.Target.Node}, volumejob.Verify: {o.Source.Node, o.Target.Node},
			volumejob.Remove: {o.Source.Node}, volumejob.Restore: {o.Target.Node},
		}[o.Kind]
		switch away := slices.ContainsFunc(needs, func(n string) bool { return k.w.silent[n] }); {
		case away:
			k.failed(l, "a node does not answer")
		case k.fails != "":
			k.failed(l, k.fails)
		default:
			k.step(l)
		}
		l.steps++
	}
}

func (k *works) step(l *labour) {
	o := &l.order
	switch o.Kind {
	case volumejob.Verify:
		l.job.SourceDigest, l.job.TargetDigest, l.job.Ended = "d:"+k.content[o.Source], "d:"+k.content[o.Target], true
	case volumejob.Remove:
		l.job.Ended = true
		switch {
		case !k.there(o.Source):
		case k.pinned(o.Source):
			l.job.Err = "a container uses it"
		case k.made[o.Source] != o.Maker || "d:"+k.content[o.Source] != o.Digest:
			l.job.Changed = true
		default:
			k.remove(o.Source)
		}
	case volumejob.Copy, volumejob.Restore:
		k.fill(l)
	default:
		k.violate("%s was ordered for a Volume", o.Kind)
	}
}

func (k *works) fill(l *labour) {
	o := &l.order
	source := k.archives[o.Archive.Name]
	if o.Kind == volumejob.Copy {
		source = k.content[o.Source]
	}
	if l.steps == 0 {
		if k.there(o.Target) {
			l.job.Ended, l.job.Err = true, "there is a volume"
			return
		}
		if o.Make.Labels[v1alpha1.SwarmLabelKind] != v1alpha1.KindVolume {
			k.violate("what is made has the labels %v", o.Make.Labels)
		}
		l.read = source
		k.put(o.Target, source[:len(source)/2], o.Operation)

		return
	}
	if !k.there(o.Target) || k.made[o.Target] != o.Operation {
		l.job.Ended, l.job.Err = true, "what was written has gone"
		return
	}
	k.put(o.Target, l.read, o.Operation)
	l.job.Ended, l.job.Digest = true, "d:"+l.read
}

// restart is another process: jobs of the one before have ended with it, wherever they were.
func (w *world) restart() {
	w.work.jobs = map[string]*labour{}
	before := w.controller
	w.controller = New(w.Client, w.Client, w, w.work, w, func(context.Context, string) (bool, error) { return true, nil }, w)
	w.controller.now, w.controller.restores = before.now, before.restores
}

// obey has the container web do what the record says, as its controller would, and write where it runs.
func (w *world) obey(name string) {
	w.Helper()

	var v v1alpha1.Volume
	if err := w.Get(w.Context(), client.ObjectKey{Namespace: "acme", Name: name}, &v); err != nil {
		if apierrors.IsNotFound(err) {
			return
		}
		w.Fatal(err)
	}
	use, obstacle := volume.Usable(&v, class())
	switch {
	case obstacle != nil && obstacle.Hold:
		for i := range w.services {
			w.services[i].Tasks = nil
			w.services[i].Service.Spec.Mode.Replicated = &swarm.ReplicatedService{Replicas: new(uint64(0))}
		}

		return
	case obstacle != nil || w.silent[use.Node]:
		return
	}

	at := volumejob.Place{Node: use.Node, Name: volume.Name(&v)}
	s := service("acme", "web", &v)
	s.Service.Spec.Mode.Replicated = &swarm.ReplicatedService{Replicas: new(uint64(1))}
	s.Tasks = []swarmobj.TaskDetail{{Task: swarmobj.Task{State: swarm.TaskStateRunning, Desired: swarm.TaskStateRunning}, Spec: &s.Service.Spec.TaskTemplate}}
	s.Tasks[0].NodeID = at.Node
	w.services = []swarmobj.ServiceTasks{s}
	if !w.work.there(at) {
		if v.Status.ProvisionedAt != nil || v.Spec.RestoreFrom != "" && v.Status.Restored == nil {
			w.work.violate("the engine makes an empty volume %v", at)
		}
		w.work.put(at, "", "")
	}
	if strings.Contains(w.work.content[at], ";") && !strings.Contains(w.work.content[at], ",") {
		w.work.writes = 0 // It begins with what was restored.
	}
	w.work.writes++
	w.work.content[at] += fmt.Sprintf("%d,", w.work.writes)
}

// turn is one round of everybody; it is false when nothing has moved.
func (w *world) turn(name string) bool {
	w.Helper()

	before, orders := w.read(name), len(w.work.orders)
	if before == nil {
		return false
	}
	v, finalized := w.looked(name)
	if finalized {
		w.gone(name)

		return true
	}
	w.work.work()
	w.obey(name)
	now := w.controller.now()
	w.controller.now = func() time.Time { return now.Add(30 * time.Second) }

	return orders != len(w.work.orders) || !equality.Semantic.DeepEqual(before.Status, v.Status)
}

// rest0 is rest without a container.
func (w *world) rest0(name string) *v1alpha1.Volume {
	w.Helper()

	for range 30 {
		if _, finalized := w.looked(name); finalized {
			w.gone(name)

			return nil
		}
		w.work.work()
	}

	return w.read(name)
}

// looked is a pass whose end is put into conditions, as the engine does.
func (w *world) looked(name string) (*v1alpha1.Volume, bool) {
	w.Helper()

	v := w.read(name)
	result, err := w.controller.Reconcile(w.Context(), v)
	var (
		wait  *outcome.Wait
		stall *outcome.Stall
	)
	ready := func(s metav1.ConditionStatus) metav1.ConditionStatus {
		if s == "" {
			return metav1.ConditionFalse
		}

		return s
	}
	switch {
	case errors.As(err, &wait):
		conditions.MarkWaiting(v, ready(wait.Ready), wait.Reason, wait.Error())
	case errors.As(err, &stall):
		conditions.MarkStalled(v, ready(stall.Ready), stall.Reason, stall.Error())
	case err != nil:
		w.Fatal(err)
	}
	if result.Finalized {
		return v, true
	}
	if err := w.Status().Update(w.Context(), v.DeepCopy()); err != nil {
		w.Fatal(err)
	}

	return w.read(name), false
}

// read is the Volume as stored; nil when it is gone.
func (w *world) read(name string) *v1alpha1.Volume {
	w.Helper()

	var v v1alpha1.Volume
	if err := w.Get(w.Context(), client.ObjectKey{Namespace: "acme", Name: name}, &v); err != nil {
		if apierrors.IsNotFound(err) {
			return nil
		}
		w.Fatal(err)
	}

	return &v
}

// gone takes the finalizer away.
func (w *world) gone(name string) {
	w.Helper()

	v := w.read(name)
	v.Finalizers = nil
	if err := w.Update(w.Context(), v); client.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	}
}

// ask changes the spec of a Volume, as a new generation.
func (w *world) ask(name string, change func(*v1alpha1.Volume)) {
	w.Helper()

	v := w.read(name)
	if v == nil {
		return
	}
	change(v)
	v.Generation++
	if err := w.Update(w.Context(), v); err != nil {
		w.Fatal(err)
	}
}

// rest lets everything come to its end, and wants quiet then.
func (w *world) rest(name string) *v1alpha1.Volume {
	w.Helper()

	for quiet, turns := 0, 0; quiet < 8; turns++ {
		if quiet++; w.turn(name) {
			quiet = 0
		}
		if turns > 300 {
			w.failf("it does not come to an end: %+v", w.read(name).Status)
		}
	}
	if w.work.broken != "" {
		w.failf("%s", w.work.broken)
	}

	return w.read(name)
}

// standing is the status and the reason of a condition.
func standingOf(v *v1alpha1.Volume, kind string) string {
	c := conditions.Get(v, kind)
	if c == nil {
		return ""
	}

	return string(c.Status) + " " + c.Reason
}

func snapshot(name string, change ...func(*v1alpha1.VolumeSnapshot)) *v1alpha1.VolumeSnapshot {
	s := &v1alpha1.VolumeSnapshot{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: name, UID: types.UID("uid-" + name)}}
	s.Spec.ClassName, s.Spec.Source.VolumeName = "place", "data"
	s.Status.ArchiveName, s.Status.VolumeUID = "acme/data/1.age", "uid-data"
	conditions.MarkReady(s, v1alpha1.ReasonSnapshotReady, "")
	for _, f := range change {
		f(s)
	}

	return s
}
