package main

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

// The arms that jobs are compared with.
const (
	bareContainer = "bare container"
	bareService   = "bare service"
	bareJob       = "bare job of Swarm"
)

// Figures of the benchmark of jobs.
const (
	untilProcess = "from the first call until the process runs"
	untilKnown   = "from the first call until its end is known"
	endToKnown   = "from the end of the process until that is known"
)

var jobs = benchmark{
	name:  "jobs",
	title: "A job, from the first call to its result",
	about: "One run of a program that says a word and ends. When its process begins and ends is told by the engine's clock. Its end is known " +
		"when a watch shows a TenantJob with Complete, when a container's wait is answered, and otherwise when the list of tasks says so, asked " +
		"every 5 ms. The bare service is what Dogker makes of the job, and the job of Swarm the same in that mode; the container has no network. " +
		"Each has run once at the end, with exit code 0, and is gone.",
	goals: []measure.Goal{
		{Figure: untilProcess, Against: bareService, AtMost: 1.05},
		{Figure: untilProcess, Against: bareJob, AtMost: 1.05},
		{Figure: untilKnown, Against: bareService, AtMost: 1.10},
	},
	run: func(ctx context.Context, s *session) error {
		st, _, err := s.stage(ctx, 1, false)
		if err != nil {
			return err
		}
		w := &works{stage: st, lives: st.engine.Lives(ctx)}
		if err := w.learn(ctx); err != nil {
			return fmt.Errorf("learn what a run looks like: %w", err)
		}

		return s.take(ctx, s.samples,
			arm{bareContainer, w.container}, arm{bareService, w.service}, arm{bareJob, w.swarmJob}, arm{measure.Ours, w.job},
		)
	},
}

// works is a stage on which things run to their ends.
type works struct {
	*stage

	lives *rig.Lives
	// run is the service that Dogker makes of a run.
	run swarm.ServiceSpec
	// turns numbers what is run.
	turns int
}

// next is a name that nothing had before.
func (w *works) next(kind string) string {
	w.turns++

	return fmt.Sprintf("%s%04d", kind, w.turns)
}

func (w *works) declare(name string) *v1alpha1.TenantJob {
	return &v1alpha1.TenantJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespaces[0], Name: name},
		Spec: v1alpha1.TenantJobSpec{Template: v1alpha1.JobTemplate{
			Image: rig.Container("", "", 0).Spec.Image, ImagePullPolicy: v1alpha1.PullNever, Args: []v1alpha1.Text{"echo", "done"},
		}},
	}
}

// learn runs a job and keeps what its service looked like, which is there until the result is on record.
func (w *works) learn(ctx context.Context) error {
	j := w.declare("first")
	if err := w.server.Client.Create(ctx, j); err != nil {
		return err
	}
	made, err := w.engine.AwaitServices(ctx, swarmobj.RunServiceName(j.Namespace, j.Name), 1)
	if err != nil {
		return err
	}
	w.run = made[0].Spec
	if _, err := rig.Await(ctx, w.server, client.ObjectKeyFromObject(j), "is complete", isComplete); err != nil {
		return err
	}

	return w.drop(ctx, j)
}

func isComplete(j *v1alpha1.TenantJob) bool {
	return meta.IsStatusConditionTrue(j.Status.Conditions, v1alpha1.ConditionComplete)
}

// job is the turn of a TenantJob.
func (w *works) job(ctx context.Context, add adder) error {
	j := w.declare(w.next("job"))
	stream, err := w.server.Client.Watch(ctx, &v1alpha1.TenantJobList{}, client.InNamespace(j.Namespace))
	if err != nil {
		return err
	}
	defer stream.Stop()

	began := time.Now()
	if err := w.server.Client.Create(ctx, j); err != nil {
		return err
	}
	var known time.Time
	for e := range stream.ResultChan() {
		if now, ok := e.Object.(*v1alpha1.TenantJob); ok && now.Name == j.Name && isComplete(now) {
			known = time.Now()
			break
		}
	}
	if known.IsZero() {
		return fmt.Errorf("the watch has ended before job %q: %w", j.Name, ctx.Err())
	}
	if err := w.note(ctx, swarmobj.RunServiceName(j.Namespace, j.Name), began, known, add); err != nil {
		return err
	}

	return w.drop(ctx, j)
}

