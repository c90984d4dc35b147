package gitsync

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/source"
)

// TestTells: events and commit statuses say each thing once.
func TestTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(s *gitopsv1.GitSync) {
			s.Spec.CommitStatus = &gitopsv1.CommitStatus{Provider: gitopsv1.StatusGitHub, SecretRef: gitopsv1.SecretReference{Name: "token"}}
		})
		defer w.close()
		w.drawer["Secret/token"] = map[string]string{"token": "0123456789abcdef\n"}
		w.repo.push("a=1")
		w.run(31 * time.Minute)
		w.repo.pushBad()
		w.run(31 * time.Minute)

		first, second := strings.Repeat("0", 39)+"1", strings.Repeat("0", 39)+"2"
		want := []string{first + " pending: Applying", first + " success: Applied", second + " failure: BuildFailed: app.yaml:3: is no YAML"}
		if diff := cmp.Diff(want, w.told); diff != "" {
			t.Errorf("what the Git server is told\n-want +got\n%s", diff)
		}
		events := []string{
			"Normal Applied: main@sha1:00000000: ConfigMap/a created",
			"Normal ReconciliationSucceeded: Applied revision: main@sha1:" + first,
			"Warning BuildFailed: app.yaml:3: is no YAML",
		}
		if diff := cmp.Diff(events, w.events); diff != "" {
			t.Errorf("events\n-want +got\n%s", diff)
		}

		// What was to be sent may be lost with the process: the next one says again how the commit stands, and nothing else.
		w.told, w.events = nil, nil
		w.start()
		w.run(time.Minute)
		if diff := cmp.Diff(want[2:], w.told); diff != "" || len(w.events) > 0 {
			t.Errorf("what the Git server is told by the next process\n-want +got\n%s\nevents: %q", diff, w.events)
		}
	})
}

// TestAsks: what a build was asked for is what the spec says now.
func TestAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.repo.push("a=1")
		w.repo.takes = 20 * time.Second
		w.run(5 * time.Second)
		// The build that is under way is of a spec that is none any more.
		w.edit(func(s *gitopsv1.GitSync) { s.Spec.Path = "deploy" })
		w.run(time.Second)
		if w.repo.asks != 2 || w.repo.last.Path != "deploy" {
			t.Errorf("the builder was asked %d times, at last for %q", w.repo.asks, w.repo.last.Path)
		}
		if got := w.ready(); !strings.HasPrefix(got, "Unknown Progressing") {
			t.Errorf("while it is built the condition is %q", got)
		}
		w.run(time.Minute)

		// Whoever asks while a build is under way may know of something that it was too early to see.
		asks := w.repo.asks
		for _, at := range []string{"1", "2", "3"} {
			w.edit(func(s *gitopsv1.GitSync) { s.Annotations = map[string]string{gitopsv1.AnnotationRequestedAt: at} })
			w.run(time.Second)
		}
		w.run(2 * time.Minute)
		if got := w.repo.asks - asks; got != 2 {
			t.Errorf("three requests in the time of one build came to %d builds", got)
		}
		if got := w.stored(app.Name).Status.LastHandledReconcileAt; got != "3" {
			t.Errorf("what was handled last is %q", got)
		}
		if w.repo.last.Known != w.repo.revision() {
			t.Error("what is known is fetched again")
		}
	})
}

// TestUnreachable: a server that cannot be reached is asked ever less, and what is applied stays.
func TestUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.repo.push("a=1")
		w.run(time.Minute)
		w.repo.fails = &source.Error{Reason: source.ReasonGitOperationFailed, Message: "no route to host", Transient: true}
		w.run(10 * time.Minute)
		asks := w.repo.asks
		w.run(3 * time.Hour)
		if got := w.repo.asks - asks; got < 10 || got > 18 {
			t.Errorf("it was asked %d times in three hours", got)
		}
		if got := w.ready(); got != "False GitOperationFailed: no route to host" || len(w.space.live) != 1 {
			t.Errorf("the condition is %q, and there is %v", got, w.space.has())
		}
	})
}

// TestDepends: a sync waits for those that it depends on, and goes on when they are ready.
func TestDepends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(s *gitopsv1.GitSync) { s.Spec.DependsOn = []gitopsv1.SyncReference{{Name: "base"}} })
		defer w.close()
		w.repo.push("a=1")
		w.run(time.Minute)
		if got := w.ready(); got != `False DependencyNotReady: dependency "base" does not exist` || w.repo.asks > 0 {
			t.Errorf("the condition is %q, and the repository was asked %d times", got, w.repo.asks)
		}
		w.add("base")
		w.run(2 * time.Minute)
		if got := w.ready(); !strings.HasPrefix(got, "True") {
			t.Errorf("the condition is %q", got)
		}

		w.edit(func(s *gitopsv1.GitSync) { s.Spec.DependsOn[0].Name = "app" })
		w.run(time.Second)
		if got := w.ready(); got != "False DependencyCycle: spec.dependsOn: it waits for itself: app → app" {
			t.Errorf("the condition is %q", got)
		}
	})
}

// TestDeletes: what becomes of what was applied.
func TestDeletes(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		edit   func(*gitopsv1.GitSync)
		before func(*world)
		has    int
		gone   bool
	}{
		"MirrorsPrune":   {"It was pruned, and so it goes.", func(*gitopsv1.GitSync) {}, nil, 0, true},
		"MirrorsNoPrune": {"It was not, and so it stays.", func(s *gitopsv1.GitSync) { s.Spec.Prune = false }, nil, 2, true},
		"Deletes":        {"It says so.", func(s *gitopsv1.GitSync) { s.Spec.Prune, s.Spec.DeletionPolicy = false, gitopsv1.DeletionDelete }, nil, 0, true},
		"Orphans":        {"It says so.", func(s *gitopsv1.GitSync) { s.Spec.DeletionPolicy = gitopsv1.DeletionOrphan }, nil, 2, true},
		"WithoutAccount": {"Nobody can act as an account that is gone.", func(*gitopsv1.GitSync) {}, func(w *world) {
			w.remove(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: app.Namespace, Name: gitopsv1.AccountName}})
		}, 2, true},
		"WithItsNamespace": {"Everything in it goes anyway.", func(*gitopsv1.GitSync) {}, func(w *world) {
			w.remove(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: app.Namespace}})
		}, 2, true},
		"Retries":   {"A deletion that is cut off is ended.", func(*gitopsv1.GitSync) {}, func(w *world) { w.space.dies = 2 }, 0, true},
		"Suspended": {"Who rests can be deleted.", func(s *gitopsv1.GitSync) { s.Spec.Suspend = true }, nil, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.close()
				w.repo.push("a=1", "b=1")
				w.run(time.Minute)
				w.edit(tc.edit)
				if tc.before != nil {
					tc.before(w)
				}
				w.remove(w.stored(app.Name))
				w.due[app] = time.Now()
				w.run(10 * time.Minute)
				if len(w.space.live) != tc.has || (w.stored(app.Name) == nil) != tc.gone {
					t.Errorf("%s\nthere is %v, and the sync is gone: %v", tc.reason, w.space.has(), w.stored(app.Name) == nil)
				}
			})
		})
	}
}
