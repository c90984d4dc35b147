package rig

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
)

// Container declares a container of the app as the benchmarks use it. Its image is on the engine, so that no registry is
// asked.
func Container(namespace, name string, replicas int32) *v1alpha1.TenantContainer {
	return &v1alpha1.TenantContainer{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.TenantContainerSpec{
			Image:           v1alpha1.Image(lab.Image("v1")),
			ImagePullPolicy: v1alpha1.PullNever,
			Args:            []v1alpha1.Text{"-idle"},
			Replicas:        &replicas,
		},
	}
}

// Watch is what a client of the API hears about TenantContainers, with the time at which it heard.
type Watch struct {
	// Stop ends the watch.
	Stop context.CancelFunc

	mu      sync.Mutex
	ready   map[client.ObjectKey]time.Time
	changed chan struct{}
}

// WatchReady begins to note when TenantContainers become Ready. The caller must call Stop.
func (s *Server) WatchReady(ctx context.Context) (*Watch, error) {
	ctx, stop := context.WithCancel(ctx)
	open := func() (watch.Interface, error) { return s.Client.Watch(ctx, &v1alpha1.TenantContainerList{}) }
	stream, err := open()
	if err != nil {
		stop()
		return nil, fmt.Errorf("watch TenantContainers: %w", err)
	}

	w := &Watch{Stop: stop, ready: map[client.ObjectKey]time.Time{}, changed: make(chan struct{}, 1)}
	go w.run(ctx, stream, open)

	return w, nil
}

// run takes in events until the context ends. An API server ends watches that cannot keep up; another one begins with
// everything that there is.
func (w *Watch) run(ctx context.Context, stream watch.Interface, open func() (watch.Interface, error)) {
	for {
		if stream != nil {
			w.takeIn(stream)
		}

		select {
		case <-ctx.Done():
			return
		case <-time.After(100 * time.Millisecond):
			stream, _ = open()
		}
	}
}

func (w *Watch) takeIn(stream watch.Interface) {
	defer stream.Stop()

	for e := range stream.ResultChan() {
		now := time.Now()
		tc, ok := e.Object.(*v1alpha1.TenantContainer)
		if !ok {
			continue
		}
		key := client.ObjectKeyFromObject(tc)

		w.mu.Lock()
		_, known := w.ready[key]
		switch isReady := meta.IsStatusConditionTrue(tc.Status.Conditions, v1alpha1.ConditionReady) &&
			tc.Status.ObservedGeneration == tc.Generation; {
		case e.Type == watch.Deleted || !isReady:
			delete(w.ready, key)
		case !known:
			w.ready[key] = now
		}
		w.mu.Unlock()

		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
}

// Await waits until n containers are Ready and returns when the last of them was heard to be so.
func (w *Watch) Await(ctx context.Context, n int) (last time.Time, err error) {
	for {
		w.mu.Lock()
		have := len(w.ready)
		for _, at := range w.ready {
			if at.After(last) {
				last = at
			}
		}
		w.mu.Unlock()
		if have >= n {
			return last, nil
		}

		select {
		case <-w.changed:
		case <-ctx.Done():
			return last, fmt.Errorf("wait until %d containers are Ready: %d are: %w", n, have, ctx.Err())
		}
	}
}

// AwaitOne waits until one container is Ready and returns when that was heard.
func (w *Watch) AwaitOne(ctx context.Context, key client.ObjectKey) (time.Time, error) {
	for {
		w.mu.Lock()
		at, ready := w.ready[key]
		w.mu.Unlock()
		if ready {
			return at, nil
		}

		select {
		case <-w.changed:
		case <-ctx.Done():
			return at, fmt.Errorf("wait until container %s is Ready: %w", key, ctx.Err())
		}
	}
}

// Apply creates containers over the API, as many at a time as callers.
func (s *Server) Apply(ctx context.Context, callers int, containers []*v1alpha1.TenantContainer) error {
	return each(ctx, callers, containers, func(ctx context.Context, tc *v1alpha1.TenantContainer) error {
		return s.Client.Create(ctx, tc)
	})
}

// CreateNamespaces creates namespaces, each with a container that runs nothing, and waits until these are Ready: then the
// networks exist, and whatever happens only once has happened.
func (s *Server) CreateNamespaces(ctx context.Context, names []string) error {
	w, err := s.WatchReady(ctx)
	if err != nil {
		return err
	}
	defer w.Stop()

	for _, name := range names {
		if err := s.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return err
		}
		if err := s.Client.Create(ctx, Container(name, "first", 0)); err != nil {
			return err
		}
	}
	_, err = w.Await(ctx, len(names))

	return err
}

// Clear deletes the containers of the namespaces but the first one of each, and waits until none is left.
func (s *Server) Clear(ctx context.Context, namespaces []string) error {
	var list v1alpha1.TenantContainerList
	if err := s.Client.List(ctx, &list); err != nil {
		return err
	}

	var gone []*v1alpha1.TenantContainer
	for i := range list.Items {
		if list.Items[i].Name != "first" {
			gone = append(gone, &list.Items[i])
		}
	}
	err := each(ctx, Callers, gone, func(ctx context.Context, tc *v1alpha1.TenantContainer) error {
		return client.IgnoreNotFound(s.Client.Delete(ctx, tc))
	})
	if err != nil {
		return fmt.Errorf("delete containers: %w", err)
	}

	return poll(ctx, 500*time.Millisecond, "wait until containers are deleted", func() (bool, error) {
		var left metav1.PartialObjectMetadataList
		left.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("TenantContainerList"))
		err := s.Client.List(ctx, &left)

		return len(left.Items) == len(namespaces), err
	})
}
