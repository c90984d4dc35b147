package swarm

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Tasks of services that somebody waits for are listed again and again: Swarm sends no events about tasks. All such
// services share one list.
const (
	heatAsked = 5 * time.Second // How long a service is watched after somebody has asked for it,
	heatEvent = 2 * time.Second // and after something happened to it.

	// Pauses between lists grow from the first to the second while nothing changes. None is shorter than nine times what
	// the list took, so that watching takes at most a tenth of a core.
	quickest   = 10 * time.Millisecond
	slowest    = time.Second
	watchShare = 9

	// manyHot is from how many services on one list of all tasks is asked for instead of naming each service.
	manyHot = 200
)

// Converging asks for a service's tasks to be watched closely, because somebody waits for them to change. It holds for
// some seconds.
func (e *Engine) Converging(serviceID string) {
	e.mu.Lock()
	defer e.mu.Unlock()

	if e.extend(serviceID, heatAsked) {
		poke(e.wakeTasks)
	}
}

// heat makes a service's tasks be listed now, and watched for a while, because something has happened to it. The
// engine's lock is held.
func (e *Engine) heat(serviceID string) {
	e.extend(serviceID, heatEvent)
	poke(e.wakeTasks)
}

// extend keeps a service hot for at least so long. It is true when it was not hot before. The engine's lock is held.
func (e *Engine) extend(serviceID string, d time.Duration) bool {
	s, known := e.cache.services[serviceID]
	if !known || s.owner == (swarmobj.Owner{}) {
		return false
	}

	old, hot := e.hot[serviceID]
	if until := time.Now().Add(d); !hot || until.After(old) {
		e.hot[serviceID] = until
	}

	return !hot
}

// hotServices lists the services to watch now, and forgets those that have cooled down.
func (e *Engine) hotServices() []string {
	e.mu.Lock()
	defer e.mu.Unlock()

	now := time.Now()

	var ids []string
	for id, until := range e.hot {
		if _, known := e.cache.services[id]; !known || now.After(until) {
			delete(e.hot, id)
			continue
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)

	return ids
}

// watchTasks lists the tasks of hot services until the context ends.
func (e *Engine) watchTasks(ctx context.Context, ready <-chan struct{}) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-ready:
	}

	for delay := quickest; ; {
		ids := e.hotServices()
		if len(ids) == 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-e.wakeTasks:
			}
			delay = quickest
			continue
		}

		began := time.Now()
		changed, err := e.watchOnce(ctx, ids)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			e.log.WarnContext(ctx, "Could not list tasks, trying again", logkey.Err, err)
			delay = slowest
		}

		floor := watchShare * time.Since(began)
		if len(ids) <= manyHot {
			floor = min(floor, slowest) // It did not take long because there was much to list.
		}
		if !pause(ctx, max(quickest, floor)) {
			return ctx.Err()
		}

		delay = min(delay*2, slowest)
		if changed || e.waitHot(ctx, delay-quickest) {
			delay = quickest
		}
	}
}

// waitHot waits for the rest of a pause. It is true when something happened meanwhile.
func (e *Engine) waitHot(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()

	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return false
	case <-e.wakeTasks:
		return true
	}
}

// noSuchService is how the engine says that a service which a list was filtered by does not exist.
var noSuchService = regexp.MustCompile(`service ([a-z0-9]+) not found`)

func (e *Engine) watchOnce(ctx context.Context, ids []string) (bool, error) {
	if len(ids) > manyHot {
		ids = nil
	}

	before := e.taskNews()
	err := e.listTasks(ctx, e.begin(), ids)
	changed := e.taskNews() != before

	// One service that is gone makes the engine refuse the list for all of them.
	if errors.Is(err, swarmobj.ErrNotFound) {
		if gone := noSuchService.FindStringSubmatch(err.Error()); gone != nil {
			e.mu.Lock()
			delete(e.hot, gone[1])
			e.soon(kindService, gone[1], foreignDelay)
			e.mu.Unlock()

			return true, nil
		}
	}

	return changed, err
}

