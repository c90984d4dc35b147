package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

const (
	// patchRate is how many patches arrive a second, whether or not the earlier ones have been answered.
	patchRate = 100
	// patched is over how many objects they are spread.
	patched = 1000
)

var patches = benchmark{
	name:  "patches",
	title: "API latency at 100 patches a second",
	about: "Patches arrive at a fixed rate (for 10 s in profile quick, 60 s in full) on 1,000 objects of 2 KB. Each one's time runs from the " +
		"moment at which it was due, so that a stall is felt by all that it delays. Raw etcd takes transactions of the same bytes at the same rate. " +
		"The first, uncounted round is the first work the server gets.",
	goals: []measure.Goal{{Figure: "patch, p99", AtMost: 1}},
	run: func(ctx context.Context, s *session) error {
		server, etcd, err := s.apiAndEtcd(ctx)
		if err != nil {
			return err
		}
		callers, err := newCallers(server)
		if err != nil {
			return err
		}
		stored, err := weigh(ctx, callers[0])
		if err != nil {
			return err
		}
		n := min(patched, s.objects)
		if err := prepare(ctx, callers, etcd, stored, n); err != nil {
			return err
		}

		return s.take(ctx, s.rounds,
			arm{rawEtcd, func(ctx context.Context, add adder) error {
				at, err := etcd.Revisions(ctx, rawPrefix)
				if err != nil {
					return err
				}
				var mu sync.Mutex
				return openLoop(ctx, s.openLoop, add, func(ctx context.Context, i int) error {
					return rawPatch(ctx, etcd, &mu, at, i, rawPrefix+revisionName(i%n), stored)
				})
			}},
			arm{measure.Ours, func(ctx context.Context, add adder) error {
				return openLoop(ctx, s.openLoop, add, func(ctx context.Context, i int) error {
					return patchRevision(ctx, callers[i%clients], i%n, i)
				})
			}},
		)
	},
}

// prepare makes the objects of both arms.
func prepare(ctx context.Context, callers []rest.Interface, etcd *rig.Etcd, stored []byte, n int) error {
	for i := range n {
		body, err := revision(i)
		if err != nil {
			return err
		}
		if err := callers[0].Post().AbsPath(revisions).SetHeader("Content-Type", "application/json").Body(body).Do(ctx).Error(); err != nil {
			return fmt.Errorf("create object %d: %w", i, err)
		}
		if err := etcd.Create(ctx, i, rawPrefix+revisionName(i), stored); err != nil {
			return err
		}
	}

	return nil
}

// rawPatch replaces a key at the revision that it had when it was last seen, and notes the new one.
func rawPatch(ctx context.Context, etcd *rig.Etcd, mu *sync.Mutex, at map[string]int64, caller int, key string, value []byte) error {
	mu.Lock()
	revision := at[key]
	mu.Unlock()

	now, err := etcd.Update(ctx, caller, key, value, revision)
	if err != nil {
		return err
	}

	mu.Lock()
	at[key] = now
	mu.Unlock()

	return nil
}

// openLoop does something at the rate, and waits for nobody.
func openLoop(ctx context.Context, d time.Duration, add adder, do func(ctx context.Context, i int) error) error {
	n := int(d.Seconds() * patchRate)
	took, errs := make(measure.Values, n), make([]error, n)

	began := time.Now()
	var wg sync.WaitGroup
	for i := range n {
		due := began.Add(time.Duration(i) * time.Second / patchRate)
		if err := sleep(ctx, time.Until(due)); err != nil {
			return err
		}
		wg.Go(func() {
			errs[i] = do(ctx, i)
			took[i] = time.Since(due).Seconds()
		})
	}
	wg.Wait()

	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("patch %d: %w", i, err)
		}
	}
	add("patch, p50", measure.Seconds, took.Median())
	add("patch, p99", measure.Seconds, took.Percentile(99))
	add("patch, slowest", measure.Seconds, took.Percentile(100))

	return nil
}
