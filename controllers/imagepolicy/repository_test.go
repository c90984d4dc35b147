package imagepolicy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/source"
)

// commits is a policy that commits, changed by edits.
func commits(edits ...func(*gitopsv1.GitUpdate)) *gitopsv1.ImagePolicy {
	return policy(func(s *gitopsv1.ImagePolicySpec) {
		g := &gitopsv1.GitUpdate{URL: "https://git.example/apps", Author: gitopsv1.CommitAuthor{Name: "Bot", Email: "bot@example.test"}}
		for _, edit := range edits {
			edit(g)
		}

		s.Update = &gitopsv1.ImageUpdate{Git: g}
	})
}

func TestCommitsOnce(t *testing.T) {
	play(t, []client.Object{commits()}, func(w *world) {
		p := w.settle()

		if ready(p) != `True ReconciliationSucceeded: Latest is app:1.1.0; branch "main" has it` || p.Status.LastPushCommit != strings.Repeat("c", 40) || p.Status.LastPushTime == nil {
			t.Errorf("%s: %+v", ready(p), p.Status)
		}

		if text := fmt.Sprint(w.notes.all); !strings.Contains(text, `Normal ImageUpdated: Pushed commit `+strings.Repeat("c", 40)+` to branch "main"; a.yaml:1: app:1.0.0 → app:1.1.0`) {
			t.Errorf("events: %s", text)
		}

		version, events := p.ResourceVersion, len(w.notes.all)
		if p := w.later(); p.ResourceVersion != version || len(w.notes.all) != events {
			t.Errorf("a second look writes: %+v", p.Status)
		}

		if last := w.desk.asked[len(w.desk.asked)-1]; last.Known != "main@sha1:app:1.1.0" {
			t.Errorf("what is known is asked for again: %+v", last)
		}

		w.shop.set(map[string]string{"1.2.0": "c"})

		if w.later(); w.desk.has != "app:1.2.0" || w.desk.asked[2].Known != "" {
			t.Errorf("another image: %+v", w.desk.asked[2])
		}
	})
}

func TestFollowsItsGitSync(t *testing.T) {
	sync := &gitopsv1.GitSync{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "apps", UID: "s", Generation: 1}, Spec: gitopsv1.GitSyncSpec{URL: "https://git.example/old"}}
	other := policy()
	other.Name = "other"

	play(t, []client.Object{commits(func(g *gitopsv1.GitUpdate) { g.URL, g.GitSyncName = "", "apps" }), other, sync}, func(w *world) {
		w.settle()

		if asked := len(w.desk.asked); asked != 1 {
			t.Fatalf("%d edits, want 1", asked)
		}

		if w.settle(); len(w.desk.asked) != 1 {
			t.Error("a pass without news asks again")
		}

		if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(sync), sync); err != nil {
			t.Fatal(err)
		}

		sync.Generation, sync.Spec.URL = 2, "https://git.example/new"
		if err := w.client.Update(t.Context(), sync); err != nil {
			t.Fatal(err)
		}

		want := []reconcile.Request{{NamespacedName: key}}
		if diff := cmp.Diff(want, committers(t.Context(), w.client, sync)); diff != "" {
			t.Errorf("whom the change wakes (-want +got):\n%s", diff)
		}

		if w.settle(); len(w.desk.asked) != 2 || w.desk.asked[1].URL != "https://git.example/new" {
			t.Errorf("the new repository is not asked before the interval is over: %+v", w.desk.asked)
		}
	})
}

