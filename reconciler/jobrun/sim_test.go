package jobrun_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// chooser decides what happens in a simulation.
type chooser func(what string, from, to int) int

// sim is two servers, a store, a swarm, and a clock that they share and that people put.
type sim struct {
	fail   func(format string, args ...any)
	choose chooser

	// passed is how time passes; skew is what the clock shows beside it.
	passed time.Time
	skew   time.Duration

	versions []*v1alpha1.TenantJob
	worlds   []snapshot
	services map[string]*service
	calls    []call
	servers  []*server
	held     bool
	// alone is true when no two runs may be at a time.
	alone bool

	// recorded and made count records and services by the names of runs.
	recorded, made map[string]int
	writes         int
	steps          int
	putBack        bool
	again          int
	trace          []string
}

// snapshot is what Swarm has shown from some moment on.
type snapshot struct {
	at    time.Time
	world jobrun.World
}

// service of a run. Its tasks run one after the other, for as long as tries says, and end with its exit codes.
type service struct {
	id      string
	began   time.Time
	skew    time.Duration
	tries   []try
	removed time.Time
}

type try struct {
	takes time.Duration
	exit  int
}

// server sees the store and the swarm later than they are.
type server struct {
	version int
	since   time.Time // it has seen the swarm at least as of then
	busy    time.Time // until when a call of its own is on its way
}

// call to make a service, on its way to the engine.
type call struct {
	run   string
	lands time.Time
}

