package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// sampleOwn samples the own node until the context ends. Events of its containers reach the read cache without us.
func (f *Fleet) sampleOwn(ctx context.Context, l *link) {
	l.connected(ctx, &door{docker: f.o.Engine, data: f.o.Engine, dial: f.dialOwn}, f.o.Version)

	sampler := agent.NewSampler(f.o.Engine, agent.SamplerOptions{Node: l.node, Log: l.log})
	_ = sampler.Run(ctx, func(r telemetry.Report) { // It ends when the context does, and says what went wrong itself.
		f.o.Store.Add(r, 0)
		l.seen()
		f.metrics.reports.WithLabelValues("ok").Inc()
	})
}

// dialOwn connects to a port of a container of the own node.
func (f *Fleet) dialOwn(ctx context.Context, container string, port uint16) (net.Conn, error) {
	const patience = 10 * time.Second

	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	conn, err := agent.DialContainer(ctx, f.o.Engine, container, port)
	switch {
	case errors.Is(err, agent.ErrNoAnswer):
		return nil, fmt.Errorf("%w: %w", swarmobj.ErrRefused, err)
	case err != nil:
		return nil, err
	}

	return conn, nil
}
