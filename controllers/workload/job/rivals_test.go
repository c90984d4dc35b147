package job

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/mounts"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// writing is a swarm of which only is known who writes.
type writing struct {
	Swarm
	writers []swarmobj.Writer
}

func (w *writing) Writers(context.Context, string, string) ([]swarmobj.Writer, error) {
	return w.writers, nil
}

// race is some jobs, and a container, that all want to write to the same data, on one node.
type race struct {
	*rapid.T
	client client.Client
	swarm  *writing
	c      *Controller
	now    time.Time
	names  []string
	// begins are the runs that were let through and whose services are not made yet, raises those of which that is to be put on
	// record.
	begins, raises map[string]bool
	ran            map[string]int
	// age of the runs, of which some were decided at the same time.
	age map[string]time.Duration
}

func (r *race) job(name string) *v1alpha1.TenantJob {
	var j v1alpha1.TenantJob
	if err := r.client.Get(context.Background(), types.NamespacedName{Namespace: "acme", Name: name}, &j); err != nil {
		r.Fatal(err)
	}

	return &j
}

func (r *race) write(j *v1alpha1.TenantJob) {
	if err := r.client.Update(context.Background(), j); err != nil {
		r.Fatal(err)
	}
}

// look is the first half of a pass: what is seen, and what is put on record of it.
func (r *race) look(name string) {
	j := r.job(name)
	if len(j.Status.Active) == 0 || j.Status.Active[0].ServiceID != "" || r.begins[name] || r.raises[name] {
		return
	}

	run := &j.Status.Active[0]
	s := &start{job: j, owner: ownerOfJob(name), now: r.now}

	who, err := r.c.otherWriter(context.Background(), s, servicespec.ResolvedVolume{Name: "data", Source: "acme_data_1"})
	switch {
	case errors.Is(err, errNotYet):
	case err != nil:
		r.Fatal(err)
	case who != "":
		if run.Reason != v1alpha1.ReasonVolumeConflict {
			run.Reason = v1alpha1.ReasonVolumeConflict
			r.write(j)
		}
	case !jobrun.Claimed(run):
		r.raises[name] = true
	default:
		r.begins[name] = true
	}
}

// make is the second half: the service of a run that was let through.
func (r *race) make(name string) {
	if r.raises[name] {
		delete(r.raises, name)
		r.claim(name)
	}
	if !r.begins[name] {
		return
	}
	delete(r.begins, name)

	r.swarm.writers = append(r.swarm.writers, swarmobj.Writer{Owner: ownerOfJob(name), Live: true})
	r.ran[name]++
	if len(r.swarm.writers) > 1 {
		r.Fatalf("two write: %+v", r.swarm.writers)
	}

	j := r.job(name)
	j.Status.Active[0].ServiceID, j.Status.Active[0].Reason = "svc-"+name, v1alpha1.ReasonStarting
	r.write(j)
}

// claim puts on record that a service is about to be made: for a run that has waited, or with the run itself.
func (r *race) claim(name string) {
	j := r.job(name)
	if len(j.Status.Active) == 0 {
		j.Status.Active = []v1alpha1.JobRun{{Name: "run", StartTime: metav1.NewTime(r.now.Add(-r.age[name]))}}
	}
	j.Status.Active[0].Reason, j.Status.Active[0].StartBefore = v1alpha1.ReasonWaitingForService, metav1.NewTime(r.now.Add(30*time.Second))
	r.write(j)
}

// born puts the run of a job on record, with the time at which that was decided.
func (r *race) born(name string) {
	if j := r.job(name); len(j.Status.Active)+len(j.Status.History) == 0 {
		r.claim(name)
	}
}

// end is that of the run: on record first, and of its tasks later.
func (r *race) end(name string) {
	j := r.job(name)
	if len(j.Status.Active) > 0 && j.Status.Active[0].ServiceID != "" {
		j.Status.History, j.Status.Active = j.Status.Active, nil
		r.write(j)

		return
	}
	r.swarm.writers = slices.DeleteFunc(r.swarm.writers, func(w swarmobj.Writer) bool { return len(j.Status.Active) == 0 && w.Owner.Name == name })
}