func newSim(choose chooser, fail func(string, ...any)) *sim {
	s := &sim{
		choose: choose, passed: noon, services: map[string]*service{}, recorded: map[string]int{}, made: map[string]int{},
		servers: []*server{{}, {}},
	}
	s.fail = func(format string, args ...any) {
		fail(format+"\n%s", append(args, strings.Join(s.trace[max(0, len(s.trace)-40):], "\n"))...)
	}

	j := once()
	j.CreationTimestamp = *stamp(noon)
	j.Spec.Schedule = []v1alpha1.CronExpression{"*/5 * * * *", "@hourly", "30 2 * * *", "15,45 1-3 * * *", "0 */6 * * sun,mon"}[choose("schedule", 0, 4)]
	j.Spec.TimeZone = []string{"", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Jakarta"}[choose("zone", 0, 3)]
	j.Spec.ConcurrencyPolicy = []v1alpha1.ConcurrencyPolicy{"Allow", "Forbid", "Replace"}[choose("policy", 0, 2)]
	j.Spec.ActiveDeadlineSeconds = new(int64(1800))
	j.Spec.SuccessfulJobsHistoryLimit = new(int32(choose("keep", 0, 3)))
	j.Spec.FailedJobsHistoryLimit = new(int32(choose("keepFailed", 0, 2)))
	if choose("deadline", 0, 2) == 0 {
		j.Spec.StartingDeadlineSeconds = new(int64(120))
	}

	s.alone = choose("alone", 0, 2) == 0
	s.versions = []*v1alpha1.TenantJob{j}
	s.look()

	return s
}

func (s *sim) clock() time.Time            { return s.passed.Add(s.skew) }
func (s *sim) latest() *v1alpha1.TenantJob { return s.versions[len(s.versions)-1] }
func (s *sim) write(j *v1alpha1.TenantJob) { s.versions = append(s.versions, j) }
func (s *sim) edit(f func(*v1alpha1.TenantJob)) {
	j := s.latest().DeepCopy()
	j.Generation++
	f(j)
	s.write(j)
}

// look remembers what Swarm shows.
func (s *sim) look() {
	w := jobrun.World{Complete: true, Services: map[string]jobrun.Service{}}
	for name, svc := range s.services {
		w.Services[name] = jobrun.Service{
			ID: svc.id, Created: svc.began.Add(svc.skew), Tasks: svc.tasks(s.passed), TasksFresh: true, Removing: !svc.removed.IsZero(),
		}
	}

	s.worlds = append(s.worlds, snapshot{s.passed, w})
	if len(s.worlds) > 20 {
		s.worlds = s.worlds[len(s.worlds)-20:]
	}
}

// tasks as they are at a moment. Swarm begins the next try ten seconds after one has failed.
func (svc *service) tasks(now time.Time) []swarmobj.Task {
	if !svc.removed.IsZero() {
		now = svc.removed
	}

	var tasks []swarmobj.Task

	at := svc.began
	for i, t := range svc.tries {
		one := swarmobj.Task{ID: fmt.Sprintf("%s-%d", svc.id, i), State: swarm.TaskStateReady, Created: at.Add(svc.skew), Since: at.Add(svc.skew)}
		begins := at
		if i > 0 {
			begins = at.Add(10 * time.Second)
		}
		ends := begins.Add(t.takes)

		switch {
		case now.Before(begins):
		case now.Before(ends):
			one.State = swarm.TaskStateRunning
		case t.exit == 0:
			one.State, one.Since = swarm.TaskStateComplete, ends.Add(svc.skew)
		default:
			one.State, one.Since, one.ExitCode = swarm.TaskStateFailed, ends.Add(svc.skew), t.exit
		}
		if !svc.removed.IsZero() && !one.Ended() {
			one.Desired = swarm.TaskStateRemove
		}

		tasks = append(tasks, one)
		if one.State != swarm.TaskStateFailed {
			break
		}

		at = ends
	}

	slices.Reverse(tasks)

	return tasks
}

// advance lets time pass, and what is on its way arrive.
func (s *sim) advance(d time.Duration) {
	end := s.passed.Add(d)

	slices.SortFunc(s.calls, func(a, b call) int { return a.lands.Compare(b.lands) })
	for len(s.calls) > 0 && !s.calls[0].lands.After(end) {
		c := s.calls[0]
		s.calls = s.calls[1:]
		s.passed = c.lands
		s.arrive(c)
	}

	s.passed = end
	for name, svc := range s.services {
		if !svc.removed.IsZero() && s.passed.Sub(svc.removed) > 10*time.Second {
			delete(s.services, name)
		}
	}

	s.look()
}

// past is the record of a run that is over; nil when there is none.
func (s *sim) past(run string) *v1alpha1.JobRun {
	for i, r := range s.latest().Status.History {
		if r.Name == run {
			return &s.latest().Status.History[i]
		}
	}

	return nil
}

// stopped is true for a run that did not end by itself.
func stopped(r *v1alpha1.JobRun) bool {
	return r.Phase == v1alpha1.RunInterrupted || r.Reason == v1alpha1.ReasonDeadlineExceeded
}

func (s *sim) note(format string, args ...any) {
	s.trace = append(s.trace, fmt.Sprintf("%s (%s) ", s.passed.Format(time.RFC3339), s.skew)+fmt.Sprintf(format, args...))
}

func (s *sim) arrive(c call) {
	if svc, taken := s.services[c.run]; taken && svc.removed.IsZero() {
		return
	}

	s.made[c.run]++
	s.note("service of %s", c.run)
	if s.made[c.run] > 1 {
		if r := s.past(c.run); r == nil || !stopped(r) {
			s.fail("run %s was made twice; it is %+v", c.run, r)
		}
		s.again++ // What was stopped goes at once, and somebody was slow.
	}

	svc := &service{id: "svc-" + c.run, began: s.passed, skew: s.skew}
	for range 4 {
		t := try{takes: time.Duration(s.choose("takes", 1, []int{600, 10}[s.choose("short", 0, 1)])) * time.Second}
		if s.choose("fails", 0, 2) == 0 {
			t.exit = 3
		}
		if s.choose("hangs", 0, 19) == 0 {
			t.takes = 24 * time.Hour
		}
		svc.tries = append(svc.tries, t)
	}
	svc.tries = svc.tries[:3]
	s.services[c.run] = svc
	s.look()
}

// restart forgets what a server has known of its own calls, which stay on their way.
func (s *sim) restart(i int) { s.servers[i] = &server{version: s.servers[i].version} }

// pass is one pass of a server, with what it happens to see.
func (s *sim) pass(i int) jobrun.Plan {
	srv := s.servers[i]
	srv.version = s.choose("version", max(srv.version, len(s.versions)-5), len(s.versions)-1)

	seen := s.worlds[len(s.worlds)-1]
	if back := s.choose("lag", 0, 3); back < len(s.worlds) {
		seen = s.worlds[len(s.worlds)-1-back]
	}
	if seen.at.Before(srv.since) || s.passed.Sub(seen.at) > 10*time.Second {
		seen = s.worlds[len(s.worlds)-1]
	}
	srv.since = seen.at

	in := jobrun.Input{Now: s.clock(), Job: s.versions[srv.version], World: seen.world}
	in.World.Complete = s.choose("lost", 0, 9) > 0 && s.passed.After(srv.busy)
	if !in.World.Complete && s.choose("lostServices", 0, 1) == 0 {
		in.World.Services = nil
	}
	if s.alone {
		in.Alone = "of the data"
	}
	if s.held {
		in.Held = &jobrun.Hold{Reason: "Suspended", Message: "billing"}
	}

	p := jobrun.Decide(in)
	s.hold(in, p)

	if !equality.Semantic.DeepEqual(p.Status, in.Job.Status) {
		if srv.version != len(s.versions)-1 {
			srv.version = len(s.versions) - 1 // A conflict.

			return p
		}
		s.record(in.Job, p)
		srv.version = len(s.versions) - 1
	}

	for _, step := range p.Steps {
		s.do(srv, step)
	}

	return p
}

// hold holds a plan against what has to be true of every one.
func (s *sim) hold(in jobrun.Input, p jobrun.Plan) {
	for _, step := range p.Steps {
		if step.Deed == jobrun.Create && !slices.ContainsFunc(in.Job.Status.Active, func(r v1alpha1.JobRun) bool { return r.Name == step.Run }) {
			s.fail("%s is not on record", step)
		}
		if step.Deed == jobrun.Create && s.alone && slices.ContainsFunc(p.Status.Active, func(r v1alpha1.JobRun) bool {
			return r.Name != step.Run && r.ServiceID != ""
		}) {
			s.fail("%s beside another run", step)
		}
	}
	if n := len(p.Status.Active); n > v1alpha1.MaxActiveRuns || len(p.Status.History) > 64 || len(p.Status.Missed) > v1alpha1.MaxMissedEntries {
		s.fail("there is no room for %d active, %d past, %d missed", n, len(p.Status.History), len(p.Status.Missed))
	}
	if in.Job.Spec.ConcurrencyPolicy != v1alpha1.ConcurrencyAllow && len(p.Status.Active) > 1 {
		s.fail("%d runs are active under %s", len(p.Status.Active), in.Job.Spec.ConcurrencyPolicy)
	}
	if p.Status.MissedRuns < in.Job.Status.MissedRuns {
		s.fail("missed runs went from %d to %d", in.Job.Status.MissedRuns, p.Status.MissedRuns)
	}
	for _, e := range p.Ends {
		p.Attach(e.Run, "the end")
	}
}

func (s *sim) record(was *v1alpha1.TenantJob, p jobrun.Plan) {
	for _, r := range p.Status.Active {
		if slices.ContainsFunc(was.Status.Active, func(o v1alpha1.JobRun) bool { return o.Name == r.Name }) {
			continue
		}
		if s.recorded[r.Name]++; s.recorded[r.Name] > 1 {
			s.fail("the tick %s has a second run at %s", r.ScheduledTime, s.clock())
		}
	}

	for _, n := range p.News {
		s.note("%s: %s", n.Reason, n.Message)
	}

	j := was.DeepCopy()
	j.Status = p.Status
	s.write(j)
	s.writes++
}

func (s *sim) do(srv *server, step jobrun.Step) {
	switch step.Deed {
	case jobrun.Create:
		// It may take as long as it is given and the engine takes to give up, but seldom does.
		longest := int(step.Before.Sub(s.clock())/time.Second) + 20
		delay := s.choose("delay", 0, 9)
		if delay > 3 {
			delay = 0
		} else if delay > 1 {
			delay = s.choose("longDelay", 0, longest)
		}
		s.note("%s, there in %d s", step, delay)
		c := call{step.Run, s.passed.Add(time.Duration(delay) * time.Second)}
		srv.busy = c.lands
		if delay == 0 {
			s.arrive(c)
		} else {
			s.calls = append(s.calls, c)
		}
	case jobrun.Remove:
		s.note("%s", step)
		for _, r := range s.latest().Status.Active {
			if r.Name != step.Run {
				continue
			}
			if !step.Orphan {
				s.fail("%s, whose run is not over", step)
			}

			return
		}
		if svc := s.services[step.Run]; svc != nil && svc.removed.IsZero() {
			svc.removed = s.passed
		}
		s.look()
	case jobrun.DeleteJob:
		s.fail("a job with a schedule is deleted")
	}
}

// settle ends all suspensions, lets no run begin, and waits until nothing is left to do. It returns whether that came to be.
func (s *sim) settle() bool {
	s.held = false
	s.edit(func(j *v1alpha1.TenantJob) { j.Spec.Suspend = true })

	for quiet := 0; quiet < 20; {

		before := len(s.versions)
		s.advance(20 * time.Second)
		done := true
		for i := range s.servers {
			p := s.pass(i)
			done = done && len(p.Steps) == 0
		}
		if quiet++; len(s.versions) != before || !done || len(s.services) > 0 || len(s.latest().Status.Active) > 0 {
			quiet = 0
		}
		if s.steps++; s.steps > 5000 {
			return false
		}
	}

	return true
}

func (s *sim) left() string {
	j := s.latest()

	return fmt.Sprintf("services %v, active %v", slices.Sorted(maps.Keys(s.services)), j.Status.Active)
}
