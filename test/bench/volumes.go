package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

// noVolumes is the arm that a server with Volumes is compared with.
const noVolumes = "Dogker without Volumes"

// Figures of the benchmark of Volumes.
const (
	volumesKnown   = "from the data of the last one until all say where it is"
	volumeMemory   = "memory for each Volume, no pages of files"
	volumeLists    = "lists of volumes that the engine is asked for, a minute"
	volumeCalls    = "calls to the engine about one volume"
	volumesIdleCPU = "CPU, idle, of one core"
	volumesToReady = "start to ready"
)

var manyVolumes = benchmark{
	name:  "volumes",
	title: "Thousands of Volumes",
	about: "Volumes (1,000 in profile quick, 10,000 in full) in 20 namespaces, with data on the one node that there is. Then the server is " +
		"started again on the same objects, left alone for 90 s, and watched for three minutes (ten in full) in which nothing happens. Calls to the " +
		"engine are counted by a proxy, from the first Volume on. Memory and CPU are compared with what the same server takes without Volumes.",
	goals: []measure.Goal{
		{Figure: volumeCalls, AtMost: 0},
		{Figure: volumeLists, AtMost: 2},
		{Figure: volumesIdleCPU, Against: noVolumes, AtMost: 1.5},
	},
	run: func(ctx context.Context, s *session) error {
		st, proxy, err := s.stage(ctx, tenants, true)
		if err != nil {
			return err
		}
		add := func(what string, unit measure.Unit, v float64) {
			s.report.Add(measure.Ours, what, unit, v)
			s.say("%s: %s", what, unit.Format(v))
		}
		if err := s.restart(ctx, st, proxy); err != nil {
			return err
		}
		without, idle, err := s.rest(ctx, st)
		if err != nil {
			return err
		}
		s.report.Add(noVolumes, volumesIdleCPU, measure.Percent, idle)
		s.say("%s: %s", noVolumes, measure.Percent.Format(idle))

		proxy.Take()
		if err := st.fill(ctx, s.volumes, add); err != nil {
			return err
		}
		single := aboutOne(proxy.Take())
		if err := s.restart(ctx, st, proxy); err != nil {
			return err
		}
		add(volumesToReady, measure.Seconds, st.server.ReadyAfter.Seconds())
		with, _, err := s.rest(ctx, st)
		if err != nil {
			return err
		}
		add(volumeMemory, measure.KB, (with-without)*1000/float64(s.volumes))

		return s.watchVolumes(ctx, st, proxy, single, add)
	},
}

// fill makes n Volumes and their data, and waits until all tell of it.
func (st *stage) fill(ctx context.Context, n int, add adder) error {
	all := rig.Volumes(st.namespaces, n)

	began := time.Now()
	if err := st.server.CreateVolumes(ctx, rig.Callers, all); err != nil {
		return err
	}
	add("until the API has all", measure.Seconds, time.Since(began).Seconds())
	err := st.server.AwaitVolumes(ctx, n, "were looked at", func(v *v1alpha1.Volume) bool { return v.Status.ObservedGeneration == v.Generation })
	if err != nil {
		return err
	}
	add("until Dogker has looked at all", measure.Seconds, time.Since(began).Seconds())

	if err := st.engine.HoldVolumes(ctx, all); err != nil {
		return err
	}
	began = time.Now()
	err = st.server.AwaitVolumes(ctx, n, "say where their data is", func(v *v1alpha1.Volume) bool {
		return v.Status.Node != nil && v.Status.ProvisionedAt != nil
	})
	if err != nil {
		return err
	}
	add(volumesKnown, measure.Seconds, time.Since(began).Seconds())

	return nil
}

// rest leaves the server alone until it has given back what it does not need, and returns its own memory in megabytes, and how much
// of a core it has used in the last minute, in percent.
func (s *session) rest(ctx context.Context, st *stage) (own, cpu float64, err error) {
	if err := sleep(ctx, settling); err != nil {
		return 0, 0, err
	}
	before, err := st.server.Process().CPU()
	if err != nil {
		return 0, 0, err
	}
	// Volumes are listed once a minute, and measured at their first sight.
	if err := sleep(ctx, time.Minute); err != nil {
		return 0, 0, err
	}
	after, err := st.server.Process().CPU()
	if err != nil {
		return 0, 0, err
	}
	own, err = st.server.Process().Own()

	return own, 100 * (after - before) / time.Minute.Seconds(), err
}

// watchVolumes watches a server that has nothing to do. Calls about single volumes were counted before, too.
func (s *session) watchVolumes(ctx context.Context, st *stage, proxy *rig.Proxy, single int, add adder) error {
	before, err := st.server.Process().CPU()
	if err != nil {
		return err
	}
	writes, err := st.server.Writes(ctx)
	if err != nil {
		return err
	}
	single += aboutOne(proxy.Take())

	began := time.Now()
	if err := sleep(ctx, max(3*time.Minute, 2*s.idle)); err != nil {
		return err
	}
	elapsed := time.Since(began)

	after, err := st.server.Process().CPU()
	if err != nil {
		return err
	}
	now, err := st.server.Writes(ctx)
	if err != nil {
		return err
	}
	ofVolumes, _ := now.Since(writes, "volumes")

	lists, calls := 0, proxy.Take()
	for _, c := range calls {
		if c.What == "GET /volumes" {
			lists++
		}
	}
	add(volumeLists, measure.Count, float64(lists)/elapsed.Minutes())
	add(volumeCalls, measure.Count, float64(single+aboutOne(calls)))
	add("calls to the engine, idle, a minute", measure.Count, float64(len(calls))/elapsed.Minutes())
	add("writes of Volumes, idle", measure.Count, ofVolumes)
	add(volumesIdleCPU, measure.Percent, 100*(after-before)/elapsed.Seconds())
	if lists == 0 {
		return fmt.Errorf("in %v the engine was not asked for its volumes", elapsed)
	}

	return nil
}

// aboutOne is how many of the calls are about a single volume.
func aboutOne(calls []rig.Call) int {
	n := 0
	for _, c := range calls {
		if _, path, _ := strings.Cut(c.What, " "); strings.HasPrefix(path, "/volumes/") {
			n++
		}
	}

	return n
}
