package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// readyCondition sums up how a container stands.
const readyCondition = "Ready"

// errFailed means that waiting does not help.
var errFailed = errors.New("it is stalled")

// awaitReady blocks until the container is Ready as it is declared now: a condition about an older generation is about what
// was declared before. It watches, so that nothing is asked over and over, and outlives lost connections.
func awaitReady(ctx context.Context, c client.WithWatch, tc *v1alpha1.TenantContainer, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	_, err := watchtools.UntilWithSync(ctx, one(c, tc), &v1alpha1.TenantContainer{}, nil, func(e watch.Event) (bool, error) {
		seen, ok := e.Object.(*v1alpha1.TenantContainer)
		if !ok || seen.UID != tc.UID || e.Type == watch.Deleted {
			return false, nil
		}
		seen.DeepCopyInto(tc)

		return isReady(tc)
	})
	if err != nil {
		return fmt.Errorf("wait until %q is Ready: %w: it says %s", tc.Name, err, saying(tc))
	}
	fmt.Printf("%s/%s is Ready: %s\n", tc.Namespace, tc.Name, saying(tc))

	return nil
}

// isReady reads the conditions. They follow kstatus: Stalled is there only while nothing happens by itself any more.
func isReady(tc *v1alpha1.TenantContainer) (bool, error) {
	ready := meta.FindStatusCondition(tc.Status.Conditions, readyCondition)
	if ready == nil || ready.ObservedGeneration != tc.Generation {
		return false, nil
	}
	if meta.IsStatusConditionTrue(tc.Status.Conditions, "Stalled") {
		return false, errFailed
	}

	return ready.Status == metav1.ConditionTrue, nil
}

// saying is what the container says about itself, for people.
func saying(tc *v1alpha1.TenantContainer) string {
	ready := meta.FindStatusCondition(tc.Status.Conditions, readyCondition)
	if ready == nil {
		return "nothing yet"
	}

	return fmt.Sprintf("%s: %s", ready.Reason, ready.Message)
}

// one lists and watches a single object.
func one(c client.WithWatch, tc *v1alpha1.TenantContainer) cache.ListerWatcher {
	only := []client.ListOption{
		client.InNamespace(tc.Namespace), client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("metadata.name", tc.Name)},
	}

	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list := &v1alpha1.TenantContainerList{}

			return list, c.List(ctx, list, append(only, &client.ListOptions{Raw: &o})...)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return c.Watch(ctx, &v1alpha1.TenantContainerList{}, append(only, &client.ListOptions{Raw: &o})...)
		},
	}
}

// scale changes the number of tasks and nothing else, as kubectl scale does. The rights for that can be had alone.
func scale(ctx context.Context, c client.Client, tc *v1alpha1.TenantContainer, replicas int32) error {
	want := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: replicas}}
	if err := c.SubResource("scale").Update(ctx, tc, client.WithSubResourceBody(want)); err != nil {
		return fmt.Errorf("scale %q to %d: %w", tc.Name, replicas, err)
	}

	// Ready has to be about this generation.
	return c.Get(ctx, client.ObjectKeyFromObject(tc), tc)
}

// tell prints the events about the container until ctx ends. Events are for people: a program goes by conditions.
func tell(ctx context.Context, c client.WithWatch, namespace, name string) {
	w, err := c.Watch(ctx, &corev1.EventList{}, client.InNamespace(namespace), client.MatchingFields{
		"involvedObject.kind": "TenantContainer", "involvedObject.name": name,
	})
	if err != nil {
		fmt.Printf("events cannot be watched: %v\n", err)
		return
	}
	defer w.Stop()

	for e := range w.ResultChan() {
		if event, ok := e.Object.(*corev1.Event); ok && e.Type == watch.Added {
			fmt.Printf("  %s %s: %s\n", event.Type, event.Reason, event.Message)
		}
	}
}

// remove deletes the container and waits until the last of its tasks is gone. It does so after an interrupt, too.
func remove(c client.Client, tc *v1alpha1.TenantContainer, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()

	for {
		err := c.Delete(ctx, tc, client.Preconditions{UID: &tc.UID})
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete %q: %w", tc.Name, err)
		}
		if err != nil {
			fmt.Printf("%s/%s deleted\n", tc.Namespace, tc.Name)
			return nil
		}

		select {
		case <-ctx.Done():
			return fmt.Errorf("delete %q: it is still there after %s", tc.Name, timeout)
		case <-time.After(time.Second):
		}
	}
}
