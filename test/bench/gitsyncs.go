package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

const (
	// syncTenants is among how many tenants GitSyncs are spread.
	syncTenants = 10
	// muteTenant has the GitSync of a server that says nothing.
	muteTenant = "mute"
	// fleetBound is how long it may take until all are Ready.
	fleetBound = 40 * time.Minute
)

const (
	fleetReady    = "from the first until all are Ready"
	fleetAway     = "of that no server"
	fleetAgain    = "all without a change, at once"
	fleetEngine   = "writes to the engine, without a change"
	fleetObjects  = "writes of objects, without a change"
	fleetPeak     = "peak resident memory of the server"
	fleetWithWork = "peak with what its Git workers have for themselves"
)

var fleet = benchmark{
	name:  "gitsyncs",
	title: "Many repositories on one server",
	about: "50 GitSyncs (full: 500) of ten tenants, each with a repository of its own with two containers of 0 replicas and two ConfigMaps, and one more " +
		"tenant with one whose Git server takes connections and never answers. They are created eight at a time; when half are Ready, the server is " +
		"killed by SIGKILL and started again on its data. When all but the one are Ready, the engine has each service once. Then that one is suspended, " +
		"each other is asked for a visit, by the annotation that a webhook sets, all at once, and nothing may be written but statuses of GitSyncs. The " +
		"peaks are the higher ones of both servers; a server has the API server, etcd and all controllers in it. Not measured here, and on other hardware: Flux' authors " +
		"publish for Flux 2.9 (flux-benchmark, RESULTS.md) that 100, 500 and 1,000 Kustomizations of four objects, one of them a Deployment scaled to " +
		"zero, took 26 s, 2 min 00 s and 4 min 13 s, and kustomize-controller alone 134, 183 and 223 MiB. That was with 2 CPUs for it, on a machine of " +
		"16 cores with the API server and another controller, which fetches from a registry, beside it, and without a restart.",
	goals: []measure.Goal{{Figure: fleetEngine, AtMost: 0}, {Figure: fleetObjects, AtMost: 0}},
	run: func(ctx context.Context, s *session) error {
		f, err := s.fleet(ctx)
		if err != nil {
			return err
		}
		if err := f.converge(ctx); err != nil {
			return err
		}

		return f.again(ctx)
	},
}

// syncFleet is a server with many GitSyncs.
type syncFleet struct {
	*session

	engine *rig.Engine
	proxy  *rig.Proxy
	server *rig.Server
	// syncs are those whose repositories can be reached.
	syncs []*gitopsv1.GitSync
	mute  *gitopsv1.GitSync

	// memory is what was seen of the server's memory so far.
	memory peaks
}

// fleet sets one up; nothing is created of it but tenants and repositories.
func (s *session) fleet(ctx context.Context) (*syncFleet, error) {
	f := &syncFleet{session: s}
	git, err := rig.StartGit(filepath.Join(s.dir, "git"))
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, git.Close)
	mute, err := rig.StartMute()
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, mute.Close)

	if f.engine, err = s.engine(ctx); err != nil {
		return nil, err
	}
	if f.proxy, err = s.proxy(f.engine); err != nil {
		return nil, err
	}
	if f.server, err = s.server(ctx, f.proxy.Host, rig.GitFlag); err != nil {
		return nil, err
	}

	tenants := []string{muteTenant}
	for i := range syncTenants {
		tenants = append(tenants, syncTenant(i))
	}
	if err := tenantsOf(ctx, f.server, tenants...); err != nil {
		return nil, err
	}

	f.mute = rig.Sync(muteTenant, "mute", mute.URL)
	for i := range s.syncs {
		url, err := f.repository(ctx, git, fmt.Sprintf("app-%03d", i))
		if err != nil {
			return nil, err
		}
		f.syncs = append(f.syncs, rig.Sync(syncTenant(i), fmt.Sprintf("app-%03d", i), url))
	}

	return f, nil
}

func syncTenant(i int) string { return fmt.Sprintf("team-%02d", i%syncTenants) }

// repository makes one of four objects.
func (f *syncFleet) repository(ctx context.Context, git *rig.Git, name string) (url string, err error) {
	r, err := git.Create(ctx, name)
	if err != nil {
		return "", err
	}
	content := containerFile(name+"-web") + containerFile(name+"-worker") + configMapFile(name+"-web", 0) + configMapFile(name+"-worker", 0)
	if err := os.WriteFile(filepath.Join(r.Dir, "app.yaml"), []byte(content), 0o644); err != nil {
		return "", err
	}
	if _, err := r.Commit(ctx); err != nil {
		return "", err
	}

	return r.URL, r.Push(ctx)
}

