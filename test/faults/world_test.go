package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/network"
	dswarm "github.com/docker/docker/api/types/swarm"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/fake/swarm"
	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// world is a swarm, the registry that its images come from, the books of the tenants, and what belongs to somebody else.
type world struct {
	run      *converge.Run
	cluster  *swarm.Cluster
	admin    *swarm.Client
	registry *registry
	books    *books
	// disks are the volumes of nodes; nil where it is no matter what is in them.
	disks *disks

	mu         sync.Mutex
	key        byte // every byte of the key of digests
	violations []string
	tasks      []string          // Tasks of others that are not to be replaced.
	foreign    map[string]uint64 // versions of objects that are not ours
	runs       map[string]string // IDs of the services of runs of jobs, the first of each
	metrics    []prometheus.Gatherer
}

// The images of the registry. Each is known by a digest, and what its containers do is in its name.
const (
	imageV1    = "registry.test/app:v1"
	imageV2    = "registry.test/app:v2"
	imageCrash = "registry.test/app:crash"
	imageNone  = "registry.test/app:none"
	imageDone  = "registry.test/app:done"
)

func newWorld(r *converge.Run) *world {
	w := &world{run: r, cluster: swarm.NewCluster(swarm.Options{}), registry: newRegistry(), books: newBooks(), foreign: map[string]uint64{}, runs: map[string]string{}}
	w.admin = w.cluster.Admin()

	for ref, behaviour := range map[string]swarm.Behaviour{
		imageV1: {}, imageV2: {}, imageCrash: {Exits: true, ExitCode: 3, After: time.Second},
		imageDone: {Exits: true, After: time.Second, Log: "done"},
	} {
		digest := w.registry.push(ref)
		w.cluster.AddImage(swarm.Image{Ref: ref, ID: "sha256:" + ref, Digests: []string{digest}, Behaviour: behaviour})
	}

	w.settleStrangers()

	return w
}

// digests is the key of digests that servers find in their data directory.
func (w *world) digests() swarmobj.DigestKey {
	w.mu.Lock()
	defer w.mu.Unlock()

	key, err := swarmobj.NewDigestKey(bytes.Repeat([]byte{w.key}, swarmobj.DigestKeySize))
	must(err)

	return key
}

