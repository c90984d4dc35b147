package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

const (
	servicePS = "docker service ps"
	unnamed   = "docker service ps --no-resolve"

	asTable   = "all tasks as a table"
	asJSON    = "all tasks as JSON"
	apiAnswer = "the API's answer alone, as JSON"
	ofProgram = ", CPU of the program"
	ofServer  = ", CPU of the server"

	// replicas of each container, and namespaces that the containers are in.
	replicasOfEach = 10
	crowdedIn      = 10
)

var pods = benchmark{
	name:  "pods",
	title: "Listing tasks",
	about: "Tasks of containers with ten replicas each in ten namespaces (1,000 tasks in profile quick, 5,000 in full), listed by `dogker kubectl " +
		"get pods -A`, as a table and with `-o json`, and by `docker service ps` of all their services, as a table and with `--format json`, from the " +
		"start of each program to its end. Every answer has all tasks. The engine is Dogker's own model of a swarm, in memory and behind HTTP, because no " +
		"small machine holds so many containers: Docker's program waits for it, while Dogker's server answers from what it knows, so the " +
		"ratio says what callers see and not what a real engine needs. Docker's program asks for the name of each service by a call of its own, which " +
		"--no-resolve leaves out. JSON of a pod is a whole object, and Docker's of a task a line of eight fields: what kubectl makes of it is told " +
		"as CPU time of the program.",
	goals: []measure.Goal{
		{Figure: asTable, Against: servicePS, AtMost: 1},
		{Figure: asJSON, Against: servicePS, AtMost: 2},
	},
	run: func(ctx context.Context, s *session) error {
		m, err := s.market(ctx)
		if err != nil {
			return err
		}

		return s.take(ctx, s.rounds,
			arm{servicePS, func(ctx context.Context, add adder) error { return m.listBare(ctx, add) }},
			arm{unnamed, func(ctx context.Context, add adder) error { return m.listBare(ctx, add, "--no-resolve") }},
			arm{measure.Ours, m.listOurs},
		)
	},
}

// market is a swarm with many tasks, and Dogker at work on it.
type market struct {
	swarm    *rig.Swarm
	server   *rig.Server
	services []string
	tasks    int
}

// market starts the tasks and waits until both, the swarm and Dogker, show all of them to run.
func (s *session) market(ctx context.Context) (*market, error) {
	swarm, err := s.swarm()
	if err != nil {
		return nil, err
	}
	server, err := s.server(ctx, swarm.Host)
	if err != nil {
		return nil, err
	}

	m := &market{swarm: swarm, server: server, tasks: s.listed}
	namespaces := make([]string, crowdedIn)
	for i := range namespaces {
		namespaces[i] = fmt.Sprintf("tenant%02d", i)
	}
	if err := server.CreateNamespaces(ctx, namespaces); err != nil {
		return nil, fmt.Errorf("create namespaces: %w", err)
	}
	var containers []*v1alpha1.TenantContainer
	for i := range m.tasks / replicasOfEach {
		containers = append(containers, rig.Container(namespaces[i%crowdedIn], fmt.Sprintf("c%04d", i), replicasOfEach))
	}
	watch, err := server.WatchReady(ctx)
	if err != nil {
		return nil, err
	}
	defer watch.Stop()
	if err := server.Apply(ctx, rig.Callers, containers); err != nil {
		return nil, err
	}
	if _, err := watch.Await(ctx, len(containers)+len(namespaces)); err != nil {
		return nil, err
	}
	if m.services, err = swarm.AwaitRunning(ctx, m.tasks); err != nil {
		return nil, err
	}
	s.say("%d tasks run", m.tasks)

	return m, nil
}

// listBare lists the tasks by Docker's program.
func (m *market) listBare(ctx context.Context, add adder, flags ...string) error {
	table, err := rig.Docker(ctx, m.swarm.Host, slices.Concat([]string{"service", "ps"}, flags, m.services)...)
	if err != nil {
		return err
	}
	took(add, asTable, table)
	if err := m.check(lines(table) - 1); err != nil {
		return err
	}

	text, err := rig.Docker(ctx, m.swarm.Host, slices.Concat([]string{"service", "ps", "--format", "json"}, flags, m.services)...)
	if err != nil {
		return err
	}
	took(add, asJSON, text)

	return m.check(lines(text))
}

// listOurs lists them by kubectl, and then without it.
func (m *market) listOurs(ctx context.Context, add adder) error {
	table, err := m.server.AskKubectl(ctx, "get", "pods", "-A")
	if err != nil {
		return err
	}
	took(add, asTable, table)
	if err := m.check(lines(table) - 1); err != nil {
		return err
	}

	text, err := m.server.AskKubectl(ctx, "get", "pods", "-A", "-o", "json")
	if err != nil {
		return err
	}
	took(add, asJSON, text)
	if err := m.checkJSON(text.Text); err != nil {
		return err
	}

	return m.answer(ctx, add)
}

// answer takes what kubectl waits for, all at once.
func (m *market) answer(ctx context.Context, add adder) error {
	raw, err := m.server.Raw()
	if err != nil {
		return err
	}
	before, err := m.server.Process().CPU()
	if err != nil {
		return err
	}
	began := time.Now()
	answer, err := raw.Get().AbsPath("/api/v1/pods").Do(ctx).Raw()
	if err != nil {
		return err
	}
	add(apiAnswer, measure.Seconds, time.Since(began).Seconds())
	after, err := m.server.Process().CPU()
	if err != nil {
		return err
	}
	add(apiAnswer+ofServer, measure.CPUSeconds, after-before)

	return m.checkJSON(answer)
}

// took notes how long a program took, and how much of that it was busy itself.
func took(add adder, figure string, a rig.Answer) {
	add(figure, measure.Seconds, a.Took.Seconds())
	add(figure+ofProgram, measure.CPUSeconds, a.CPU.Seconds())
}

func lines(a rig.Answer) int { return bytes.Count(a.Text, []byte("\n")) }

func (m *market) checkJSON(text []byte) error {
	var list struct{ Items []json.RawMessage }
	if err := json.Unmarshal(text, &list); err != nil {
		return fmt.Errorf("read list of pods: %w", err)
	}

	return m.check(len(list.Items))
}

func (m *market) check(listed int) error {
	if listed != m.tasks {
		return fmt.Errorf("%d tasks are listed, and there are %d", listed, m.tasks)
	}

	return nil
}
