package agent

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// Engine is the part of Docker's client that a Sampler uses. *client.Client is one.
type Engine interface {
	ContainerList(ctx context.Context, o container.ListOptions) ([]container.Summary, error)
	ContainerInspect(ctx context.Context, id string) (container.InspectResponse, error)
	ContainerStatsOneShot(ctx context.Context, id string) (container.StatsResponseReader, error)
}

// SamplerOptions say what a Sampler samples. Only Node has no default.
type SamplerOptions struct {
	// Node is the ID of the engine's node in the swarm.
	Node string
	// Interval from the begin of a round to that of the next; telemetry.Interval when it is 0.
	Interval time.Duration
	// Proc is where the kernel tells of the machine; /proc when it is empty.
	Proc string
	// Log is where it says when the engine cannot be asked; nowhere when it is nil.
	Log *slog.Logger
}

const (
	// sampledAtOnce bounds how many containers the engine is asked about at a time. Engines before 25 answer at the next beat of
	// a clock that beats once a second, whatever is asked: with fewer at a time, a round of a few hundred would not end.
	sampledAtOnce = 96
	// spread is the part of an interval over which the containers of a round are spread, so that the engine never has
	// to answer for all of them in one moment.
	spread = 0.5
	// statsPatience bounds one question. An engine that hangs over one container must not keep us from the others.
	statsPatience = 5 * time.Second
	listPatience  = 10 * time.Second
	// maxStats bounds an answer; a real one has a few kibibytes.
	maxStats = 1 << 20
)

// Sampler samples the containers of Swarm's tasks on one engine, round after round.
type Sampler struct {
	engine Engine
	o      SamplerOptions
	id     string
	round  int64
	// known are the containers of the last round.
	known map[string]*subject
	// blind is true after a round that could not be made, and slow after one that was over before everything had its turn. Both
	// are told once.
	blind, slow bool
}

// subject is what does not change of a container, and what is needed to see that it did nevertheless.
type subject struct {
	id, task, service string
	state             telemetry.State
	started           time.Time
	cpu               time.Duration
	// silent counts questions in a row that were not answered.
	silent int
	// asked is the round in which it was asked about last.
	asked int64
}

// NewSampler returns a sampler of an engine. It asks nothing before Run.
func NewSampler(e Engine, o SamplerOptions) *Sampler {
	o.Interval = cmp.Or(o.Interval, telemetry.Interval)
	o.Proc = cmp.Or(o.Proc, "/proc")
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	return &Sampler{engine: e, o: o, id: rand.Text(), known: map[string]*subject{}}
}

// ID tells this sampler from every other one, as telemetry.Report.Agent.
func (s *Sampler) ID() string { return s.id }

// Run makes a round at once and then each interval, and hands each report to take, which must not keep it for long, until
// the context ends. A round in which the engine does not answer has no report: one without samples says that nothing runs.
func (s *Sampler) Run(ctx context.Context, take func(telemetry.Report)) error {
	ticks := time.NewTicker(s.o.Interval)
	defer ticks.Stop()

	for {
		report, err := s.Round(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !s.blind:
			s.o.Log.WarnContext(ctx, "Cannot sample containers", logkey.Err, err)
		case err == nil && s.blind:
			s.o.Log.InfoContext(ctx, "Sampling containers again")
		}
		if s.blind = err != nil; !s.blind {
			take(report)
		}

		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
	}
}

// Round samples each container once. It takes half an interval where there are many.
func (s *Sampler) Round(ctx context.Context) (telemetry.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Interval)
	defer cancel()

	report := telemetry.Report{Node: s.o.Node, Agent: s.id, Began: time.Now()}

	machine, err := readMachine(s.o.Proc)
	if err != nil {
		return report, err
	}
	subjects, err := s.look(ctx)
	if err != nil {
		return report, err
	}

	report.Samples = s.sample(ctx, subjects, machine.MemoryTotal)
	s.round++
	report.Round, report.Machine, report.Ended = s.round, machine, time.Now()

	return report, nil
}