const container = "db"

// declare declares the container.
func (r *race) declare() {
	tc := &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: container, UID: container}}
	tc.Spec.Volumes = []v1alpha1.VolumeMount{{Name: "data", MountPath: "/d"}}
	if r.client.Create(context.Background(), tc) == nil {
		r.names = append(r.names, container)
	}
}

// serve is a pass of the container that is declared.
func (r *race) serve() {
	if !slices.Contains(r.names, container) || r.ran[container] > 0 {
		return
	}
	me := swarmobj.Owner{Tenant: "acme", Kind: "TenantContainer", Name: container, UID: container}

	rivals, err := mounts.FindRivals(context.Background(), r.swarm, r.client, me, "data", "acme_data_1", r.now)
	if err != nil {
		r.Fatal(err)
	}
	if rivals.Holder != "" || len(rivals.Claims) > 0 {
		return
	}

	r.swarm.writers = append(r.swarm.writers, swarmobj.Writer{Owner: me, Live: true})
	r.ran[container]++
	if len(r.swarm.writers) > 1 {
		r.Fatalf("two write: %+v", r.swarm.writers)
	}
}

// leave takes the container away.
func (r *race) leave() {
	tc := &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: container}}
	if r.ran[container] == 0 || r.client.Delete(context.Background(), tc) != nil {
		return
	}
	r.names = slices.DeleteFunc(r.names, func(n string) bool { return n == container })
	r.swarm.writers = slices.DeleteFunc(r.swarm.writers, func(w swarmobj.Writer) bool { return w.Owner.Name == container })
}

func ownerOfJob(name string) swarmobj.Owner {
	return swarmobj.Owner{Tenant: "acme", Kind: swarmobj.KindJob, Name: name, UID: name}
}

// TestRivals: whatever the order in which jobs and a container look, record and begin, no two of them write at a time, and all of
// them get their turn.
func TestRivals(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := &race{T: rt, swarm: &writing{}, now: time.Date(2026, 11, 23, 2, 30, 0, 0, time.UTC), begins: map[string]bool{}, raises: map[string]bool{}, ran: map[string]int{}, age: map[string]time.Duration{}}
		r.client = fakeClient(t)
		r.c = &Controller{client: r.client, live: r.client, swarm: r.swarm}

		for i := range rapid.IntRange(2, 4).Draw(rt, "jobs") {
			j := &v1alpha1.TenantJob{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: fmt.Sprintf("job%d", i), UID: types.UID(fmt.Sprintf("job%d", i))}}
			j.Spec.Template.Volumes = []v1alpha1.VolumeMount{{Name: "data", MountPath: "/d"}}
			if err := r.client.Create(t.Context(), j); err != nil {
				rt.Fatal(err)
			}
			r.names = append(r.names, j.Name)
			r.age[j.Name] = time.Duration(rapid.IntRange(0, 2).Draw(rt, "age")) * time.Second
		}
		jobs := slices.Clone(r.names)

		for range rapid.IntRange(0, 60).Draw(rt, "steps") {
			name := rapid.SampledFrom(jobs).Draw(rt, "job")
			switch rapid.IntRange(0, 7).Draw(rt, "what") {
			case 0, 1:
				r.look(name)
			case 2:
				r.make(name)
			case 3:
				r.end(name)
			case 4:
				r.declare()
			case 5:
				r.serve()
			case 6:
				r.leave()
			case 7:
				r.born(name)
			}
		}

		for range 5 * (len(jobs) + 1) {
			for _, name := range jobs {
				r.born(name)
				r.look(name)
				r.make(name)
			}
			r.serve()
			r.leave()
			for _, name := range jobs {
				r.end(name)
				r.end(name)
			}
		}
		for _, name := range append(jobs, r.names...) {
			if r.ran[name] != 1 {
				rt.Fatalf("%s has run %d times", name, r.ran[name])
			}
		}
	})
}
