package main

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/docker/docker/client"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/internal/swarm"
)

// docker is the engine that this process is connected to, and through it the whole swarm. It is there before the API, which
// shows pods and nodes out of its read cache.
type docker struct {
	*swarm.Engine

	// api asks the engine itself, past the cache, and client asks it about containers of its own node.
	api    swarm.API
	client *client.Client
	// lease is what writes wait for; nil while there is none, and then nothing is written.
	lease atomic.Pointer[lease]
}

var errNoLease = errors.New("the controllers have not been started")

func newDocker(log *slog.Logger) (*docker, error) {
	api, err := swarm.NewFromEnv()
	if err != nil {
		return nil, err
	}
	d := &docker{api: api, client: api}
	d.Engine = swarm.New(api, swarm.Options{Log: log, Hold: d.hold})
	ctrlmetrics.Registry.MustRegister(d.Engine)

	return d, nil
}

func (d *docker) hold(ctx context.Context) error {
	l := d.lease.Load()
	if l == nil {
		return errNoLease
	}

	return l.hold(ctx)
}
