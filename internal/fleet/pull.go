package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/agent/pki"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// pullTimeout bounds one question for reports: the agent may wait for the next one, and then has much to tell.
const pullTimeout = agent.PollPatience + time.Minute

// session is what is done with an agent while it answers.
type session struct {
	*Fleet
	*link

	agent  *agent.Client
	docker *client.Client

	mu       sync.Mutex
	problems [aspects]string
	// strikes are of reports in a row of which something was left out that no agent of ours tells, less those since that were
	// as they should be.
	strikes int
}

// What may be wrong with an agent that answers.
const (
	aspectProtocol = iota
	aspectReports
	aspectSamples
	aspectEvents
	aspects
)

// lacks notes what is wrong in one respect; empty when nothing is.
func (s *session) lacks(ctx context.Context, aspect int, problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.problems[aspect] == problem {
		return
	}
	s.problems[aspect] = problem

	var all []string
	for _, p := range s.problems {
		if p != "" {
			all = append(all, p)
		}
	}
	s.limited(ctx, strings.Join(all, "; "))
}

// judge holds what an agent says of itself against what this server knows.
func (s *session) judge(ctx context.Context, a agent.About) {
	problem := ""
	if a.Protocol != agent.Protocol {
		problem = fmt.Sprintf("its agent is of version %q and speaks protocol %d, and this server speaks %d: what both know is used",
			a.Version, a.Protocol, agent.Protocol)
	}
	s.lacks(ctx, aspectProtocol, problem)
}

// watchOver asks the agent again and again who it is, and ends when it does not answer.
func (s *session) watchOver(ctx context.Context) error {
	ticks := time.NewTicker(s.pace.watch)
	defer ticks.Stop()

	for renewed := time.Now(); ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.wake:
			if _, down := s.where(); down {
				return errNodeDown
			}
		case <-ticks.C:
		}

		about, m, err := s.measure(ctx, s.agent)
		if err != nil {
			return err
		}
		s.seen()
		s.believe(ctx, s.link, m)
		s.judge(ctx, about)

		if time.Since(renewed) < s.pace.renew {
			continue
		}
		if err := s.renew(ctx); err != nil {
			return err
		}
		renewed = time.Now()
	}
}

// renew connects once more, which renews the agent's certificate when that is due. What is connected stays so.
func (s *session) renew(ctx context.Context) error {
	address, _ := s.where()
	container, _ := s.o.AgentOn(s.node)
	c, _, err := s.o.Connect(ctx, pki.Candidate{Node: s.node, Address: address, Container: container})
	if err != nil {
		return err
	}
	c.Close()

	return nil
}

// pull takes in reports until the agent does not answer. An agent that has been away tells what it has seen meanwhile. One
// that always has something to tell is not asked more often than it has to be.
func (s *session) pull(ctx context.Context) error {
	for {
		err, wait := s.pullOnce(ctx), s.pace.pull
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, swarmobj.ErrNotFound) || errors.Is(err, swarmobj.ErrRefused):
			s.lacks(ctx, aspectReports, "its agent does not tell what containers use: "+withoutClass(err))
			wait = s.pace.unknown
		case errors.Is(err, agent.ErrOdd):
			s.metrics.reports.WithLabelValues("unreadable").Inc()
			s.lacks(ctx, aspectReports, "its agent tells what cannot be read, and is asked again after a while: "+err.Error())
			wait = s.pace.unknown
		case err != nil:
			return err
		default:
			s.lacks(ctx, aspectReports, "")
		}
		if !pause(ctx, wait) {
			return ctx.Err()
		}
	}
}

func (s *session) pullOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()

	told := false
	err := s.agent.Reports(ctx, s.round, s.link.agent, func(r telemetry.Report) {
		told = true
		s.takeIn(ctx, r)
	})
	// What came before an error is as good as any.
	if told {
		s.seen()
	}

	return err
}

// takeIn takes in one report.
func (s *session) takeIn(ctx context.Context, r telemetry.Report) {
	if r.Node != s.node {
		s.metrics.reports.WithLabelValues("foreign").Inc()
		return
	}
	odd := s.o.Store.Add(r, s.state().Skew)
	if odd == "" {
		s.metrics.reports.WithLabelValues("ok").Inc()
	} else {
		s.metrics.reports.WithLabelValues("odd").Inc()
	}
	if odd != telemetry.DropMalformed {
		s.link.agent, s.round = r.Agent, r.Round
	}
	s.suspect(ctx, odd)
}

const (
	// suspicious is how many odd reports make an agent one that tells lies: a clock that is set makes one look odd.
	suspicious = 3
	// unforgotten bounds for how many reports that is held against it.
	unforgotten = 20
)

// suspicions say to people what no agent of ours tells.
var suspicions = map[string]string{
	telemetry.DropUnknown:   "of more tasks than the swarm has there",
	telemetry.DropElsewhere: "of tasks of other nodes",
	telemetry.DropClose:     "of containers more often than agents look at them",
	telemetry.DropMalformed: "of containers whose IDs no engine gives",
}

// suspect takes note of what was odd about a report, if anything, and says so once it cannot be chance.
func (s *session) suspect(ctx context.Context, odd string) {
	if odd == "" {
		if s.strikes = max(s.strikes-1, 0); s.strikes == 0 {
			s.lacks(ctx, aspectSamples, "")
		}

		return
	}
	if s.strikes = min(s.strikes+1, unforgotten); s.strikes >= suspicious {
		s.lacks(ctx, aspectSamples, "its agent tells "+suspicions[odd]+", which is left out: somebody else may speak for it")
	}
}

// listen passes events of containers on until the agent does not answer. Those of the time in which nobody listened are
// asked for first; the engine remembers a few hundred.
func (s *session) listen(ctx context.Context) error {
	for {
		err := s.listenOnce(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, swarmobj.ErrNotFound) || errors.Is(err, swarmobj.ErrRefused):
			s.lacks(ctx, aspectEvents, "its agent does not tell what happens to containers: "+withoutClass(err))
			if !pause(ctx, s.pace.unknown) {
				return ctx.Err()
			}
		default:
			return err
		}
	}
}

func (s *session) listenOnce(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // It ends the goroutine of Docker's client.

	o := events.ListOptions{Filters: heard()}
	if s.event > 0 {
		o.Since = fmt.Sprintf("%d.%09d", s.event/int64(time.Second), s.event%int64(time.Second))
	}
	messages, errs := s.docker.Events(ctx, o)

	for {
		select {
		case m := <-messages:
			if m.TimeNano <= s.event {
				continue // It has been heard.
			}
			s.event = m.TimeNano
			s.o.Swarm.Heard(s.node, m)
			s.metrics.delay.Observe(max(0, time.Since(time.Unix(0, m.TimeNano).Add(-s.state().Skew)).Seconds()))
			s.lacks(ctx, aspectEvents, "")
			s.link.log.DebugContext(ctx, "Container event", "action", string(m.Action), logkey.Service, m.Actor.Attributes[agent.ServiceLabel])
		case err := <-errs:
			return classed(err)
		}
	}
}

// heard are the events that tell something about a task: those that the read cache listens to on its own engine.
func heard() filters.Args {
	return filters.NewArgs(
		filters.Arg("type", string(events.ContainerEventType)), filters.Arg("label", agent.ServiceLabel),
		filters.Arg("event", "start"), filters.Arg("event", "die"),
		filters.Arg("event", "oom"), filters.Arg("event", "health_status"),
	)
}

// pause waits. It is false when the context ends first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()

	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