// converge creates all, kills the server when half are Ready, and waits for the others.
func (f *syncFleet) converge(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fleetBound)
	defer cancel()

	watching := f.memory.watch(f.server.Process())
	defer watching()
	metered := f.meter()
	began := time.Now()
	if err := f.server.CreateSyncs(ctx, append([]*gitopsv1.GitSync{f.mute}, f.syncs...)); err != nil {
		return fmt.Errorf("create GitSyncs: %w", err)
	}
	if _, err := f.await(ctx, len(f.syncs)/2, rig.Synced); err != nil {
		return err
	}
	f.say("half of %d are Ready after %s; the server is killed", len(f.syncs), time.Since(began).Round(time.Millisecond))

	killed := time.Now()
	watching()
	metered()
	if err := f.server.Kill(); err != nil {
		return err
	}
	var err error
	if f.server, err = f.session.server(ctx, f.proxy.Host, rig.GitFlag); err != nil {
		return err
	}
	away := time.Since(killed)
	defer f.memory.watch(f.server.Process())()
	defer f.meter()()

	at, err := f.await(ctx, len(f.syncs), rig.Synced)
	if err != nil {
		return err
	}
	f.add(fleetReady, measure.Seconds, at.Sub(began).Seconds())
	f.add(fleetAway, measure.Seconds, away.Seconds())

	return f.check(ctx)
}

// meter begins to note how busy the machine is with other things, for as long as one server lives.
func (f *syncFleet) meter() (stop func()) {
	f.loads = append(f.loads, rig.Load())
	meter := rig.StartMeter(f.consumers)

	return func() {
		_, foreign := meter.Stop()
		f.foreign = append(f.foreign, foreign)
	}
}

// await listens until n GitSyncs are as they should be.
func (f *syncFleet) await(ctx context.Context, n int, is func(*gitopsv1.GitSync) bool) (time.Time, error) {
	watch, err := f.server.WatchSyncs(ctx)
	if err != nil {
		return time.Time{}, err
	}
	defer watch.Stop()

	return watch.Await(ctx, n, is)
}

// check makes sure that each container has one service, and that what cannot be reached is not said to be applied.
func (f *syncFleet) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()

	if _, err := f.engine.AwaitServices(ctx, "", 2*len(f.syncs)); err != nil {
		return err
	}
	var mute gitopsv1.GitSync
	if err := f.server.Client.Get(ctx, client.ObjectKeyFromObject(f.mute), &mute); err != nil {
		return err
	}
	if rig.Synced(&mute) {
		return fmt.Errorf("the GitSync of a server that says nothing is Ready: %+v", mute.Status)
	}

	return nil
}

// again asks all for a visit at once, when nothing has changed.
func (f *syncFleet) again(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fleetBound)
	defer cancel()
	watching := f.memory.watch(f.server.Process())
	defer watching()

	// Failing is news, which is an event each time; and what the last ones that became Ready have left to do is not what a
	// visit does.
	suspended := f.mute.DeepCopy()
	suspended.Spec.Suspend = true
	if err := f.server.Client.Patch(ctx, suspended, client.MergeFrom(f.mute)); err != nil {
		return fmt.Errorf("suspend the GitSync of a server that says nothing: %w", err)
	}
	if err := sleep(ctx, settling); err != nil {
		return err
	}
	before, err := f.server.Writes(ctx)
	if err != nil {
		return err
	}
	f.proxy.Take()
	defer f.meter()()

	began := time.Now()
	if err := f.server.Request(ctx, fleetAgain, f.syncs...); err != nil {
		return err
	}
	at, err := f.await(ctx, len(f.syncs), rig.Handled(fleetAgain))
	if err != nil {
		return err
	}
	f.add(fleetAgain, measure.Seconds, at.Sub(began).Seconds())

	if err := sleep(ctx, aftermath); err != nil {
		return err
	}
	after, err := f.server.Writes(ctx)
	if err != nil {
		return err
	}
	_, others := after.Since(before, "gitsyncs")
	f.add(fleetObjects, measure.Count, others)
	writes := 0
	for _, c := range f.proxy.Take() {
		if c.Write() {
			writes++
		}
	}
	f.add(fleetEngine, measure.Count, float64(writes))

	watching()
	f.add(fleetPeak, measure.MB, f.memory.server)
	f.add(fleetWithWork, measure.MB, f.memory.all)

	return nil
}

func (f *syncFleet) add(figure string, unit measure.Unit, v float64) {
	f.report.Add(measure.Ours, figure, unit, v)
	f.say("%s: %s", figure, unit.Format(v))
}

// peaks is the most memory that was seen, in megabytes.
type peaks struct {
	// server is its resident memory; all is that together with what its children have that is no page of a file.
	server, all float64
}

// watch looks at a server's memory until it is told to stop, which waits for the last look.
func (p *peaks) watch(server rig.Process) (stop func()) {
	end := make(chan struct{})
	var busy sync.WaitGroup
	busy.Go(func() {
		for {
			p.look(server)

			select {
			case <-end:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	})

	return sync.OnceFunc(func() {
		close(end)
		busy.Wait()
		p.look(server)
	})
}

// look takes in what is there now. A process that has just ended has none.
func (p *peaks) look(server rig.Process) {
	if peak, err := server.Peak(); err == nil {
		p.server = max(p.server, peak)
	}
	all, err := server.RSS()
	if err != nil {
		return
	}
	for _, child := range server.Children() {
		if own, err := child.Own(); err == nil {
			all += own
		}
	}
	p.all = max(p.all, all)
}
