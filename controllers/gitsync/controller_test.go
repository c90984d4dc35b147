package gitsync

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/source"
)

func waits(s *gitopsv1.GitSync) { s.Spec.Wait = true }

// TestHistories: each is told from the first commit on, and ends with what is there and what is said.
func TestHistories(t *testing.T) {
	cases := map[string]struct {
		reason string
		edits  []func(*gitopsv1.GitSync)
		story  func(*world)
		has    map[string]string
		says   string
	}{
		"Applies": {
			reason: "What is committed is there.",
			story:  func(*world) {},
			has:    map[string]string{"a": "1", "b": "1"}, says: "True ReconciliationSucceeded: Applied revision: main@sha1:" + strings.Repeat("0", 39) + "1",
		},
		"Prunes": {
			reason: "What is committed no more goes.",
			story:  func(w *world) { w.repo.push("a=2"); w.run(11 * time.Minute) },
			has:    map[string]string{"a": "2"}, says: "True ReconciliationSucceeded",
		},
		"KeepsWithoutPrune": {
			reason: "Not where it is not to be pruned.",
			edits:  []func(*gitopsv1.GitSync){func(s *gitopsv1.GitSync) { s.Spec.Prune = false }},
			story:  func(w *world) { w.repo.push("a=2"); w.run(11 * time.Minute) },
			has:    map[string]string{"a": "2", "b": "1"}, says: "True ReconciliationSucceeded",
		},
		"Guards": {
			reason: "A repository that has nothing any more is taken for a mistake.",
			story:  func(w *world) { w.repo.push(); w.run(11 * time.Minute) },
			has:    map[string]string{"a": "1", "b": "1"}, says: "spec.pruneEmpty",
		},
		"Empties": {
			reason: "Unless it is said to be meant.",
			edits:  []func(*gitopsv1.GitSync){func(s *gitopsv1.GitSync) { s.Spec.PruneEmpty = true }},
			story:  func(w *world) { w.repo.push(); w.run(11 * time.Minute) },
			has:    map[string]string{}, says: "True ReconciliationSucceeded",
		},
		"PutsBack": {
			reason: "The repository is the truth.",
			story: func(w *world) {
				for id := range w.space.live {
					w.space.live[id] = "mine"
				}
				w.run(11 * time.Minute)
			},
			has: map[string]string{"a": "1", "b": "1"}, says: "True ReconciliationSucceeded",
		},
		"KeepsWhatCannotBeBuilt": {
			reason: "A bad commit changes nothing, and is named with its place.",
			story:  func(w *world) { w.repo.pushBad(); w.run(11 * time.Minute) },
			has:    map[string]string{"a": "1", "b": "1"}, says: "False BuildFailed: app.yaml:3: is no YAML",
		},
		"NewSpecOfABadCommit": {
			reason: "What is asked anew of the same commit is answered in the same way.",
			story: func(w *world) {
				w.repo.pushBad()
				w.run(11 * time.Minute)
				w.edit(waits)
				w.run(time.Minute)
			},
			has: map[string]string{"a": "1", "b": "1"}, says: "False BuildFailed: app.yaml:3: is no YAML",
		},
		"Heals": {
			reason: "The next good commit is applied at the next interval.",
			story: func(w *world) {
				w.repo.pushBad()
				w.run(35 * time.Minute)
				w.repo.push("a=3", "b=3")
				w.run(11 * time.Minute)
			},
			has: map[string]string{"a": "3", "b": "3"}, says: "True ReconciliationSucceeded",
		},
		"KeepsWhatIsRefused": {
			reason: "What the API does not take in one object changes none of them.",
			story: func(w *world) {
				w.space.refuses["b"] = delivery.ReasonInvalid
				w.repo.push("a=2", "b=2")
				w.run(11 * time.Minute)
			},
			has: map[string]string{"a": "1", "b": "1"}, says: "False Invalid: app.yaml:2: ConfigMap/b: is refused",
		},
		"TriesAgain": {
			reason: "What may go away by itself is tried again before the interval is over.",
			story: func(w *world) {
				w.space.refuses["b"] = delivery.ReasonQuotaExceeded
				w.repo.push("a=2", "b=2")
				w.run(10*time.Minute + 30*time.Second)
				delete(w.space.refuses, "b")
				w.run(time.Minute)
			},
			has: map[string]string{"a": "2", "b": "2"}, says: "True ReconciliationSucceeded",
		},
		"WaitsForHealth": {
			reason: "What is not healthy in time fails, and nothing is pruned for it.",
			edits:  []func(*gitopsv1.GitSync){waits},
			story: func(w *world) {
				w.space.sick["a"] = true
				w.repo.push("a=2")
				w.run(11*time.Minute + 30*time.Second)
			},
			has: map[string]string{"a": "2", "b": "1"}, says: "False HealthCheckFailed: ConfigMap/a: is not ready",
		},
		"NewCommitEndsTheWait": {
			reason: "A commit that mends what the last one broke does not wait until that has failed.",
			edits:  []func(*gitopsv1.GitSync){waits, func(s *gitopsv1.GitSync) { s.Spec.Timeout.Duration = time.Hour }},
			story: func(w *world) {
				w.space.sick["a"] = true
				w.repo.push("a=2", "b=1")
				w.run(11 * time.Minute)
				w.repo.push("b=2")
				w.edit(func(s *gitopsv1.GitSync) { s.Annotations = map[string]string{gitopsv1.AnnotationRequestedAt: "now"} })
				w.run(10 * time.Second)
			},
			has: map[string]string{"b": "2"}, says: "True ReconciliationSucceeded",
		},
		"FailsForGood": {
			reason: "Waiting for what has failed for good helps nobody.",
			edits:  []func(*gitopsv1.GitSync){waits},
			story: func(w *world) {
				w.space.sick["a"], w.space.dying = true, true
				w.repo.push("a=2", "b=1")
				w.edit(func(s *gitopsv1.GitSync) { s.Annotations = map[string]string{gitopsv1.AnnotationRequestedAt: "now"} })
				w.run(5 * time.Second)
			},
			has: map[string]string{"a": "2", "b": "1"}, says: "False HealthCheckFailed",
		},
		"SuspendsAndKeepsReady": {
			reason: "What was ready before stays ready for those who depend on it.",
			story: func(w *world) {
				w.repo.push("a=2")
				w.edit(func(s *gitopsv1.GitSync) { s.Spec.Suspend = true })
				w.run(time.Hour)
			},
			has: map[string]string{"a": "1", "b": "1"}, says: "True Suspended: spec.suspend is set; applied revision: main@sha1:",
		},
		"NamesWhatIsMissing": {
			reason: "A Secret that is not there is named with the field that names it.",
			story: func(w *world) {
				w.edit(func(s *gitopsv1.GitSync) { s.Spec.SecretRef = &gitopsv1.SecretReference{Name: "git"} })
				w.run(time.Minute)
			},
			has: map[string]string{"a": "1", "b": "1"}, says: `False SecretNotFound: spec.secretRef.name: Secret "git" does not exist`,
		},
		"NamesWhatMayNotBeRead": {
			reason: "Secrets are read as the ServiceAccount.",
			story: func(w *world) {
				w.drawer["Secret/git"] = nil
				w.edit(func(s *gitopsv1.GitSync) { s.Spec.SecretRef = &gitopsv1.SecretReference{Name: "git"} })
				w.run(time.Minute)
			},
			has: map[string]string{"a": "1", "b": "1"}, says: `Secret "git" may not be read by the ServiceAccount "gitsync"`,
		},
		"RefusesABrokenRecord": {
			reason: "Guessing which object was meant could delete another one.",
			story: func(w *world) {
				s := w.stored(app.Name)
				s.Status.Inventory = &gitopsv1.Inventory{Entries: []gitopsv1.InventoryEntry{{ID: "nonsense"}}}
				if err := w.store.Status().Update(context.Background(), s); err != nil {
					w.t.Fatalf("%v", err)
				}
				w.start()
				w.run(time.Minute)
			},
			has: map[string]string{"a": "1", "b": "1"}, says: "False InventoryInvalid: status.inventory: ",
		},
		"LeavesATenantThatGoes": {
			reason: "What goes with its tenant must not be put back.",
			story: func(w *world) {
				if err := w.store.Delete(context.Background(), &dogkerv1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: app.Namespace}}); err != nil {
					w.t.Fatalf("%v", err)
				}
				clear(w.space.live)
				w.run(time.Hour)
			},
			has: map[string]string{}, says: "True ReconciliationSucceeded",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, tc.edits...)
				defer w.close()
				w.repo.push("a=1", "b=1")
				w.run(30 * time.Second)
				tc.story(w)

				if diff := cmp.Diff(tc.has, w.space.has()); diff != "" {
					t.Errorf("%s\n-want +got\n%s", tc.reason, diff)
				}
				if got := w.ready(); !strings.Contains(got, tc.says) {
					t.Errorf("%s\nthe condition is %q, and should have %q", tc.reason, got, tc.says)
				}
			})
		})
	}
}