// look lists what is to be sampled: first what had no turn for longest, and last what did not answer.
func (s *Sampler) look(ctx context.Context) ([]*subject, error) {
	ctx, cancel := context.WithTimeout(ctx, listPatience)
	defer cancel()

	list, err := s.engine.ContainerList(ctx, container.ListOptions{Filters: filters.NewArgs(filters.Arg("label", TaskLabel))})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}

	current := make(map[string]*subject, len(list))
	for _, c := range list {
		sub := s.known[c.ID]
		if sub == nil {
			sub = &subject{id: c.ID, task: c.Labels[TaskLabel], service: c.Labels[ServiceLabel]}
		}
		sub.state = telemetry.State(c.State)
		current[c.ID] = sub
	}
	s.known = current

	subjects := make([]*subject, 0, len(current))
	for _, sub := range current {
		subjects = append(subjects, sub)
	}
	slices.SortFunc(subjects, func(a, b *subject) int {
		return cmp.Or(cmp.Compare(a.silent, b.silent), cmp.Compare(a.asked, b.asked), cmp.Compare(a.id, b.id))
	})

	return subjects, nil
}

// sample asks about each of them, a few at a time, and leaves out those that do not answer, most of which have ended.
func (s *Sampler) sample(ctx context.Context, subjects []*subject, memory uint64) []telemetry.Sample {
	samples := make([]telemetry.Sample, len(subjects))
	turns := make(chan struct{}, sampledAtOnce)
	pause := time.Duration(spread*float64(s.o.Interval)) / time.Duration(max(len(subjects), 1))

	var wg sync.WaitGroup
	turnsTaken := 0
	for i, sub := range subjects {
		if i > 0 && !sleep(ctx, pause) {
			break
		}
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		turnsTaken++
		sub.asked = s.round + 1

		wg.Go(func() {
			defer func() { <-turns }()

			if err := s.ask(ctx, sub, &samples[i], memory); err != nil {
				sub.silent++
				s.o.Log.DebugContext(ctx, "Container was not sampled", "container", sub.id, logkey.Err, err)

				return
			}
			sub.silent = 0
		})
	}
	wg.Wait()
	s.tellWhetherSlow(ctx, len(subjects)-turnsTaken, len(subjects))

	// Those that were not sampled have no time.
	return slices.DeleteFunc(samples, func(x telemetry.Sample) bool { return x.At.IsZero() })
}

// tellWhetherSlow says when the engine begins to take longer for a round than there is time, and when that is over.
func (s *Sampler) tellWhetherSlow(ctx context.Context, left, all int) {
	if slow := left > 0; slow != s.slow {
		s.slow = slow
		if slow {
			s.o.Log.WarnContext(ctx, "The engine is too slow for all containers to be sampled in each interval", "left", left, "containers", all, "interval", s.o.Interval)
		} else {
			s.o.Log.InfoContext(ctx, "All containers are sampled in each interval again", "containers", all)
		}
	}
}

// ask asks about one container. Where its counters have fallen it was started anew.
func (s *Sampler) ask(ctx context.Context, sub *subject, into *telemetry.Sample, memory uint64) error {
	ctx, cancel := context.WithTimeout(ctx, statsPatience)
	defer cancel()

	resp, err := s.engine.ContainerStatsOneShot(ctx, sub.id)
	if err != nil {
		return err
	}
	defer resp.Body.Close()

	var stats container.StatsResponse
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxStats)).Decode(&stats); err != nil {
		return fmt.Errorf("read statistics: %w", err)
	}
	// The engine answers with zeros about a container that has ended in the meantime.
	if stats.Read.IsZero() || stats.CPUStats.CPUUsage.TotalUsage == 0 && stats.PidsStats.Current == 0 {
		return fmt.Errorf("there are no statistics")
	}

	sample := Counters(&stats, memory)
	if sub.started.IsZero() || sample.CPU.Total < sub.cpu {
		if sub.started, err = s.startOf(ctx, sub.id); err != nil {
			return err
		}
	}
	sub.cpu = sample.CPU.Total

	sample.Container, sample.Task, sample.Service = sub.id, sub.task, sub.service
	sample.Started, sample.State = sub.started, sub.state
	*into = sample

	return nil
}

func (s *Sampler) startOf(ctx context.Context, id string) (time.Time, error) {
	c, err := s.engine.ContainerInspect(ctx, id)
	if err != nil {
		return time.Time{}, err
	}
	if c.ContainerJSONBase == nil || c.State == nil {
		return time.Time{}, fmt.Errorf("inspect container %q: it has no state", id)
	}

	started, err := time.Parse(time.RFC3339Nano, c.State.StartedAt)
	if err != nil {
		return time.Time{}, fmt.Errorf("read start of container %q: %w", id, err)
	}

	return started, nil
}

// sleep waits. It is false when the context ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()

	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
