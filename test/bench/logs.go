package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

const (
	serviceLogs   = "docker service logs"
	containerLogs = "docker logs"

	wholeLog = "the whole log"
	logRate  = "lines"
)

var logs = benchmark{
	name:  "logs",
	title: "Reading logs",
	about: "The log of one container, of lines of 100 bytes (20,000 in profile quick, 200,000 in full), read from its beginning to its end by " +
		"`dogker kubectl logs`, by `docker service logs --raw` of its service and by `docker logs` of the container, on the same engine, from the start of each " +
		"program to its end. Every reader has all lines. `docker logs` goes to the container's own engine, and knows no other one.",
	goals: []measure.Goal{
		{Figure: wholeLog, Against: serviceLogs, AtMost: 1},
		{Figure: logRate, Against: serviceLogs, AtLeast: 1},
	},
	run: func(ctx context.Context, s *session) error {
		t, err := s.talker(ctx)
		if err != nil {
			return err
		}

		return s.take(ctx, s.samples,
			arm{serviceLogs, t.reader(func(ctx context.Context) (rig.Answer, error) {
				return rig.Docker(ctx, t.engine.Host, "service", "logs", "--raw", t.service)
			})},
			arm{containerLogs, t.reader(func(ctx context.Context) (rig.Answer, error) {
				return rig.Docker(ctx, t.engine.Host, "logs", t.container)
			})},
			arm{measure.Ours, t.reader(func(ctx context.Context) (rig.Answer, error) {
				return t.server.AskKubectl(ctx, "logs", "--namespace", t.namespaces[0], t.pod)
			})},
		)
	},
}

// talker is a container that has written a log, by the names that it has.
type talker struct {
	*stage

	lines                   int
	service, container, pod string
}

// talker starts one, and waits until its log is whole.
func (s *session) talker(ctx context.Context) (*talker, error) {
	const name = "talker"

	st, _, err := s.stage(ctx, 1, false)
	if err != nil {
		return nil, err
	}
	t := &talker{stage: st, lines: s.logged, service: swarmobj.ServiceName(st.namespaces[0], name)}
	tc := rig.Container(st.namespaces[0], name, 1)
	tc.Spec.Args = append(tc.Spec.Args, v1alpha1.Text("-talk="+strconv.Itoa(t.lines)))
	if err := st.server.Client.Create(ctx, tc); err != nil {
		return nil, err
	}
	services, err := st.engine.AwaitServices(ctx, t.service, 1)
	if err != nil {
		return nil, err
	}
	if _, err := st.engine.AwaitRunning(ctx, services, 100*time.Millisecond); err != nil {
		return nil, err
	}
	running, err := st.engine.Running(ctx, services)
	if err != nil {
		return nil, err
	}
	t.container = running[services[0].ID].Status.ContainerStatus.ContainerID
	if err := awaitTrue(ctx, func() bool { return t.find(ctx, name) && t.written(ctx) }); err != nil {
		return nil, fmt.Errorf("await %d lines of %s: %w", t.lines, t.service, err)
	}

	return t, nil
}

// find finds the pod, once it is shown to run.
func (t *talker) find(ctx context.Context, name string) bool {
	var list corev1.PodList
	err := t.server.Client.List(ctx, &list, client.InNamespace(t.namespaces[0]), client.MatchingLabels{"dogker.io/container": name})
	if err != nil || len(list.Items) != 1 || list.Items[0].Status.Phase != corev1.PodRunning {
		return false
	}
	t.pod = list.Items[0].Name

	return true
}

func (t *talker) written(ctx context.Context) bool {
	log, err := rig.Docker(ctx, t.engine.Host, "logs", t.container)

	return err == nil && lines(log) == t.lines
}

// reader makes a turn of a way to read the log.
func (t *talker) reader(read func(context.Context) (rig.Answer, error)) func(context.Context, adder) error {
	return func(ctx context.Context, add adder) error {
		log, err := read(ctx)
		if err != nil {
			return err
		}
		if got := lines(log); got != t.lines {
			return fmt.Errorf("%d lines were read, and there are %d", got, t.lines)
		}
		took(add, wholeLog, log)
		add(logRate, measure.PerSecond, float64(t.lines)/log.Took.Seconds())

		return nil
	}
}