// TestRestsWithoutWrites: while nothing changes nothing is written, and a repository is asked one question an interval.
func TestRestsWithoutWrites(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		before func(*world)
		asks   int
		builds int
	}{
		"Ready":     {"What is applied is applied.", func(*world) {}, 6, 0},
		"Bad":       {"A revision that cannot be built is not fetched again.", func(w *world) { w.repo.pushBad() }, 6, 0},
		"Refused":   {"It is refused in the same words.", func(w *world) { w.space.refuses["a"] = delivery.ReasonInvalid }, 6, 0},
		"Unhealthy": {"So is what does not become healthy.", func(w *world) { w.edit(waits); w.space.sick["a"] = true }, 6, 0},
		"Suspended": {"Nobody is asked.", func(w *world) { w.edit(func(s *gitopsv1.GitSync) { s.Spec.Suspend = true }) }, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.close()
				w.repo.push("a=1", "b=1")
				w.run(30 * time.Second)
				tc.before(w)
				w.run(3 * time.Hour)

				patches, writes, asks, builds, events := w.patches, w.space.writes, w.repo.asks, w.repo.builds, len(w.events)
				w.run(time.Hour)

				if w.patches != patches || w.space.writes != writes {
					t.Errorf("%s\nat rest there were %d patches of the status and %d writes", tc.reason, w.patches-patches, w.space.writes-writes)
				}
				if got := w.repo.asks - asks; got != tc.asks || w.repo.builds-builds != tc.builds {
					t.Errorf("%s\nthe repository was asked %d times in an hour, and built %d times", tc.reason, got, w.repo.builds-builds)
				}
				if len(w.events) != events {
					t.Errorf("%s\nat rest it is said: %q", tc.reason, w.events[events:])
				}
			})
		})
	}
}

