package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"

	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/source"
)

// Options of a pool. The zero value is that of a server.
type Options struct {
	// Workers is how many builds run at once; 0 is as many as there are processors, and at least two.
	Workers int
	// PerTenant is how many of them one tenant may have; 0 is half of them. There is always one left for others.
	PerTenant int
	// Waiting is how many builds of one tenant may wait; 0 is 100. What comes then is told to come again.
	Waiting int
	// MemoryBytes is how much memory a build may have beyond what the binary itself takes; 0 is 512 MiB.
	MemoryBytes int64
	// Dir is where workers have their directories; empty is the system's for such things. Every user must be able to pass it.
	Dir string
	// Owner names the server, of which there is one at a time: letters, digits and hyphens. Directories of its workers that are
	// there before it has made any are left of it when it was killed, and removed. Empty for a pool that leaves that to others.
	Owner string
	// FirstUID is the user and group ID of the first worker, where the server is root: each has one of its own. 0 is one that no
	// distribution gives to anybody.
	FirstUID uint32
	// Command is what is run; empty is this binary as a worker.
	Command []string
	// Log gets what is of use to operators: that a worker died, and why. It never gets anything of a request.
	Log *slog.Logger
}

const (
	defaultWaiting = 100
	defaultMemory  = 512 << 20
	// defaultUID is above what accounts, containers and services get on distributions, and below what is no ID.
	defaultUID = 2_146_000_000
)

// Pool builds in processes of their own.
type Pool struct {
	options Options
	queue   *queue
	log     *slog.Logger
	// together is true once it is known that workers get no namespaces of their own.
	together atomic.Bool
}

var (
	_ source.Builder = (*Pool)(nil)
	_ source.Lister  = (*Pool)(nil)
	_ source.Editor  = (*Pool)(nil)
)

// NewPool makes a pool. It starts nothing before there is something to build.
func NewPool(o Options) *Pool {
	if o.Workers <= 0 {
		o.Workers = max(2, runtime.NumCPU())
	}

	if o.PerTenant <= 0 {
		o.PerTenant = o.Workers / 2
	}

	// One place is nobody's, so that a tenant whose builds never end is not the end of everybody's.
	o.PerTenant = max(1, min(o.PerTenant, o.Workers-1))

	if o.Waiting <= 0 {
		o.Waiting = defaultWaiting
	}

	if o.MemoryBytes <= 0 {
		o.MemoryBytes = defaultMemory
	}

	if o.FirstUID == 0 {
		o.FirstUID = defaultUID
	}

	if len(o.Command) == 0 {
		// Not the path of the binary: the user that workers run as may have no way to it, and it may be another one by now.
		o.Command = []string{"/proc/self/exe", Command}
	}

	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	p := &Pool{options: o, queue: newQueue(o.Workers, o.PerTenant, o.Waiting), log: o.Log}
	p.sweep()

	return p
}

// prefix begins the names of the directories of workers.
const prefix = "dogker-git-"

// sweep removes what a process of the same name has left behind that could not do it itself.
func (p *Pool) sweep() {
	if p.options.Owner == "" {
		return
	}

	left, err := filepath.Glob(filepath.Join(cmp.Or(p.options.Dir, os.TempDir()), prefix+p.options.Owner+"-*"))
	for _, dir := range left {
		err = errors.Join(err, os.RemoveAll(dir))
	}

	if err != nil {
		p.log.Warn("Directories of earlier Git workers could not be removed", logkey.Err, err)
	}
}

// Build builds in a process of its own, when it is the tenant's turn. See source.Builder.
func (p *Pool) Build(ctx context.Context, r source.Request) (source.Built, error) {
	r.Limits = r.Limits.OrDefault()

	var built source.Built

	err := p.do(ctx, job{tenant: r.Tenant, limits: r.Limits, task: task{Request: r}, read: func(d *json.Decoder) (err error) {
		built, err = answer(d, r.Limits)

		return err
	}})
	if err != nil {
		return source.Built{}, err
	}

	return built, nil
}

// Refs lists references in a process of its own, when it is the tenant's turn. See source.Lister.
func (p *Pool) Refs(ctx context.Context, r source.RefsRequest) (source.Refs, error) {
	r = r.OrDefault()

	var refs source.Refs

	err := p.do(ctx, job{tenant: r.Tenant, limits: r.Limits, task: task{Refs: &r}, read: func(d *json.Decoder) (err error) {
		refs, err = listed(d, r)

		return err
	}})
	if err != nil {
		return source.Refs{}, err
	}

	return refs, nil
}

// Edit commits an image and pushes, in a process of its own, when it is the tenant's turn. See source.Editor.
func (p *Pool) Edit(ctx context.Context, r source.EditRequest) (source.Edited, error) {
	r.Limits = r.Limits.OrDefault()

	var edited source.Edited

	err := p.do(ctx, job{tenant: r.Tenant, limits: r.Limits, task: task{Edit: &r}, read: func(d *json.Decoder) (err error) {
		edited, err = committed(d)

		return err
	}})
	if err != nil {
		return source.Edited{}, err
	}

	return edited, nil
}

// do has a job done in a process of its own, when it is the tenant's turn.
func (p *Pool) do(ctx context.Context, j job) error {
	slot, err := p.queue.acquire(ctx, j.tenant)
	if err != nil {
		return err
	}

	defer p.queue.release(j.tenant, slot)

	dir, err := p.directory(slot)
	if err != nil {
		p.log.ErrorContext(ctx, "A directory for a Git worker could not be made", logkey.Err, err)

		return workerFailed()
	}

	defer func() { _ = os.RemoveAll(dir) }()

	return p.run(ctx, j, slot, dir)
}

// directory makes the one that a worker starts in, and that is its own.
func (p *Pool) directory(slot int) (string, error) {
	name := prefix
	if p.options.Owner != "" {
		name += p.options.Owner + "-"
	}

	dir, err := os.MkdirTemp(p.options.Dir, name)
	if err != nil {
		return "", err
	}

	if id, apart := p.uid(slot); apart {
		if err := os.Chown(dir, int(id), int(id)); err != nil {
			_ = os.Remove(dir)

			return "", err
		}
	}

	return dir, nil
}

// uid is the user and group that the worker in a slot runs as, where the server may choose.
func (p *Pool) uid(slot int) (uint32, bool) {
	return p.options.FirstUID + uint32(slot), os.Geteuid() == 0
}

// workerFailed is what a tenant is told when it is no fault of his.
func workerFailed() *source.Error {
	return &source.Error{Reason: source.ReasonWorkerFailed, Transient: true, Message: "the build failed for a cause that is not the repository's"}
}

// busy is what a tenant is told who has too many builds waiting.
func busy(waiting int) *source.Error {
	return &source.Error{
		Reason: source.ReasonWorkerFailed, Transient: true, Message: fmt.Sprintf("more than %d builds of the tenant are waiting", waiting),
	}
}
