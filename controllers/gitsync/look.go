package gitsync

import (
	"context"
	"errors"
	"time"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	lifecycle "github.com/dogker/dogker/reconciler/gitsync"
	"github.com/dogker/dogker/reconciler/source"
)

// defaultInterval is for GitSyncs that were stored without one.
const defaultInterval = 5 * time.Minute

// look takes what a build came to, and asks for the next one when it is time. It may begin a visit, or end one.
func (p *pass) look(ctx context.Context) error {
	if a, ended := p.jobs.Take(p.key); ended && p.asked.generation == p.sync.Generation {
		p.answered(a)
	}

	if !p.due() || p.jobs.Running(p.key) && p.asked.generation == p.sync.Generation {
		return nil
	}

	if p.asked.generation != p.sync.Generation {
		p.drop()
	}

	return p.ask(ctx)
}

// due is whether the repository is to be looked at: it is time, somebody asks for it, or the spec is another one. What is
// asked for while a build is under way is asked for after it: the build may have been too early to see it.
func (p *pass) due() bool {
	return p.asked.generation != p.sync.Generation || lifecycle.Due(p.now, p.next, p.requested(), p.asked.requested)
}

func (p *pass) requested() string { return p.sync.Annotations[gitopsv1.AnnotationRequestedAt] }

func (p *pass) schedule() lifecycle.Schedule {
	s := lifecycle.Schedule{Interval: p.sync.Spec.Interval.Duration}
	if s.Interval <= 0 {
		s.Interval = defaultInterval
	}

	if r := p.sync.Spec.RetryInterval; r != nil {
		s.RetryInterval = r.Duration
	}

	return s
}

// ask starts a build.
func (p *pass) ask(ctx context.Context) error {
	// What is being applied has had its dependencies.
	if p.visit == nil {
		if err := p.depends(ctx); err != nil {
			return err
		}
	}

	q := question{generation: p.sync.Generation, requested: p.requested(), began: p.now}
	r, t, err := p.resolve(ctx)

	var unusable *missing

	switch {
	case errors.As(err, &unusable):
		q.terms = p.asked.terms
		p.asked = q
		p.fail(failure{reason: gitopsv1.ReasonSecretNotFound, message: unusable.text, transient: true})

		return nil
	case err != nil:
		return err
	}

	q.terms, q.digest = t, digestOf(r)
	p.asked = q
	p.next = p.now.Add(p.schedule().Next(p.opts.Roll()))

	switch b := p.cache.get(p.key, q.digest); {
	case p.flaw != nil && p.flaw.digest == q.digest:
		r.Known = p.flaw.revision
	case b != nil:
		r.Known = b.Revision
	}

	p.jobs.build(p.key, r)

	return nil
}

// answered makes a visit of a build, or a failure.
func (p *pass) answered(a answer) {
	if a.err != nil {
		p.unbuilt(asError(a.err))

		return
	}

	b := &built{Built: a.built, digest: p.asked.digest}

	if a.built.Unchanged {
		if p.flaw != nil && p.flaw.digest == b.digest && p.flaw.revision == b.Revision {
			p.still()

			return
		}

		if b = p.cache.get(p.key, p.asked.digest); b == nil {
			// It went to make room for others meanwhile.
			p.next = p.now

			return
		}
	} else {
		p.cache.put(p.key, b)
	}

	p.flaw = nil

	if v := p.visit; v != nil && v.built.Revision == b.Revision && v.asked.digest == b.digest {
		v.asked = p.asked

		return
	}

	p.arrive(b)
}

// unbuilt reports why there is no build. What is applied stays as it is.
func (p *pass) unbuilt(e *source.Error) {
	p.visit = nil
	p.flaw = nil

	if e.Revision != "" && !e.Transient {
		p.flaw = &flaw{p.asked.digest, e.Revision}
	}

	p.fail(failure{reason: string(e.Reason), message: e.Error(), transient: e.Transient, revision: e.Revision, cause: e.Cause})
}

// still is for a revision that could not be built before: nothing has to be found out anew.
func (p *pass) still() {
	if p.ended != nil {
		p.ended.generation = p.sync.Generation
		p.ended.handle(p.asked)
	}
}