// TestRecordsFirst: a process that dies between any two writes leaves nothing that nobody answers for, and the next one ends
// what it began.
func TestRecordsFirst(t *testing.T) {
	for dies := 1; dies <= 5; dies++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			defer w.close()
			w.space.foreign("theirs")
			w.repo.push("a=1", "b=1", "c=1")
			w.space.dies = dies
			w.run(time.Second)
			w.space.dies = 0
			// The commit that the process has died over is gone when the next one looks.
			w.repo.push("c=2")
			w.start()
			w.run(time.Minute)

			if diff := cmp.Diff(map[string]string{"c": "2", "theirs": "foreign"}, w.space.has()); diff != "" {
				t.Errorf("died at write %d\n-want +got\n%s", dies, diff)
			}
		})
	}
}

// TestLostStatus: how a visit has ended is in the status, also when that could not be written at first.
func TestLostStatus(t *testing.T) {
	for lost := range 4 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			defer w.close()
			w.lose = lost
			w.repo.push("a=1")
			w.run(time.Minute)
			s := w.stored(app.Name)
			if len(s.Status.History) != 1 || s.Status.Objects != 1 || !conditions.IsTrue(s, conditions.Ready) {
				t.Errorf("%d patches were lost, and the status is %+v", lost, s.Status)
			}
		})
	}
}

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
