package main

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/test/bench/rig"
)

// bareNetwork is the network of the services that are not Dogker's.
const bareNetwork = "bare"

// stage is an engine with Dogker at work on it.
type stage struct {
	engine     *rig.Engine
	server     *rig.Server
	namespaces []string

	// like is the service that Dogker makes of the benchmarks' container. The other arms make copies of it, so that
	// all ask the same of the engine.
	like      swarm.ServiceSpec
	networkID string
}

// stage sets up a stage with some namespaces. Everything that happens only once, such as making their networks, has
// happened when it returns. Through a proxy, calls of Dogker are counted and take a little longer.
func (s *session) stage(ctx context.Context, namespaces int, proxied bool) (*stage, *rig.Proxy, error) {
	e, err := s.engine(ctx)
	if err != nil {
		return nil, nil, err
	}

	st, host, proxy := &stage{engine: e}, e.Host, (*rig.Proxy)(nil)
	if proxied {
		if proxy, err = s.proxy(e); err != nil {
			return nil, nil, err
		}
		host = proxy.Host
	}
	if st.server, err = s.server(ctx, host); err != nil {
		return nil, nil, err
	}
	for i := range namespaces {
		st.namespaces = append(st.namespaces, fmt.Sprintf("tenant%02d", i))
	}

	return st, proxy, st.warm(ctx)
}

// warm makes the namespaces and learns what a service looks like.
func (st *stage) warm(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()

	if err := st.server.CreateNamespaces(ctx, st.namespaces); err != nil {
		return fmt.Errorf("create namespaces: %w", err)
	}
	first, err := st.engine.AwaitServices(ctx, swarmobj.ServiceName(st.namespaces[0], "first"), 1)
	if err != nil {
		return err
	}
	st.like = first[0].Spec
	st.networkID, err = st.engine.CreateNetwork(ctx, bareNetwork)

	return err
}

// copies are n services for bare calls.
func (st *stage) copies(n int, replicas uint64) ([]swarm.ServiceSpec, error) {
	out := make([]swarm.ServiceSpec, n)
	for i := range out {
		spec, err := rig.Like(st.like, fmt.Sprintf("bare_%04d", i), st.networkID, replicas)
		if err != nil {
			return nil, err
		}
		out[i] = spec
	}

	return out, nil
}

// stack is a file for `docker stack deploy` with n services.
func (st *stage) stack(dir string, n int, replicas uint64) (*rig.Stack, error) {
	spec, err := rig.Like(st.like, "stack", st.networkID, replicas)
	if err != nil {
		return nil, err
	}
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("s%04d", i)
	}

	return st.engine.NewStack(dir, fmt.Sprintf("stack%d", n), bareNetwork, names, spec)
}

// containers are n TenantContainers, spread over the namespaces.
func (st *stage) containers(n int, replicas int32) []*v1alpha1.TenantContainer {
	out := make([]*v1alpha1.TenantContainer, n)
	for i := range out {
		out[i] = rig.Container(st.namespaces[i%len(st.namespaces)], fmt.Sprintf("c%04d", i), replicas)
	}

	return out
}

// ours are the services of the stage's namespaces, as many as there should be: n and the first one of each.
func (st *stage) ours(ctx context.Context, n int) ([]swarm.Service, error) {
	return st.engine.AwaitServices(ctx, "tenant", n+len(st.namespaces))
}

// clear takes Dogker's containers away, but for the first one of each namespace.
func (st *stage) clear(ctx context.Context) error {
	if err := st.server.Clear(ctx, st.namespaces); err != nil {
		return err
	}
	if _, err := st.ours(ctx, 0); err != nil {
		return err
	}

	return st.engine.AwaitNoContainers(ctx)
}
