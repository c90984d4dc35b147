//go:build e2e

package swarm_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	dockerswarm "github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// TestLiveScale holds the adapter to what it may cost with thousands of services. The bounds are wide, because the
// machine is shared; the figures are logged.
func TestLiveScale(t *testing.T) {
	const services, callers = 2000, 8

	node := lab.Start(t, lab.Options{}).Nodes[0]
	api := &counting{API: node.Docker}
	e := start(t, api, swarm.Options{})

	all := make([]swarmobj.Owner, services)
	for i := range all {
		all[i] = swarmobj.Owner{Tenant: fmt.Sprintf("t%d", i%20), Kind: "TenantContainer", Name: fmt.Sprintf("web-%d", i), UID: fmt.Sprintf("uid-%d", i)}
	}

	began := time.Now()
	inParallel(all, callers, func(o swarmobj.Owner) { must(t, e, spec(o, "", 0)) })
	created := time.Since(began)
	t.Logf("created %d in %s, %.0f a second", services, created.Round(time.Millisecond), services/created.Seconds())

	for _, o := range all {
		eventually(t, e, o, time.Minute, "confirmed", func(w swarmobj.World) bool { return w.Service != nil && !w.Uncertain })
	}
	t.Logf("all read back %s after the first create", time.Since(began).Round(time.Millisecond))

	var bare []time.Duration
	for range 5 {
		at := time.Now()
		if _, err := node.Docker.ServiceList(t.Context(), dockerswarm.ServiceListOptions{Status: true}); err != nil {
			t.Fatal(err)
		}
		bare = append(bare, time.Since(at))
	}
	slices.Sort(bare)
	t.Logf("one bare list: %s", bare[len(bare)/2])

	at := time.Now()
	for _, o := range all {
		if _, err := e.Look(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	each := time.Since(at) / services
	t.Logf("a look: %s", each)
	if each > 100*time.Microsecond {
		t.Errorf("a look: got %s, want at most 100µs", each)
	}

	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	t.Logf("heap: %d MiB, %d KiB a service", mem.HeapAlloc>>20, mem.HeapAlloc/services>>10)

	if n := api.writes.Load(); n != services {
		t.Errorf("writes: got %d, want %d", n, services)
	}
}

// inParallel calls f for every owner from several goroutines.
func inParallel(all []swarmobj.Owner, callers int, f func(swarmobj.Owner)) {
	queue := make(chan swarmobj.Owner)

	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for o := range queue {
				f(o)
			}
		})
	}
	for _, o := range all {
		queue <- o
	}
	close(queue)
	wg.Wait()
}
