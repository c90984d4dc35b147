//go:build conformance

package conformance

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/reconciler/conditions"
)

// TestGitSync: what a repository declares is there, and what becomes of the repository becomes of the namespace.
func TestGitSync(t *testing.T) {
	s := newSyncServer(t)
	for name, test := range map[string]func(*syncPlace){
		"Story":         syncStory,
		"BadCommits":    syncBadCommits,
		"Suspend":       syncSuspend,
		"DependsOn":     syncDependsOn,
		"KeepsUnpruned": syncWithoutPrune,
		"Deletion":      syncDeletion,
		"Secrets":       syncSecrets,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(s.place(t))
		})
	}
}

// syncStory goes from the first commit to an emptied repository.
func syncStory(p *syncPlace) {
	files := gittest.Files{"a.yaml": configMap("a", "level", "1"), "b.yaml": configMap("b", "level", "1")}
	g := p.sync("app", files, nil)
	first := g.repo.Head()
	g.applied(first)
	p.has("a", "b")

	files["a.yaml"] = configMap("a", "level", "2")
	began := time.Now()
	g.applied(g.push(files))
	p.t.Logf("from push to applied, asked for: %s", time.Since(began).Round(time.Millisecond))
	if got := p.data("a")["level"]; got != "2" {
		p.t.Errorf("the new commit says 2, and the ConfigMap says %q", got)
	}

	g.rests()

	// A revert is a move of the branch.
	g.repo.Ref("refs/heads/main", first)
	g.ask()
	g.applied(first)
	if got := p.data("a")["level"]; got != "1" {
		p.t.Errorf("the old commit says 1, and the ConfigMap says %q", got)
	}

	p.edit("a", `{"data": {"level": "mine"}}`)
	g.ask()
	g.settled(gitopsv1.ReasonReconciliationSucceeded)
	if got := p.data("a")["level"]; got != "1" {
		p.t.Errorf("a change by hand is not put back: %q", got)
	}

	g.applied(g.push(gittest.Files{"a.yaml": configMap("a", "level", "1")}))
	p.has("a")

	g.push(gittest.Files{"readme.md": "nothing here"})
	if message := g.settled(gitopsv1.ReasonReconciliationSucceeded); !strings.Contains(message, "spec.pruneEmpty") {
		p.t.Errorf("an emptied repository is said as %q", message)
	}
	p.has("a")

	status := g.get().Status
	if len(status.History) < 4 || status.Objects != 1 || status.LastAttemptedRevision != status.LastAppliedRevision {
		p.t.Errorf("the status is %+v", status)
	}
	g.change(map[string]any{"pruneEmpty": true})
	await(p.t, "what is meant to go is gone", func() bool { return p.data("a") == nil })
}

// rests demands that visits in which nothing has changed write nothing.
func (g *repoSync) rests() {
	g.t.Helper()
	before := g.get()
	token := g.ask()
	await(g.t, "it was looked at", func() bool { return g.get().Status.LastHandledReconcileAt == token })
	after := g.get()
	after.Status.LastHandledReconcileAt = before.Status.LastHandledReconcileAt
	if before.Status.History[0] != after.Status.History[0] || len(before.Status.History) != len(after.Status.History) {
		g.t.Errorf("nothing has changed, and the history has: %v, %v", before.Status.History, after.Status.History)
	}
}