func TestEditRequest(t *testing.T) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "reads"}, Data: map[string][]byte{"username": []byte("r"), "password": []byte("r\n")}}
	writes := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "writes"}, Data: map[string][]byte{"bearerToken": []byte("w")}}
	sync := func(ref *gitopsv1.GitRef) *gitopsv1.GitSync {
		return &gitopsv1.GitSync{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "apps"}, Spec: gitopsv1.GitSyncSpec{
			URL: "https://git.example/synced", Ref: ref, Path: "deploy", SecretRef: &gitopsv1.SecretReference{Name: "reads"},
		}}
	}
	bySync := func(g *gitopsv1.GitUpdate) { g.URL, g.GitSyncName = "", "apps" }
	image := source.Image{Policy: "acme:app", Name: "app", Tag: "1.1.0", Digest: digest("b")}
	base := source.EditRequest{Tenant: "acme", URL: "https://git.example/apps", Image: image, Author: "Bot", Email: "bot@example.test"}

	cases := map[string]struct {
		reason string
		policy *gitopsv1.ImagePolicy
		more   []client.Object
		change func(*source.EditRequest)
		ready  string
	}{
		"Plain": {"What the spec says.", commits(func(g *gitopsv1.GitUpdate) {
			g.Branch, g.PushBranch, g.Path, g.MessageTemplate = "main", "bot", "apps", "{{.Tag}}"
		}), nil, func(r *source.EditRequest) {
			r.Branch, r.PushBranch, r.Path, r.Message = "main", "bot", "apps", "{{.Tag}}"
		}, "True"},
		"BySync": {"What the GitSync says, with its credentials.", commits(bySync), []client.Object{sync(&gitopsv1.GitRef{Branch: "prod"}), secret}, func(r *source.EditRequest) {
			r.URL, r.Branch, r.Path, r.Auth = "https://git.example/synced", "prod", "deploy", source.Auth{Username: "r", Password: "r"}
		}, "True"},
		"BySyncWithMore": {"What is said here comes first: who may read may not write.", commits(bySync, func(g *gitopsv1.GitUpdate) {
			g.Path, g.SecretRef = "other", &gitopsv1.SecretReference{Name: "writes"}
		}), []client.Object{sync(nil), secret, writes}, func(r *source.EditRequest) {
			r.URL, r.Path, r.Auth = "https://git.example/synced", "other", source.Auth{BearerToken: "w"}
		}, "True"},
		"BySyncOfTag": {"Nothing can be pushed to a tag.", commits(bySync), []client.Object{sync(&gitopsv1.GitRef{Tag: "v1"}), secret}, nil, `False GitSyncNotFound: spec.update.git.branch: Required value: GitSync "apps" follows more than a branch`},
		"NoSync":      {"A GitSync that is not there.", commits(bySync), nil, nil, `False GitSyncNotFound: spec.update.git.gitSyncName: GitSync "apps" does not exist`},
		"NoSecret":    {"A Secret that is not there.", commits(func(g *gitopsv1.GitUpdate) { g.SecretRef = &gitopsv1.SecretReference{Name: "none"} }), nil, nil, `False SecretNotFound: spec.update.git.secretRef.name: Secret "none" does not exist`},
		"SecretForHTTP": {"A Secret for ssh needs other entries.", commits(func(g *gitopsv1.GitUpdate) {
			g.URL, g.SecretRef = "ssh://git@x/y", &gitopsv1.SecretReference{Name: "writes"}
		}), []client.Object{writes}, nil, `False SecretNotFound: spec.update.git.secretRef.name: Secret "writes": data["identity"] is missing or empty, and ssh needs it`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			play(t, append(tc.more, tc.policy), func(w *world) {
				p := w.settle()

				var got, want []source.EditRequest
				if got = w.desk.asked; tc.change != nil {
					r := base
					tc.change(&r)
					want = []source.EditRequest{r}
				}

				if diff := cmp.Diff(want, got); diff != "" || !strings.HasPrefix(ready(p), tc.ready) {
					t.Errorf("%s\n%s (-want +got):\n%s", tc.reason, ready(p), diff)
				}
			})
		})
	}
}

func TestCommitsThatFail(t *testing.T) {
	cases := map[string]struct {
		reason string
		err    error
		marked int
		want   string
	}{
		"NoMarker":  {"Nothing could ever change.", nil, 0, `False MarkerNotFound: No YAML file below "." on branch "main" has a value marked with # {"$imagepolicy": "acme:app"}`},
		"Refused":   {"The server may take it later.", &source.Error{Reason: source.ReasonPushFailed, Message: "the server does not take the commit", Transient: true}, 1, "False PushFailed: the server does not take the commit"},
		"BadFile":   {"A new commit may mend it.", &source.Error{Reason: source.ReasonBuildFailed, File: "a.yaml", Line: 3, Message: "is no valid YAML"}, 1, "False BuildFailed: a.yaml:3: is no valid YAML"},
		"BadMsg":    {"Only the spec can.", &source.Error{Reason: source.ReasonBuildFailed, Field: "messageTemplate", Message: "is no template"}, 1, "False stalled BuildFailed: messageTemplate: is no template"},
		"BadURL":    {"Only the spec can.", &source.Error{Reason: source.ReasonURLInvalid, Field: "url", Message: "is none"}, 1, "False stalled URLInvalid: url: is none"},
		"Something": {"What is not for people is not shown.", fmt.Errorf("open /secret/path"), 1, "False WorkerFailed: the commit failed for a cause that is not the repository's"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			play(t, []client.Object{commits()}, func(w *world) {
				w.desk.err, w.desk.marked = tc.err, tc.marked

				if p := w.settle(); ready(p) != tc.want {
					t.Errorf("%s\ngot %s, want %s", tc.reason, ready(p), tc.want)
				}
			})
		})
	}
}
