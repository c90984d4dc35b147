//go:build conformance

package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/reconciler/conditions"
)

// syncServer is a server that fetches from this machine, and a Git server on this machine.
type syncServer struct {
	*server
	git *gittest.HTTP
}

func newSyncServer(t *testing.T) *syncServer {
	t.Helper()

	return &syncServer{server: ownServer(t, "--git-allow-private-addresses"), git: gittest.NewPlainHTTP(t, nil)}
}

// syncPlace is a namespace with a ServiceAccount that syncs.
type syncPlace struct {
	*syncServer
	t         *testing.T
	namespace string
}

func (s *syncServer) place(t *testing.T) *syncPlace {
	t.Helper()
	p := &syncPlace{syncServer: s, t: t, namespace: s.namespace(t)}
	client := s.client(t)
	if _, err := client.CoreV1().ServiceAccounts(p.namespace).Create(t.Context(), &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Name: gitopsv1.AccountName},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.RbacV1().RoleBindings(p.namespace).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: gitopsv1.AccountName},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: developer},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: p.namespace, Name: gitopsv1.AccountName}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}

	return p
}

var repositories atomic.Int64

// repoSync is a GitSync and its repository.
type repoSync struct {
	*syncPlace
	repo *gittest.Repo
	name string
}

// sync makes a GitSync of a repository that has these files. change may be nil.
func (p *syncPlace) sync(name string, files gittest.Files, change func(*gitopsv1.GitSync)) *repoSync {
	p.t.Helper()
	path := fmt.Sprintf("repo-%d.git", repositories.Add(1))
	g := &repoSync{syncPlace: p, repo: gittest.NewRepo(p.t, p.git.Root, path), name: name}
	g.repo.Push(files)

	s := &gitopsv1.GitSync{
		TypeMeta:   metav1.TypeMeta{APIVersion: gitopsv1.GroupVersion.String(), Kind: "GitSync"},
		ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: name},
		Spec: gitopsv1.GitSyncSpec{
			URL: p.git.At(path), Prune: true, Interval: metav1.Duration{Duration: time.Hour}, RetryInterval: &metav1.Duration{Duration: 10 * time.Second},
			Timeout: metav1.Duration{Duration: time.Minute},
		},
	}
	if change != nil {
		change(s)
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(s)
	if err != nil {
		p.t.Fatal(err)
	}
	// Our own status is not there yet, and its zero value is not what the schema has.
	delete(content, "status")
	if _, err := g.api().Create(p.t.Context(), &unstructured.Unstructured{Object: content}, metav1.CreateOptions{}); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(g.abandon)

	return g
}

func (g *repoSync) api() dynamic.ResourceInterface {
	return g.dynamic(g.t).Resource(gitSyncs).Namespace(g.namespace)
}

// abandon deletes the GitSync, so that nothing of it keeps the namespace from going.
func (g *repoSync) abandon() {
	if g.cmd.ProcessState != nil {
		return
	}
	_ = g.dynamic(g.t).Resource(gitSyncs).Namespace(g.namespace).Delete(context.Background(), g.name, metav1.DeleteOptions{})
}

func (g *repoSync) get() *gitopsv1.GitSync {
	g.t.Helper()
	u, err := g.api().Get(g.t.Context(), g.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		g.t.Logf("read GitSync: %v", err) // The server may be being started again.

		return &gitopsv1.GitSync{}
	}
	var s gitopsv1.GitSync
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &s); err != nil {
		g.t.Fatal(err)
	}

	return &s
}

// push makes the repository have these files, and asks for a visit.
func (g *repoSync) push(files gittest.Files) string {
	g.t.Helper()
	commit := g.repo.Commit(g.repo.TreeOf(files), "Change what runs", g.repo.Head())
	g.repo.Ref("refs/heads/main", commit)
	g.ask()

	return commit
}

var asked atomic.Int64

// ask asks for a visit, and returns what will be echoed when it was made.
func (g *repoSync) ask() string {
	g.t.Helper()
	token := strconv.FormatInt(asked.Add(1), 10)
	g.patch(map[string]any{"metadata": map[string]any{"annotations": map[string]string{gitopsv1.AnnotationRequestedAt: token}}})

	return token
}

// change merges fields into the spec.
func (g *repoSync) change(fields map[string]any) {
	g.t.Helper()
	g.patch(map[string]any{"spec": fields})
}

func (g *repoSync) patch(fields map[string]any) {
	g.t.Helper()
	raw, err := json.Marshal(fields)
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := g.api().Patch(g.t.Context(), g.name, types.MergePatchType, raw, metav1.PatchOptions{}); err != nil {
		g.t.Fatal(err)
	}
}

// settled waits until what was asked for last was done, and the condition Ready has the reason. It returns its message.
func (g *repoSync) settled(reason string) string {
	g.t.Helper()
	var last string
	deadline := time.Now().Add(2 * soon)
	for ; time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		s := g.get()
		if s == nil {
			g.t.Fatal("the GitSync is gone")
		}
		ready := conditions.Get(s, conditions.Ready)
		if ready == nil {
			continue
		}
		last = fmt.Sprintf("%s %s: %s, handled %q of %q", ready.Status, ready.Reason, ready.Message,
			s.Status.LastHandledReconcileAt, s.Annotations[gitopsv1.AnnotationRequestedAt])
		if ready.Reason == reason && s.Status.ObservedGeneration == s.Generation && s.Status.LastHandledReconcileAt == s.Annotations[gitopsv1.AnnotationRequestedAt] {
			return ready.Message
		}
	}
	g.t.Fatalf("the GitSync %s/%s does not come to %s: %s", g.namespace, g.name, reason, last)

	return ""
}

// applied waits until the commit is applied.
func (g *repoSync) applied(commit string) {
	g.t.Helper()
	await(g.t, "commit "+commit+" is applied", func() bool {
		s := g.get()

		return s != nil && strings.HasSuffix(s.Status.LastAppliedRevision, commit)
	})
	g.settled(gitopsv1.ReasonReconciliationSucceeded)
}

// data is that of a ConfigMap; nil for one that is not there.
func (p *syncPlace) data(name string) map[string]string {
	cm, err := p.client(p.t).CoreV1().ConfigMaps(p.namespace).Get(p.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return nil
	}
	if cm.Data == nil {
		return map[string]string{}
	}

	return cm.Data
}

// has demands that there are exactly these ConfigMaps.
func (p *syncPlace) has(want ...string) {
	p.t.Helper()
	list, err := p.client(p.t).CoreV1().ConfigMaps(p.namespace).List(p.t.Context(), metav1.ListOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	var got []string
	for _, cm := range list.Items {
		// Every namespace has that one.
		if cm.Name != "kube-root-ca.crt" {
			got = append(got, cm.Name)
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		p.t.Errorf("there are the ConfigMaps %q, and should be %q", got, want)
	}
}
