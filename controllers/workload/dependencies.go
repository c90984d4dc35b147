package workload

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
)

// maxDependencyWalk bounds the search for a cycle.
const maxDependencyWalk = 256

// unready lists the containers of spec.dependsOn that are not ready, sorted as declared. A container that leads back to
// this one is a Stall: admission refuses a cycle, but two writes at once can still make one.
func (c *Controller) unready(ctx context.Context, tc *v1alpha1.TenantContainer) ([]string, error) {
	var names []string

	for _, d := range tc.Spec.DependsOn {
		dep, err := c.container(ctx, tc.Namespace, string(d.Name))
		if err != nil {
			return nil, err
		}

		if dep == nil || !conditions.IsTrue(dep, conditions.Ready) {
			names = append(names, string(d.Name))
		}
	}

	if len(names) == 0 {
		return nil, nil
	}

	path, err := c.cycle(ctx, tc)
	if err != nil {
		return nil, err
	}

	if path != nil {
		return nil, &outcome.Stall{
			Reason:  v1alpha1.ReasonDependencyCycle,
			Message: "spec.dependsOn leads back to this container: " + strings.Join(path, " → "),
		}
	}

	return names, nil
}

// cycle walks the dependencies and returns the way back to where it started, nil when there is none.
func (c *Controller) cycle(ctx context.Context, start *v1alpha1.TenantContainer) ([]string, error) {
	seen := map[string]bool{}

	var walk func(tc *v1alpha1.TenantContainer, path []string) ([]string, error)

	walk = func(tc *v1alpha1.TenantContainer, path []string) ([]string, error) {
		for _, d := range tc.Spec.DependsOn {
			name := string(d.Name)
			if name == start.Name {
				return append(path, name), nil
			}
			if seen[name] || len(seen) >= maxDependencyWalk {
				continue
			}

			seen[name] = true

			next, err := c.container(ctx, start.Namespace, name)
			if err != nil {
				return nil, err
			}
			if next == nil {
				continue
			}

			if found, err := walk(next, append(path, name)); found != nil || err != nil {
				return found, err
			}
		}

		return nil, nil
	}

	return walk(start, []string{start.Name})
}

// container reads a container of the namespace, nil when there is none.
func (c *Controller) container(ctx context.Context, namespace, name string) (*v1alpha1.TenantContainer, error) {
	var tc v1alpha1.TenantContainer

	err := c.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &tc)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read container %q: %w", name, err)
	}

	return &tc, nil
}
