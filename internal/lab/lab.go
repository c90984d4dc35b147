package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// upTimeout bounds how long engines may take to start and to join. Starting takes a second or two on an idle machine.
const upTimeout = 2 * time.Minute

// Options say what kind of lab is wanted. The zero value is a swarm of one node with the images v1 and v2.
type Options struct {
	// Nodes is the number of engines, 1 to 9; 0 means 1.
	Nodes int
	// Managers is how many of them are managers; 0 means all.
	Managers int
	// NoSwarm leaves the engines out of any swarm.
	NoSwarm bool
	// Versions are the tags of the image Image that every engine holds; nil means v1 and v2.
	Versions []string
	// EngineArgs are further arguments of dockerd.
	EngineArgs []string
	// OwnerPID is the process that the lab belongs to: 0 means the present one, NoOwner that only Destroy ends it.
	OwnerPID int
}

// Lab is a set of running engines.
type Lab struct {
	// ID is the name of the lab, and the start of the name of all its parts.
	ID string
	// Nodes of the lab; the first one made the swarm.
	Nodes []*Node

	dir  string
	once sync.Once
	err  error
}

// Start gives the test a lab and takes it away when the test ends. When the test has failed, the engines' logs are kept
// and the test's output says where.
func Start(t testing.TB, o Options) *Lab {
	t.Helper()

	ctx, cancel := context.WithTimeout(context.Background(), upTimeout)
	defer cancel()

	l, err := Up(ctx, o)
	if err != nil {
		t.Fatalf("start lab: %v", err)
	}

	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("engine logs are kept in %s", l.KeepLogs(t.Name()))
		}
		if err := l.Down(); err != nil {
			t.Errorf("take lab down: %v", err)
		}
	})

	return l
}

// Up starts a lab outside of a test, for TestMain and for commands. The caller must call Down.
func Up(ctx context.Context, o Options) (*Lab, error) {
	o = o.withDefaults()
	if err := requirements(); err != nil {
		return nil, err
	}

	collectDead()
	if err := startReaper(o.OwnerPID); err != nil {
		return nil, fmt.Errorf("start reaper: %w", err)
	}

	l, err := newLab(o)
	if err != nil {
		return nil, err
	}

	if err := l.start(ctx, o); err != nil {
		logs := l.KeepLogs("start")
		return nil, errors.Join(fmt.Errorf("%w (engine logs are kept in %s)", err, logs), l.Down())
	}

	return l, nil
}

func (o Options) withDefaults() Options {
	if o.Nodes == 0 {
		o.Nodes = 1
	}
	if o.Managers == 0 {
		o.Managers = o.Nodes
	}
	if o.Versions == nil {
		o.Versions = []string{"v1", "v2"}
	}
	if o.OwnerPID == 0 {
		o.OwnerPID = os.Getpid()
	}

	return o
}

func newLab(o Options) (*Lab, error) {
	id, err := newID(o.OwnerPID)
	if err != nil {
		return nil, err
	}

	l := &Lab{ID: id, dir: dirOf(id)}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return nil, err
	}

	for i := range o.Nodes {
		l.Nodes = append(l.Nodes, newNode(l, i+1, o.EngineArgs))
	}

	return l, nil
}

func (l *Lab) start(ctx context.Context, o Options) error {
	if err := l.wire(ctx); err != nil {
		return err
	}

	if err := l.each(func(n *Node) error {
		if err := n.Start(ctx); err != nil {
			return err
		}
		return n.loadImages(ctx, o.Versions)
	}); err != nil {
		return err
	}

	if o.NoSwarm {
		return nil
	}

	return l.formSwarm(ctx, o.Managers)
}

// each runs f for all nodes at the same time.
func (l *Lab) each(f func(*Node) error) error {
	errs := make([]error, len(l.Nodes))

	var wg sync.WaitGroup
	for i, n := range l.Nodes {
		wg.Go(func() {
			if err := f(n); err != nil {
				errs[i] = fmt.Errorf("node %q: %w", n.Name, err)
			}
		})
	}
	wg.Wait()

	return errors.Join(errs...)
}

// Down removes the lab and everything in it, at once and without asking the engines. It may be called more than once.
func (l *Lab) Down() error {
	l.once.Do(func() {
		for _, n := range l.Nodes {
			n.Docker.Close()
		}
		l.err = Destroy(l.ID)
	})

	return l.err
}

// Adopt makes a process that the test has started part of the lab, so that it ends with the lab even when the test is
// killed.
func (l *Lab) Adopt(p *os.Process) error {
	procs, err := makeCgroup(l.ID + "/adopted")
	if err != nil {
		return err
	}

	return os.WriteFile(procs, []byte(strconv.Itoa(p.Pid)), 0o600)
}

// KeepLogs copies the engines' logs out of the way of Down and returns the directory that they are in now.
func (l *Lab) KeepLogs(name string) string {
	dir := filepath.Join(logsDir(), filepath.Base(name)+"-"+l.ID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err.Error()
	}

	for _, n := range l.Nodes {
		log, err := os.ReadFile(n.LogFile())
		if err != nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, n.Name+".log"), log, 0o600); err != nil {
			return err.Error()
		}
	}

	return dir
}
