package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

// Sync declares a GitSync that looks at the repository when it is asked to, and hardly ever otherwise.
func Sync(namespace, name, url string) *gitopsv1.GitSync {
	return &gitopsv1.GitSync{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: gitopsv1.GitSyncSpec{
			URL: url, Prune: true,
			Interval: metav1.Duration{Duration: 24 * time.Hour}, Timeout: metav1.Duration{Duration: 3 * time.Minute},
		},
	}
}

// Synced tells whether a GitSync has applied a revision as its spec says now.
func Synced(s *gitopsv1.GitSync) bool {
	return conditions.IsTrue(s, conditions.Ready) && s.Status.ObservedGeneration == s.Generation
}

// Handled is Synced, at the latest request that has this value.
func Handled(request string) func(*gitopsv1.GitSync) bool {
	return func(s *gitopsv1.GitSync) bool { return Synced(s) && s.Status.LastHandledReconcileAt == request }
}

// Applied is Handled, and what is applied is that commit.
func Applied(request, commit string) func(*gitopsv1.GitSync) bool {
	return func(s *gitopsv1.GitSync) bool {
		return Handled(request)(s) && strings.HasSuffix(s.Status.LastAppliedRevision, ":"+commit)
	}
}

// CreateSyncs creates GitSyncs, Callers at a time.
func (s *Server) CreateSyncs(ctx context.Context, syncs []*gitopsv1.GitSync) error {
	return each(ctx, Callers, syncs, func(ctx context.Context, one *gitopsv1.GitSync) error { return s.Client.Create(ctx, one) })
}

// Request asks GitSyncs for a visit now, Callers at a time. That is what a webhook does.
func (s *Server) Request(ctx context.Context, request string, syncs ...*gitopsv1.GitSync) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{gitopsv1.AnnotationRequestedAt: request}}})
	if err != nil {
		return err
	}

	return each(ctx, Callers, syncs, func(ctx context.Context, one *gitopsv1.GitSync) error {
		known := &gitopsv1.GitSync{ObjectMeta: metav1.ObjectMeta{Namespace: one.Namespace, Name: one.Name}}

		return s.Client.Patch(ctx, known, client.RawPatch(types.MergePatchType, patch))
	})
}

// Syncs is what a client of the API hears about GitSyncs.
type Syncs struct {
	// Stop ends the watch.
	Stop context.CancelFunc

	mu      sync.Mutex
	heard   map[client.ObjectKey]*gitopsv1.GitSync
	changed chan struct{}
}

// WatchSyncs begins to listen. The caller must call Stop.
func (s *Server) WatchSyncs(ctx context.Context) (*Syncs, error) {
	ctx, stop := context.WithCancel(ctx)
	stream, err := s.Client.Watch(ctx, &gitopsv1.GitSyncList{})
	if err != nil {
		stop()

		return nil, fmt.Errorf("watch GitSyncs: %w", err)
	}

	w := &Syncs{Stop: stop, heard: map[client.ObjectKey]*gitopsv1.GitSync{}, changed: make(chan struct{}, 1)}
	go func() {
		for {
			if stream != nil {
				w.takeIn(stream)
			}

			select {
			case <-ctx.Done():
				return
			case <-time.After(100 * time.Millisecond):
				stream, _ = s.Client.Watch(ctx, &gitopsv1.GitSyncList{})
			}
		}
	}()

	return w, nil
}

func (w *Syncs) takeIn(stream watch.Interface) {
	defer stream.Stop()

	for e := range stream.ResultChan() {
		one, ok := e.Object.(*gitopsv1.GitSync)
		if !ok {
			continue
		}

		w.mu.Lock()
		w.heard[client.ObjectKeyFromObject(one)] = one
		w.mu.Unlock()

		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
}

// Await waits until n GitSyncs are as they should be, and returns when that was heard.
func (w *Syncs) Await(ctx context.Context, n int, is func(*gitopsv1.GitSync) bool) (time.Time, error) {
	for {
		if w.count(is) >= n {
			return time.Now(), nil
		}

		select {
		case <-w.changed:
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("wait for %d GitSyncs: %d are as they should be: %w; %s", n, w.count(is), ctx.Err(), w.complaint(is))
		}
	}
}

func (w *Syncs) count(is func(*gitopsv1.GitSync) bool) int {
	w.mu.Lock()
	defer w.mu.Unlock()

	n := 0
	for one := range maps.Values(w.heard) {
		if is(one) {
			n++
		}
	}

	return n
}

// complaint is what one says that is not as it should be.
func (w *Syncs) complaint(is func(*gitopsv1.GitSync) bool) string {
	w.mu.Lock()
	defer w.mu.Unlock()

	for key, one := range w.heard {
		if ready := meta.FindStatusCondition(one.Status.Conditions, conditions.Ready); ready != nil && !is(one) {
			return fmt.Sprintf("%s says %s: %s", key, ready.Reason, ready.Message)
		}
	}

	return "none says why"
}
