package imagepolicy

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/reconciler/job"
)

// jobs are the looks that are under way, at most one for each policy. A tenant has some seats; who finds none waits without
// holding up a pass, so that a tenant whose registries are slow waits for himself alone.
type jobs struct {
	*job.Book[*ending]

	perTenant int64
	inAll     *semaphore.Weighted

	mu      sync.Mutex
	tenants map[string]*seats
}

// seats are those of a tenant, and how many of its jobs have one or wait for one.
type seats struct {
	*semaphore.Weighted
	jobs int
}

func newJobs(perTenant, inAll int, wakes chan<- job.Wake) *jobs {
	return &jobs{
		Book: job.NewBook[*ending](wakes), perTenant: int64(perTenant), inAll: semaphore.NewWeighted(int64(inAll)), tenants: map[string]*seats{},
	}
}

// look begins a look, in the place of one that may be under way.
func (j *jobs) look(key types.NamespacedName, look func(context.Context) *ending) {
	j.Start(key, func(ctx context.Context) *ending { return j.seated(ctx, key.Namespace, look) })
}

// seated looks once there is a seat. Where there is none before the context ends, nobody wants to know any more.
func (j *jobs) seated(ctx context.Context, tenant string, look func(context.Context) *ending) *ending {
	mine := j.enter(tenant)
	defer j.leave(tenant)

	if mine.Acquire(ctx, 1) != nil {
		return nil
	}
	defer mine.Release(1)

	if j.inAll.Acquire(ctx, 1) != nil {
		return nil
	}
	defer j.inAll.Release(1)

	return look(ctx)
}

// enter returns the seats of a tenant, for as long as it has jobs.
func (j *jobs) enter(tenant string) *seats {
	j.mu.Lock()
	defer j.mu.Unlock()

	s := j.tenants[tenant]
	if s == nil {
		s = &seats{Weighted: semaphore.NewWeighted(j.perTenant)}
		j.tenants[tenant] = s
	}

	s.jobs++

	return s
}

func (j *jobs) leave(tenant string) {
	j.mu.Lock()
	defer j.mu.Unlock()

	if s := j.tenants[tenant]; s.jobs == 1 {
		delete(j.tenants, tenant)
	} else {
		s.jobs--
	}
}