// taskNews counts the changes of tasks that were seen.
func (e *Engine) taskNews() int {
	e.mu.Lock()
	defer e.mu.Unlock()

	return e.taskChanges
}

// listTasks lists the tasks of the given services, or of all when there are none, and takes them in.
func (e *Engine) listTasks(ctx context.Context, begun uint64, ids []string) error {
	args := filters.NewArgs()
	for _, id := range ids {
		args.Add("service", id)
	}

	list, err := read(ctx, e, "task_list", listTimeout, func(ctx context.Context) ([]swarm.Task, error) {
		return e.api.TaskList(ctx, swarm.TaskListOptions{Filters: args})
	})
	if err != nil {
		return err
	}

	byService := map[string][]swarm.Task{}
	for _, t := range list {
		byService[t.ServiceID] = append(byService[t.ServiceID], t)
	}

	e.mu.Lock()
	if ids == nil {
		for id := range e.cache.services {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		e.takeTasks(id, begun, byService[id])
	}
	dead := e.autopsy
	e.autopsy = nil
	e.mu.Unlock()

	e.examine(ctx, dead)

	return nil
}

// takeTasks takes in the tasks of one service. The engine's lock is held.
func (e *Engine) takeTasks(id string, begun uint64, tasks []swarm.Task) {
	s, known := e.cache.services[id]
	if !known || s.owner == (swarmobj.Owner{}) {
		return
	}

	before := s.tasks
	changed, detailed := s.takeTasks(begun, tasks)

	for taskID, t := range s.tasks {
		if f, told := e.fates[taskID]; told {
			delete(e.fates, taskID)
			changed = s.mark(taskID, f) || changed
		}
		if old, seen := before[taskID]; (!seen || old.State != t.State) && e.keepsQuiet(t) {
			e.autopsy = append(e.autopsy, corpse{service: id, task: taskID, container: t.container})
		}
	}

	switch {
	case changed:
		e.taskChanges++
		e.hints.add(s.owner)
	case detailed:
		e.hints.details.add(s.owner)
	}
}

// corpse is a container that ended and may know more about it than its task says.
type corpse struct{ service, task, container string }

// keepsQuiet is true for a task that ended as if the kernel had killed it, or as if it had nothing more to do, and whose
// container the connected engine can be asked about.
func (e *Engine) keepsQuiet(t task) bool {
	const killed = 128 + 9

	quiet := t.State == swarm.TaskStateFailed && t.ExitCode == killed || t.State == swarm.TaskStateComplete

	return quiet && !t.OOMKilled && !t.Unhealthy && t.container != "" && t.NodeID == e.nodeID
}

// examine asks why containers ended. A container that is gone tells nothing, which is as good as not knowing.
func (e *Engine) examine(ctx context.Context, dead []corpse) {
	const most = 20

	for _, c := range dead[:min(len(dead), most)] {
		got, err := read(ctx, e, "container_inspect", readTimeout, func(ctx context.Context) (container.InspectResponse, error) {
			return e.api.ContainerInspect(ctx, c.container)
		})
		f := fateIn(got)
		if err != nil || f == fateUnknown {
			continue
		}

		e.mu.Lock()
		if s, known := e.cache.services[c.service]; known && s.mark(c.task, f) {
			e.hints.add(s.owner)
		}
		e.mu.Unlock()
	}
}

// fateIn is what a container tells of its end.
func fateIn(c container.InspectResponse) fate {
	switch {
	case c.ContainerJSONBase == nil || c.State == nil:
		return fateUnknown
	case c.State.OOMKilled:
		return fateOOMKilled
	case c.State.Health != nil && c.State.Health.Status == container.Unhealthy:
		return fateUnhealthy
	default:
		return fateUnknown
	}
}