// syncBadCommits: none of them changes anything, each says where it is wrong, and the next good one heals.
func syncBadCommits(p *syncPlace) {
	good := gittest.Files{"a.yaml": configMap("a", "level", "1"), "deep/b.yaml": configMap("b", "level", "1")}
	g := p.sync("app", good, nil)
	g.applied(g.repo.Head())

	for name, tc := range map[string]struct {
		file   string
		reason string
		says   []string
	}{
		"YAML":         {"a: [1,\nb: 2\n", "BuildFailed", []string{"deep/b.yaml:"}},
		"NoObject":     {"kind: ConfigMap\n", "BuildFailed", []string{"deep/b.yaml:1", "apiVersion"}},
		"UnknownField": {configMap("b", "level", "2") + "sta: 1\n", "Invalid", []string{"deep/b.yaml:1", "ConfigMap/b", "sta"}},
		"OtherPlace":   {strings.Replace(configMap("b"), "{name: b}", "{name: b, namespace: kube-system}", 1), "NamespaceRefused", []string{"deep/b.yaml:1", "metadata.namespace", "kube-system"}},
		"NoSuchKind":   {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: b}\n", "KindUnknown", []string{"deep/b.yaml:1", "Deployment"}},
		"NoRight":      {"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: b}\n", "Forbidden", []string{"deep/b.yaml:1", "Role"}},
	} {
		commit := g.push(gittest.Files{"a.yaml": configMap("a", "level", "2"), "deep/b.yaml": tc.file})
		message := g.settled(tc.reason)
		for _, want := range tc.says {
			if !strings.Contains(message, want) {
				p.t.Errorf("%s: the message %q does not have %q", name, message, want)
			}
		}
		if p.data("a")["level"] != "1" || p.data("b")["level"] != "1" {
			p.t.Errorf("%s: a bad commit has changed something", name)
		}
		status := g.get().Status
		if !strings.HasSuffix(status.LastAttemptedRevision, commit) || status.History[0].Reason != tc.reason {
			p.t.Errorf("%s: the status says %q was attempted, and %+v", name, status.LastAttemptedRevision, status.History[0])
		}
	}

	good["a.yaml"] = configMap("a", "level", "3")
	g.applied(g.push(good))
	if s := g.get(); conditions.Get(s, conditions.Stalled) != nil || conditions.Get(s, conditions.Reconciling) != nil {
		p.t.Errorf("it is healed, and the conditions are %v", s.Status.Conditions)
	}
}

// syncSuspend: what rests does nothing, and what it had stays.
func syncSuspend(p *syncPlace) {
	g := p.sync("app", gittest.Files{"a.yaml": configMap("a", "level", "1")}, nil)
	g.applied(g.repo.Head())
	g.change(map[string]any{"suspend": true})
	await(p.t, "it is suspended", func() bool {
		ready := conditions.Get(g.get(), conditions.Ready)

		return ready.Reason == gitopsv1.ReasonSuspended && ready.Status == metav1.ConditionTrue
	})

	commit := g.push(gittest.Files{"a.yaml": configMap("a", "level", "2")})
	p.edit("a", `{"data": {"level": "mine"}}`)
	time.Sleep(2 * time.Second)
	if got := p.data("a")["level"]; got != "mine" {
		p.t.Errorf("it is suspended, and has changed something to %q", got)
	}
	g.change(map[string]any{"suspend": false})
	g.applied(commit)
	if got := p.data("a")["level"]; got != "2" {
		p.t.Errorf("it goes on, and the ConfigMap says %q", got)
	}
}

// syncDependsOn: nothing is applied before what it needs. Circles do not get past admission.
func syncDependsOn(p *syncPlace) {
	second := p.sync("second", gittest.Files{"b.yaml": configMap("b")}, func(s *gitopsv1.GitSync) {
		s.Spec.DependsOn = []gitopsv1.SyncReference{{Name: "first"}}
	})
	if message := second.settled(gitopsv1.ReasonDependencyNotReady); !strings.Contains(message, `"first" does not exist`) {
		p.t.Errorf("what is missing is said as %q", message)
	}
	first := p.sync("first", gittest.Files{"a.yaml": "bad"}, nil)
	first.settled("BuildFailed")
	p.has()
	first.push(gittest.Files{"a.yaml": configMap("a")})
	second.settled(gitopsv1.ReasonReconciliationSucceeded)
	p.has("a", "b")
}

// syncWithoutPrune: what goes from the repository stays.
func syncWithoutPrune(p *syncPlace) {
	g := p.sync("app", gittest.Files{"a.yaml": configMap("a"), "b.yaml": configMap("b")}, func(s *gitopsv1.GitSync) { s.Spec.Prune = false })
	g.applied(g.repo.Head())
	g.applied(g.push(gittest.Files{"a.yaml": configMap("a")}))
	p.has("a", "b")
}