// settleStrangers puts objects into the swarm that are not ours: none of them may ever change.
func (w *world) settleStrangers() {
	ctx, none := context.Background(), uint64(0)

	service, err := w.admin.ServiceCreate(ctx, dswarm.ServiceSpec{
		Annotations:  dswarm.Annotations{Name: "stranger"},
		TaskTemplate: dswarm.TaskSpec{ContainerSpec: &dswarm.ContainerSpec{Image: imageV1}},
		Mode:         dswarm.ServiceMode{Replicated: &dswarm.ReplicatedService{Replicas: &none}},
		EndpointSpec: &dswarm.EndpointSpec{Mode: dswarm.ResolutionModeDNSRR},
	}, dswarm.ServiceCreateOptions{})
	must(err)

	secret, err := w.admin.SecretCreate(ctx, dswarm.SecretSpec{Annotations: dswarm.Annotations{Name: "stranger"}, Data: []byte("x")})
	must(err)

	_, err = w.admin.NetworkCreate(ctx, "stranger_default", network.CreateOptions{Driver: "overlay"})
	must(err)

	s, _, err := w.admin.ServiceInspectWithRaw(ctx, service.ID, dswarm.ServiceInspectOptions{})
	must(err)

	o, _, err := w.admin.SecretInspectWithRaw(ctx, secret.ID)
	must(err)

	w.foreign["service stranger"], w.foreign["secret stranger"] = s.Version.Index, o.Version.Index
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// client is a process's connection to the swarm.
func (w *world) client(p *converge.Process) *swarm.Client {
	running := sync.Map{} // calls whose answer the plan wants to change, by number

	return w.cluster.Client(swarm.ClientOptions{
		Latency: time.Millisecond,
		Hook: func(ctx context.Context, call swarm.Call, phase swarm.Phase) error {
			if phase == swarm.After {
				kind, _ := running.LoadAndDelete(call.Number)

				return w.leave(p, call, kind)
			}

			kind, err := p.Seam.Enter(ctx, converge.Call{Seam: "Engine", Op: call.Op, Target: w.nameOf(call), Write: call.Write})
			if err != nil {
				return err
			}

			running.Store(call.Number, kind)

			switch kind {
			case converge.Refuse:
				return swarm.ErrorResponse(500, "rpc error: code = Unknown desc = scripted failure")
			case converge.Hang:
				return swarm.ErrDeadline()
			case converge.Late:
				return &swarm.Later{After: converge.LateTime, Answer: context.DeadlineExceeded}
			}

			return nil
		},
	})
}

// leave is the end of a call: it may be cut short, lost, or heard by nobody.
func (w *world) leave(p *converge.Process, call swarm.Call, kind any) error {
	if call.Write {
		w.look()
	}
	if call.Write || call.Op == "TaskList" {
		w.oneWriter()
		if w.disks != nil {
			w.disks.look()
		}
	}

	switch kind {
	case converge.Empty:
		shorten(call.Answer, 0)
	case converge.Half:
		shorten(call.Answer, 2)
	}

	if err := p.Seam.Leave(asKind(kind)); err != nil {
		return err
	}

	if kind == converge.Lose {
		return swarm.ErrConnection()
	}

	return nil
}

func asKind(kind any) converge.Kind {
	k, _ := kind.(converge.Kind)

	return k
}

// shorten cuts the list that answer points to, to one part of so many; to nothing when parts is 0.
func shorten(answer any, parts int) {
	list := reflect.ValueOf(answer).Elem()
	if list.Kind() != reflect.Slice {
		return
	}

	keep := 0
	if parts > 0 {
		keep = list.Len() / parts
	}

	list.Set(list.Slice(0, keep))
}

// nameOf is what a call is about, in words that are the same in every run: IDs are not.
func (w *world) nameOf(call swarm.Call) string {
	if call.Target == "" {
		return ""
	}

	return w.names()[call.Target]
}

// names are the names of objects by ID, and of names by themselves.
func (w *world) names() map[string]string {
	ctx := context.Background()
	names := map[string]string{}
	note := func(id, name string) { names[id], names[name] = name, name }

	services, err := w.admin.ServiceList(ctx, dswarm.ServiceListOptions{})
	must(err)

	for _, s := range services {
		note(s.ID, s.Spec.Name)
	}

	networks, err := w.admin.NetworkList(ctx, network.ListOptions{})
	must(err)

	for _, n := range networks {
		note(n.ID, n.Name)
	}

	secrets, err := w.admin.SecretList(ctx, dswarm.SecretListOptions{})
	must(err)

	for _, s := range secrets {
		note(s.ID, s.Spec.Name)
	}

	configs, err := w.admin.ConfigList(ctx, dswarm.ConfigListOptions{})
	must(err)

	for _, o := range configs {
		note(o.ID, o.Spec.Name)
	}

	return names
}

// look holds the swarm against what must be true at every moment.
func (w *world) look() {
	byOwner := map[string]int{}

	for _, s := range w.ourServices() {
		owner, _ := swarmobj.OwnerOf(s.Spec.Labels)
		run := s.Spec.Labels[v1alpha1.SwarmLabelRun]
		byOwner[owner.UID+run]++

		if byOwner[owner.UID+run] > 1 {
			w.violated("R4: %s/%s has %d services", owner.Tenant, owner.Name, byOwner[owner.UID+run])
		}
		if run != "" {
			w.began(run, s)
		}
	}
}

// oneWriter: tasks of two services never write to the same volume of a node at a time.
func (w *world) oneWriter() {
	tasks, err := w.admin.TaskList(context.Background(), dswarm.TaskListOptions{})
	if err != nil {
		return
	}

	runs := map[string]string{}
	for _, c := range w.cluster.Containers() {
		runs[c.TaskID] = c.Service
	}

	writes := map[string]string{}
	for i := range tasks {
		service, alive := runs[tasks[i].ID]
		if !alive {
			continue
		}
		for _, m := range tasks[i].Spec.ContainerSpec.Mounts {
			other, taken := writes[tasks[i].NodeID+m.Source]
			switch {
			case m.ReadOnly || m.Source == "":
			case taken && other != service:
				w.violated("%s and %s both write to %s", min(other, service), max(other, service), m.Source)
			default:
				writes[tasks[i].NodeID+m.Source] = service
			}
		}
	}
}

// began notes that a run has a service. It has one in its life.
func (w *world) began(run string, s dswarm.Service) {
	w.mu.Lock()
	first, known := w.runs[run]
	if !known {
		w.runs[run] = s.ID
	}
	w.mu.Unlock()

	if known && first != s.ID {
		w.violated("run %s has had two services", run)
	}
}

// ourServices are the services that carry our labels.
func (w *world) ourServices() []dswarm.Service {
	services, err := w.admin.ServiceList(context.Background(), dswarm.ServiceListOptions{})
	if err != nil {
		return nil
	}

	return slices.DeleteFunc(services, func(s dswarm.Service) bool {
		_, ours := swarmobj.OwnerOf(s.Spec.Labels)

		return !ours
	})
}

func (w *world) violated(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()

	if v := fmt.Sprintf(format, args...); !slices.Contains(w.violations, v) {
		w.violations = append(w.violations, v)
	}
}

// Violations implements converge.World.
func (w *world) Violations() []string {
	ctx := context.Background()

	if s, _, err := w.admin.ServiceInspectWithRaw(ctx, "stranger", dswarm.ServiceInspectOptions{}); err != nil || s.Version.Index != w.foreign["service stranger"] {
		w.violated("C7: a service that is not ours was touched")
	}

	if s, _, err := w.admin.SecretInspectWithRaw(ctx, "stranger"); err != nil || s.Version.Index != w.foreign["secret stranger"] {
		w.violated("C7: a secret that is not ours was touched")
	}

	if _, err := w.admin.NetworkInspect(ctx, "stranger_default", network.InspectOptions{}); err != nil {
		w.violated("C7: a network that is not ours was touched")
	}

	if n := w.cluster.LeakedAddresses(); n > 0 {
		w.violated("%d networks were removed before the last container had left them: their addresses are lost", n)
	}

	if n := w.panics(); n > 0 {
		w.violated("R16: %v panics", n)
	}

	w.mu.Lock()
	defer w.mu.Unlock()

	return slices.Clone(w.violations)
}

// State implements converge.World.
func (w *world) State() []string {
	ctx := context.Background()
	names := w.names()

	var out []string

	services, err := w.admin.ServiceList(ctx, dswarm.ServiceListOptions{Status: true})
	must(err)

	for _, s := range services {
		out = append(out, fmt.Sprintf("service %s runs %d of %d: %s", s.Spec.Name, s.ServiceStatus.RunningTasks, s.ServiceStatus.DesiredTasks, inWords(s.Spec, names)))
	}

	running := map[string]int{}
	for _, c := range w.cluster.Containers() {
		running[c.Service+" "+c.Image]++
	}

	for _, what := range slices.Sorted(maps.Keys(running)) {
		out = append(out, fmt.Sprintf("containers %s: %d", what, running[what]))
	}

	out = append(out, w.books.lines()...)
	if w.disks != nil {
		out = append(out, w.disks.lines()...)
	}
	kept := slices.Sorted(maps.Values(names))

	return append(out, "objects "+strings.Join(slices.Compact(kept), " "))
}

// inWords is a spec without what differs from run to run.
func inWords(spec dswarm.ServiceSpec, names map[string]string) string {
	spec.Labels = maps.Clone(spec.Labels)
	// The UID and the hash of everything, IDs included, differ; what they stand for is compared by name.
	delete(spec.Labels, v1alpha1.SwarmLabelUID)
	delete(spec.Labels, v1alpha1.SwarmLabelSpecHash)

	data, err := json.Marshal(spec)
	must(err)

	text := string(data)
	for id, name := range names {
		if id != name {
			text = strings.ReplaceAll(text, id, name)
		}
	}

	return text
}

// watchPanics makes a panic in the loop a violation.
func (w *world) watchPanics(g prometheus.Gatherer) {
	w.mu.Lock()
	defer w.mu.Unlock()

	w.metrics = append(w.metrics, g)
}

// panics counts the panics of all processes.
func (w *world) panics() (count float64) {
	w.mu.Lock()
	defer w.mu.Unlock()

	for _, g := range w.metrics {
		families, err := g.Gather()
		must(err)

		for _, f := range families {
			if f.GetName() == "dogker_reconcile_panics_total" {
				for _, m := range f.GetMetric() {
					count += m.GetCounter().GetValue()
				}
			}
		}
	}

	return count
}
