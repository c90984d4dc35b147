package main

import (
	"context"
	"fmt"
	"time"

	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

// calming is how long a server that was under load is left alone: its garbage collector is given room for longer than
// settling.
const calming = 45 * time.Second

// weight is the memory of a server, in megabytes: as it has come to be, and when it has been started again.
type weight struct{ grown, started load }

type load struct{ resident, own float64 }

// weigh waits until the server is calm, reads its memory, starts it again, and reads that.
func (o *office) weigh(ctx context.Context) (w weight, err error) {
	if w.grown, err = calmed(ctx, o.server, calming); err != nil {
		return w, err
	}
	if err := o.server.Stop(); err != nil {
		return w, fmt.Errorf("stop dogker: %w", err)
	}
	if o.server, err = o.session.server(ctx, o.engine.Host); err != nil {
		return w, err
	}
	if o.asMember, err = o.server.As(o.member); err != nil {
		return w, err
	}
	w.started, err = calmed(ctx, o.server, calming)

	return w, err
}

func calmed(ctx context.Context, server *rig.Server, after time.Duration) (l load, err error) {
	if err := sleep(ctx, after); err != nil {
		return l, err
	}
	if l.resident, err = server.Process().RSS(); err != nil {
		return l, err
	}
	l.own, err = server.Process().Own()

	return l, err
}

// report tells what each of n tenants has added.
func (w weight) report(s *session, after weight, n int) {
	const kilobytes = 1000

	for _, f := range []struct {
		figure        string
		before, after float64
	}{
		{memoryPerTenant, w.grown.resident, after.grown.resident},
		{ownMemoryPerTenant, w.grown.own, after.grown.own},
		{memoryPerTenant + afterRestart, w.started.resident, after.started.resident},
		{ownMemoryPerTenant + afterRestart, w.started.own, after.started.own},
	} {
		each := (f.after - f.before) * kilobytes / float64(n)
		s.report.Add(measure.Ours, f.figure, measure.KB, each)
		s.say("%s: %s (from %s to %s)", f.figure, measure.KB.Format(each), measure.MB.Format(f.before), measure.MB.Format(f.after))
	}
}