// syncDeletion: what becomes of what was applied is what the policy says.
func syncDeletion(p *syncPlace) {
	for name, tc := range map[string]struct {
		reason string
		policy gitopsv1.DeletionPolicy
		prune  bool
		goes   bool
	}{
		"mirror": {"It mirrors prune.", gitopsv1.DeletionMirrorPrune, true, true},
		"keep":   {"It mirrors prune, which is off.", gitopsv1.DeletionMirrorPrune, false, false},
		"delete": {"It says so.", gitopsv1.DeletionDelete, false, true},
		"orphan": {"It says so.", gitopsv1.DeletionOrphan, true, false},
	} {
		g := p.sync(name, gittest.Files{"a.yaml": configMap(name)}, func(s *gitopsv1.GitSync) {
			s.Spec.DeletionPolicy, s.Spec.Prune = tc.policy, tc.prune
		})
		g.applied(g.repo.Head())
		if err := g.api().Delete(p.t.Context(), g.name, metav1.DeleteOptions{}); err != nil {
			p.t.Fatal(err)
		}
		await(p.t, "the GitSync is gone", func() bool { return g.get() == nil })
		if gone := p.data(name) == nil; gone != tc.goes {
			p.t.Errorf("%s: what was applied is gone: %v. %s", name, gone, tc.reason)
		}
	}

	// Nobody can act as an account that is gone, and the GitSync must go all the same.
	g := p.sync("orphaned", gittest.Files{"a.yaml": configMap("orphaned")}, nil)
	g.applied(g.repo.Head())
	if err := p.client(p.t).CoreV1().ServiceAccounts(p.namespace).Delete(p.t.Context(), gitopsv1.AccountName, metav1.DeleteOptions{}); err != nil {
		p.t.Fatal(err)
	}
	if err := g.api().Delete(p.t.Context(), g.name, metav1.DeleteOptions{}); err != nil {
		p.t.Fatal(err)
	}
	await(p.t, "the GitSync is gone without its account", func() bool { return g.get() == nil })
}

// syncSecrets: what the spec names is read as the ServiceAccount, and what is missing is named.
func syncSecrets(p *syncPlace) {
	g := p.sync("app", gittest.Files{"a.yaml": configMap("a", "level", "${level}")}, func(s *gitopsv1.GitSync) {
		s.Spec.PostBuild = &gitopsv1.PostBuild{SubstituteFrom: []gitopsv1.SubstituteReference{{Kind: "Secret", Name: "vars"}}}
		s.Spec.Webhook = &gitopsv1.GitWebhook{Type: gitopsv1.WebhookGitHub, SecretRef: gitopsv1.SecretReference{Name: "hook"}}
	})
	if message := g.settled(gitopsv1.ReasonSecretNotFound); !strings.Contains(message, `spec.postBuild.substituteFrom[0].name: Secret "vars" does not exist`) {
		p.t.Errorf("a missing Secret is said as %q", message)
	}
	p.secret("vars", map[string]string{"level": "from-secret"})
	g.ask()
	if message := g.settled(gitopsv1.ReasonSecretNotFound); !strings.Contains(message, `spec.webhook.secretRef.name: Secret "hook" does not exist`) {
		p.t.Errorf("a missing Secret is said as %q", message)
	}
	p.secret("hook", map[string]string{"token": "0123456789abcdef"})
	g.ask()
	g.settled(gitopsv1.ReasonReconciliationSucceeded)
	if got := p.data("a")["level"]; got != "from-secret" {
		p.t.Errorf("the variable was replaced by %q", got)
	}
	if path := g.get().Status.WebhookPath; !strings.HasPrefix(path, "/hook/") {
		p.t.Errorf("the path of the webhook is %q", path)
	}
}

func (p *syncPlace) secret(name string, data map[string]string) {
	p.t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: data}
	if _, err := p.client(p.t).CoreV1().Secrets(p.namespace).Create(p.t.Context(), secret, metav1.CreateOptions{}); err != nil {
		p.t.Fatal(err)
	}
}

// edit is a change of a ConfigMap by hand.
func (p *syncPlace) edit(name, patch string) {
	p.t.Helper()
	_, err := p.client(p.t).CoreV1().ConfigMaps(p.namespace).Patch(context.Background(), name, types.MergePatchType, []byte(patch),
		metav1.PatchOptions{FieldManager: "kubectl-edit"})
	if err != nil {
		p.t.Fatal(err)
	}
}
