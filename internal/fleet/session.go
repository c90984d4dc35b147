package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/docker/docker/client"
	"golang.org/x/sync/errgroup"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/agent/pki"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// keep keeps the connection to the agent of a node until the context ends.
func (f *Fleet) keep(ctx context.Context, l *link) {
	for wait := f.pace.shortest; ctx.Err() == nil; {
		began := time.Now()
		err := f.session(ctx, l)
		if ctx.Err() != nil {
			return
		}
		l.lost(ctx, err)

		if time.Since(began) > f.pace.longest {
			wait = f.pace.shortest
		}
		if woken := l.rest(ctx, wait+rand.N(wait/2)); woken { //nolint:gosec // No secret: it spreads load.
			wait = f.pace.shortest
			continue
		}
		wait = min(2*wait, f.pace.longest)
	}
}

// rest waits. It is true when something about the node has changed meanwhile.
func (l *link) rest(ctx context.Context, d time.Duration) (woken bool) {
	t := time.NewTimer(d)
	defer t.Stop()

	select {
	case <-ctx.Done():
	case <-t.C:
	case <-l.wake:
		return true
	}

	return false
}

// session reaches an agent, and uses it until it does not answer any more.
func (f *Fleet) session(ctx context.Context, l *link) error {
	c, about, err := f.connect(ctx, l)
	if err != nil {
		return err
	}
	defer c.Close()

	docker, err := c.Docker()
	if err != nil {
		return err
	}
	defer docker.Close()
	data, err := c.Data()
	if err != nil {
		return err
	}
	defer data.Close()
	f.agree(ctx, docker)
	f.agree(ctx, data)

	g, ctx := errgroup.WithContext(ctx)
	l.connected(ctx, &door{docker: docker, data: data, dial: c.Dial}, about.Version)
	s := &session{Fleet: f, link: l, agent: c, docker: docker}
	s.judge(ctx, about)

	g.Go(func() error { return s.watchOver(ctx) })
	g.Go(func() error { return s.pull(ctx) })
	g.Go(func() error { return s.listen(ctx) })

	return g.Wait()
}

// agree settles which version of its API a client speaks, before there are several who use it: Docker's client does so with the first
// question, and reads it beside that. When nobody answers it is settled then, all the same.
func (f *Fleet) agree(ctx context.Context, c *client.Client) {
	ctx, cancel := context.WithTimeout(ctx, f.pace.answer)
	defer cancel()

	if ping, err := c.Ping(ctx); err == nil {
		c.NegotiateAPIVersionPing(ping)
	}
}

// connect reaches the agent of a node, and measures its clock before anything that it tells is used.
func (f *Fleet) connect(ctx context.Context, l *link) (*agent.Client, agent.About, error) {
	ctx, cancel := context.WithTimeout(ctx, f.pace.connect)
	defer cancel()

	address, down := l.where()
	if down {
		return nil, agent.About{}, errNodeDown
	}
	if f.o.NoAgents != "" {
		return nil, agent.About{}, errors.New(f.o.NoAgents)
	}
	container, deployed := f.o.AgentOn(l.node)
	if !deployed {
		return nil, agent.About{}, errors.New("the swarm runs no agent there: it may be drained, or the image may be missing")
	}

	c, _, err := f.o.Connect(ctx, pki.Candidate{Node: l.node, Address: address, Container: container})
	if err != nil {
		return nil, agent.About{}, err
	}
	about, m, err := f.measure(ctx, c)
	if err == nil && about.Node != l.node {
		err = fmt.Errorf("%w: who answers at %s is the agent of node %q", swarmobj.ErrRefused, address, about.Node)
	}
	if err != nil {
		c.Close()

		return nil, agent.About{}, err
	}
	f.believe(ctx, l, m)

	return c, about, nil
}

// believe takes in a measurement of a node's clock. A clock that is far off harms what is not told through the fleet, such as
// certificates, so that it is said once.
func (f *Fleet) believe(ctx context.Context, l *link, m measurement) {
	const far = 5 * time.Second

	l.mu.Lock()
	defer l.mu.Unlock()

	before := l.now.Skew
	if !l.skew.update(m) {
		return
	}
	l.now.Skew = l.skew.believed
	if isFar := l.now.Skew.Abs() > far; isFar != (before.Abs() > far) {
		l.log.WarnContext(ctx, "Clock of node differs", "name", l.name, "skew", l.now.Skew.Round(time.Millisecond), "far", isFar)
	}
}
