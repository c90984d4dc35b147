package gitsync

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/reconciler/job"
	"github.com/dogker/dogker/reconciler/source"
)

// jobs are the builds that are under way, at most one for each sync. How many work at the same time is decided by the builder,
// which is fair among tenants.
type jobs struct {
	*job.Book[answer]

	builder source.Builder
	metrics *metrics
}

// answer is what a build came to.
type answer struct {
	built source.Built
	err   error
}

func newJobs(builder source.Builder, m *metrics, wakes chan<- job.Wake) *jobs {
	return &jobs{Book: job.NewBook[answer](wakes), builder: builder, metrics: m}
}

// build begins a build, in the place of one that may be under way.
func (j *jobs) build(key types.NamespacedName, r source.Request) {
	j.Start(key, func(ctx context.Context) answer {
		began := time.Now()
		b, err := j.builder.Build(ctx, r)
		if ctx.Err() == nil {
			j.metrics.build(b, err, time.Since(began))
		}

		return answer{b, err}
	})
}

// asError makes an error of a builder one that can be shown. They are all such, so the rest is for a builder that is none.
func asError(err error) *source.Error {
	var known *source.Error
	if errors.As(err, &known) {
		return known
	}

	return &source.Error{
		Reason: source.ReasonWorkerFailed, Transient: true, Message: "the build failed for a cause that is not the repository's", Cause: err,
	}
}
