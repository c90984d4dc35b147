package apply

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/reconciler/delivery"
)

// Apply carries out what Plan found, what others need first. It returns what was done, also with an error: what was not done
// is found again by the next Plan.
func (p *Plan) Apply(ctx context.Context) (delivery.Changes, error) {
	var done delivery.Changes

	for _, stage := range stages(p.steps) {
		changes, err := p.visit.applyStage(ctx, stage)
		done = append(done, changes...)

		if err != nil {
			return done, err
		}
	}

	return done, nil
}

// rank is when a kind is applied: the lower the earlier. What a kind refers to is in a lower one.
func rank(it *item) int {
	switch it.id.Kind {
	case "Namespace", "CustomResourceDefinition":
		return 0
	case "Plan", "PriceList", "ClusterRole", "VolumeClass", "VolumeSnapshotClass":
		return 1
	case "Tenant", "ServiceAccount", "Role", "ClusterRoleBinding":
		return 2
	case "Secret", "ConfigMap", "RoleBinding", "ResourceQuota", "Volume":
		return 3
	default:
		return 4
	}
}

// stages are the steps in the order in which they are carried out: by rank, and in each what gives room back before what takes
// it. Steps of one stage need nothing of each other.
func stages(steps []*step) [][]*step {
	byTurn := map[[2]int][]*step{}

	for _, s := range steps {
		turn := [2]int{rank(s.item), 1}
		if frees(s) {
			turn[1] = 0
		}

		byTurn[turn] = append(byTurn[turn], s)
	}

	var out [][]*step

	for r := range 5 {
		for _, second := range []int{0, 1} {
			if stage := byTurn[[2]int{r, second}]; len(stage) > 0 {
				out = append(out, stage)
			}
		}
	}

	return out
}

func (v *visit) applyStage(ctx context.Context, stage []*step) (delivery.Changes, error) {
	done := make(delivery.Changes, len(stage))
	wrong := newCollector(len(stage))

	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(v.opts.Concurrency)

	for i, s := range stage {
		if !s.action.Writes() {
			done[i] = s.change()

			continue
		}

		g.Go(func() error {
			after, err := v.carryOut(ctx, s)
			if err != nil {
				return wrong.add(i, err)
			}

			done[i] = after.change()

			return nil
		})
	}

	err := g.Wait()
	done = slices.DeleteFunc(done, func(c delivery.Change) bool { return c.Action == "" })

	if err != nil {
		return done, err
	}

	return done, wrong.errors().Err()
}

// patience is how often a write is tried that comes too early, and pause how long it waits in between: what a write has given
// back to a quota is free a second or two later, and so is the namespace of a new tenant there.
const (
	patience = 8
	pause    = 500 * time.Millisecond
)

// carryOut does what a step says, and returns the step that was done in the end: when the object has changed in between, it
// is looked at again.
func (v *visit) carryOut(ctx context.Context, s *step) (*step, error) {
	for early := 0; early < looks+patience; early++ {
		err := error(s.early)
		if s.early == nil {
			err = v.write(ctx, s)
		}

		switch {
		case err == nil:
			return s, nil
		case apierrors.IsConflict(err):
		case v.tooEarly(s, err):
			if err := sleep(ctx, pause); err != nil {
				return nil, err
			}
		default:
			return nil, s.refused(err)
		}

		again, err := v.examine(ctx, s.item)
		if err != nil {
			return nil, err
		}

		if s = again; !s.action.Writes() {
			return s, nil
		}
	}

	if s.early != nil {
		return nil, s.early
	}

	e := s.failure(delivery.ReasonConflict, "somebody else changes it all the time")
	e.Transient = true

	return nil, e
}

// tooEarly is whether what stands against a write goes away by itself.
func (v *visit) tooEarly(s *step, err error) bool {
	return s.early != nil || exceeds(err) || apierrors.IsNotFound(err) && v.willDeclare(s.item)
}

// exceeds is whether a quota has no room.
func exceeds(err error) bool {
	return apierrors.IsForbidden(err) && quotaText.MatchString(err.Error())
}

// write is one step, and learns what came of it.
func (v *visit) write(ctx context.Context, s *step) error {
	live := s.live

	switch {
	case s.action == delivery.Recreated:
		if err := v.makeRoomFor(ctx, s); err != nil {
			return err
		}

		live = nil
	case s.stray != nil && !s.stray.Empty():
		version, err := v.takeover(ctx, s.item, live, s.stray)
		if err != nil {
			return err
		}

		live = live.DeepCopy()
		live.SetResourceVersion(version)
	}

	after, err := v.apply(ctx, s.item, live, false)
	if err != nil {
		return err
	}

	v.learn(s.item, after)

	return nil
}

// makeRoomFor deletes what is to be made anew, if it is still what was looked at, and waits until it is gone.
func (v *visit) makeRoomFor(ctx context.Context, s *step) error {
	err := v.of(s.item).Delete(ctx, s.id.Name, metav1.DeleteOptions{
		Preconditions:     &metav1.Preconditions{UID: new(s.live.GetUID()), ResourceVersion: new(s.live.GetResourceVersion())},
		PropagationPolicy: new(metav1.DeletePropagationBackground),
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}

	for {
		live, err := v.get(ctx, s.item)
		if err != nil {
			return err
		}

		if live == nil || live.GetUID() != s.live.GetUID() {
			return nil
		}

		if err := sleep(ctx, min(v.opts.Poll, pause)); err != nil {
			return fmt.Errorf("wait until %s is gone: %w", s.id.Subject(), err)
		}
	}
}