// drop deletes a job and waits until nothing is left of it.
func (w *works) drop(ctx context.Context, j *v1alpha1.TenantJob) error {
	if err := w.server.Client.Delete(ctx, j); err != nil {
		return err
	}
	if _, err := w.engine.AwaitServices(ctx, swarmobj.RunServiceName(j.Namespace, j.Name), 0); err != nil {
		return err
	}

	return w.engine.AwaitNoContainers(ctx)
}

// note adds the figures of a turn.
func (w *works) note(ctx context.Context, prefix string, began, known time.Time, add adder) error {
	life, err := w.lives.Await(ctx, prefix)
	if err != nil {
		return err
	}
	add(untilProcess, measure.Seconds, life.Began.Sub(began).Seconds())
	add(untilKnown, measure.Seconds, known.Sub(began).Seconds())
	add(endToKnown, measure.Seconds, known.Sub(life.End).Seconds())

	return nil
}

// service is the turn of a bare service that is as Dogker's own.
func (w *works) service(ctx context.Context, add adder) error {
	spec, err := rig.Like(w.run, w.next("service"), w.networkID, 1)
	if err != nil {
		return err
	}

	return w.runBare(ctx, spec, add)
}

// swarmJob is the turn of Swarm's own jobs.
func (w *works) swarmJob(ctx context.Context, add adder) error {
	spec, err := rig.Like(w.run, w.next("swarmjob"), w.networkID, 1)
	if err != nil {
		return err
	}
	one := uint64(1)
	spec.Mode = swarm.ServiceMode{ReplicatedJob: &swarm.ReplicatedJob{MaxConcurrent: &one, TotalCompletions: &one}}
	// Updates and rollbacks are nothing that a job has, and it is refused with them.
	spec.UpdateConfig, spec.RollbackConfig = nil, nil

	return w.runBare(ctx, spec, add)
}

func (w *works) runBare(ctx context.Context, spec swarm.ServiceSpec, add adder) error {
	began := time.Now()
	made, err := w.engine.Docker.ServiceCreate(ctx, spec, swarm.ServiceCreateOptions{})
	if err != nil {
		return fmt.Errorf("create service %q: %w", spec.Name, err)
	}
	if err := w.engine.AwaitTask(ctx, made.ID, swarm.TaskStateComplete); err != nil {
		return err
	}
	known := time.Now()
	if err := w.note(ctx, spec.Name, began, known, add); err != nil {
		return err
	}

	if err := w.engine.Docker.ServiceRemove(ctx, made.ID); err != nil {
		return err
	}
	// An engine keeps the container of a job that is over.
	left, err := w.engine.Docker.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(
		filters.Arg("label", "com.docker.swarm.service.id="+made.ID),
	)})
	if err != nil {
		return err
	}
	if spec.Mode.ReplicatedJob != nil {
		for _, c := range left {
			if err := w.engine.Docker.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true}); err != nil {
				return err
			}
		}
	}

	return w.engine.AwaitNoContainers(ctx)
}

// container is the turn of a container that Swarm has nothing to do with.
func (w *works) container(ctx context.Context, add adder) error {
	name := w.next("container")
	docker := w.engine.Docker

	began := time.Now()
	made, err := docker.ContainerCreate(ctx, &container.Config{Image: w.engine.ImageID, Cmd: w.run.TaskTemplate.ContainerSpec.Args},
		&container.HostConfig{NetworkMode: "none"}, nil, nil, name)
	if err != nil {
		return fmt.Errorf("create container: %w", err)
	}
	over, failed := docker.ContainerWait(ctx, made.ID, container.WaitConditionNextExit)
	if err := docker.ContainerStart(ctx, made.ID, container.StartOptions{}); err != nil {
		return fmt.Errorf("start container: %w", err)
	}
	select {
	case <-over:
	case err := <-failed:
		return fmt.Errorf("wait for container: %w", err)
	}
	known := time.Now()
	if err := w.note(ctx, name, began, known, add); err != nil {
		return err
	}

	return docker.ContainerRemove(ctx, made.ID, container.RemoveOptions{Force: true})
}
