package rig

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
)

// Life is when the process of a container began and ended, by the engine's clock, which is that of this machine.
type Life struct {
	// Name of the service that the container is a task's of, or its own name.
	Name       string
	Began, End time.Time
	ExitCode   string
}

// Lives is what the engine tells of its containers, as it happens.
type Lives struct {
	mu    sync.Mutex
	lives map[string]*Life
	err   error
}

// Lives begins to note when processes of containers begin and end, until the context ends.
func (e *Engine) Lives(ctx context.Context) *Lives {
	l := &Lives{lives: map[string]*Life{}}

	messages, failed := e.Docker.Events(ctx, events.ListOptions{Filters: filters.NewArgs(
		filters.Arg("type", string(events.ContainerEventType)),
		filters.Arg("event", string(events.ActionStart)), filters.Arg("event", string(events.ActionDie)),
	)})
	go func() {
		for {
			select {
			case m := <-messages:
				l.note(m)
			case err := <-failed:
				l.mu.Lock()
				defer l.mu.Unlock()
				l.err = fmt.Errorf("events of containers: %w", err)

				return
			}
		}
	}()

	return l
}

func (l *Lives) note(m events.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()

	life, known := l.lives[m.Actor.ID]
	if !known {
		life = &Life{Name: m.Actor.Attributes["com.docker.swarm.service.name"]}
		if life.Name == "" {
			life.Name = m.Actor.Attributes["name"]
		}
		l.lives[m.Actor.ID] = life
	}

	if at := time.Unix(0, m.TimeNano); m.Action == events.ActionStart {
		life.Began = at
	} else {
		life.End, life.ExitCode = at, m.Actor.Attributes["exitCode"]
	}
}

// Await waits until the process has ended of the one container whose service, or which itself, has a name that begins so. It is an
// error when that has ended badly, or is not the only one.
func (l *Lives) Await(ctx context.Context, prefix string) (found Life, err error) {
	err = poll(ctx, 5*time.Millisecond, fmt.Sprintf("wait for the end of %s…", prefix), func() (bool, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.err != nil {
			return false, l.err
		}

		seen := 0
		for _, life := range l.lives {
			if strings.HasPrefix(life.Name, prefix) {
				found = *life
				seen++
			}
		}
		if seen > 1 || found.ExitCode != "" && found.ExitCode != "0" {
			return false, fmt.Errorf("%d containers, %+v among them", seen, found)
		}

		return seen == 1 && !found.Began.IsZero() && !found.End.IsZero(), nil
	})

	return found, err
}
