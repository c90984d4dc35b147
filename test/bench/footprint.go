package main

import (
	"context"
	"fmt"
	"time"

	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

// settling is how long a server is left alone before it counts as idle: it gives memory back only after a while.
const settling = 30 * time.Second

var footprint = benchmark{
	name:  "footprint",
	title: "Footprint",
	about: "Containers with 0 replicas, in numbers that grow. For each number: memory after they were created; then the server is started " +
		"again on the same data, left alone for 30 s, and watched while nothing happens (30 s in profile quick, 5 minutes in full).",
	goals: []measure.Goal{
		{Figure: figureOf(10, idleMemory), AtMost: 200},
		{Figure: figureOf(5000, idleMemory), AtMost: 300},
		{Figure: figureOf(10, idleCPU), AtMost: 1},
		{Figure: figureOf(5000, idleCPU), AtMost: 1},
		{Figure: figureOf(5000, startToReady), AtMost: 3},
	},
	run: func(ctx context.Context, s *session) error {
		// The first container of each namespace counts: the smallest number is there from the start.
		st, proxy, err := s.stage(ctx, s.footprints[0], true)
		if err != nil {
			return err
		}

		have := len(st.namespaces)
		for _, n := range s.footprints {
			if err := s.footprintOf(ctx, st, proxy, have, n); err != nil {
				return fmt.Errorf("%d objects: %w", n, err)
			}
			have = max(have, n)
		}

		return nil
	},
}

const (
	idleMemory   = "resident memory, idle"
	ownMemory    = "of that no pages of files, idle"
	idleCPU      = "CPU, idle, of one core"
	startToReady = "start to ready"
)

func figureOf(n int, what string) string { return fmt.Sprintf("%d objects: %s", n, what) }

// footprintOf measures with n containers, of which some are there already.
func (s *session) footprintOf(ctx context.Context, st *stage, proxy *rig.Proxy, have, n int) error {
	add := func(what string, unit measure.Unit, v float64) {
		s.report.Add(measure.Ours, figureOf(n, what), unit, v)
		s.say("%s: %s", figureOf(n, what), unit.Format(v))
	}

	if n > have {
		if err := st.grow(ctx, have, n); err != nil {
			return err
		}
		after, err := st.server.Process().RSS()
		if err != nil {
			return err
		}
		add("resident memory, after creating", measure.MB, after)
	}

	if err := s.restart(ctx, st, proxy); err != nil {
		return err
	}
	add(startToReady, measure.Seconds, st.server.ReadyAfter.Seconds())
	if err := sleep(ctx, settling); err != nil {
		return err
	}

	return s.watchIdle(ctx, st, proxy, add)
}

// watchIdle watches a server that has nothing to do.
func (s *session) watchIdle(ctx context.Context, st *stage, proxy *rig.Proxy, add adder) error {
	before, err := st.server.Process().CPU()
	if err != nil {
		return err
	}
	proxy.Take()

	begin := time.Now()
	if err := sleep(ctx, s.idle); err != nil {
		return err
	}
	elapsed := time.Since(begin)

	after, err := st.server.Process().CPU()
	if err != nil {
		return err
	}
	memory, err := st.server.Process().RSS()
	if err != nil {
		return err
	}
	own, err := st.server.Process().Own()
	if err != nil {
		return err
	}

	writes, calls := 0, proxy.Take()
	for _, c := range calls {
		if c.Write() {
			writes++
		}
	}
	add(idleMemory, measure.MB, memory)
	add(ownMemory, measure.MB, own)
	add(idleCPU, measure.Percent, 100*(after-before)/elapsed.Seconds())
	add("calls to the engine per minute, idle", measure.Count, float64(len(calls))/elapsed.Minutes())
	add("writes to the engine, idle", measure.Count, float64(writes))

	return nil
}

// grow makes more containers, and waits until all are Ready.
func (st *stage) grow(ctx context.Context, have, n int) error {
	watch, err := st.server.WatchReady(ctx)
	if err != nil {
		return err
	}
	defer watch.Stop()

	if err := st.server.Apply(ctx, rig.Callers, st.containers(n-len(st.namespaces), 0)[have-len(st.namespaces):]); err != nil {
		return err
	}
	_, err = watch.Await(ctx, n)

	return err
}

// restart starts the server again on its data.
func (s *session) restart(ctx context.Context, st *stage, proxy *rig.Proxy) error {
	if err := st.server.Stop(); err != nil {
		return fmt.Errorf("stop dogker: %w", err)
	}

	server, err := s.server(ctx, proxy.Host)
	if err != nil {
		return err
	}
	st.server = server

	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
