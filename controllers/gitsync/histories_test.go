package gitsync

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/delivery"
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
