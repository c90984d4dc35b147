//go:build e2e

package e2e

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
)

const (
	gitUser     = "ada"
	gitPassword = "TOPsecret-of-the-repository"
)

// gitWorld is a cell whose server fetches from this machine, and the Git servers on this machine.
type gitWorld struct {
	*cell

	// open is for everybody, locked for who has the password, and ssh for who has the key.
	open, locked *gittest.HTTP
	ssh          *gittest.SSH
}

func newGitWorld(t *testing.T) *gitWorld {
	t.Helper()

	w := &gitWorld{cell: newCell(t, lab.Options{Versions: []string{"v1", "v2"}}, "--git-allow-private-addresses")}
	w.open = gittest.NewPlainHTTP(t, nil)
	w.locked = gittest.NewHTTP(t, func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		if user, password, _ := r.BasicAuth(); user != gitUser || password != gitPassword {
			rw.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			rw.WriteHeader(http.StatusUnauthorized)

			return
		}
		next.ServeHTTP(rw, r)
	})
	w.ssh = gittest.NewSSH(t)

	return w
}

// gitTenant is a tenant, as its plan makes one: with a quota, and the ServiceAccount that syncs.
type gitTenant struct {
	*tenant

	world *gitWorld
}

func (w *gitWorld) tenantOf(t *testing.T, name string) *gitTenant {
	t.Helper()

	n := &tenant{cell: w.cell, t: t, name: name}
	n.declare(&v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "git"}, Spec: v1alpha1.PlanSpec{
		SecurityProfile: v1alpha1.ProfilePrivileged, Quota: &v1alpha1.Quota{Containers: new(int64(8)), Replicas: new(int64(16))},
	}})

	return &gitTenant{tenant: n, world: w}
}

// in is the tenant in a part of its test.
func (n *gitTenant) in(t *testing.T) *gitTenant {
	return &gitTenant{tenant: &tenant{cell: n.cell, t: t, name: n.tenant.name}, world: n.world}
}

// repoSync is a GitSync and its repository.
type repoSync struct {
	*gitTenant

	name string
	repo *gittest.Repo
	asks int
}

// sync makes a GitSync of a repository that has these files and is open for everybody. It waits for health, and looks at the
// repository when it is asked to.
func (n *gitTenant) sync(name string, files gittest.Files, changes ...func(*gitopsv1.GitSync)) *repoSync {
	n.t.Helper()

	path := n.tenant.name + "/" + name + ".git"
	s := &gitopsv1.GitSync{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: gitopsv1.GitSyncSpec{
			URL: n.world.open.At(path), Prune: true, Wait: true,
			Interval: metav1.Duration{Duration: time.Hour}, RetryInterval: &metav1.Duration{Duration: 10 * time.Second},
		},
	}
	for _, change := range changes {
		change(s)
	}

	root := n.world.open.Root
	switch {
	case strings.HasPrefix(s.Spec.URL, n.world.locked.URL):
		root = n.world.locked.Root
	case strings.HasPrefix(s.Spec.URL, "ssh:"):
		root = n.world.ssh.Root
	}
	g := &repoSync{gitTenant: n, name: name, repo: gittest.NewRepo(n.t, root, path)}
	g.repo.Push(files)
	n.create(s)

	return g
}

// push makes the repository have these files.
func (g *repoSync) push(files gittest.Files) (commit string) {
	g.t.Helper()

	commit = g.repo.Commit(g.repo.TreeOf(files), "Change what runs", g.repo.Head())
	g.repo.Ref("refs/heads/main", commit)

	return commit
}

// ask asks for a look at the repository, as people do.
func (g *repoSync) ask() {
	g.t.Helper()

	s, err := g.read()
	if err != nil {
		g.t.Fatal(err)
	}
	before := s.DeepCopy()
	g.asks++
	metav1.SetMetaDataAnnotation(&s.ObjectMeta, gitopsv1.AnnotationRequestedAt, strconv.Itoa(g.asks))
	if err := g.api.Patch(g.t.Context(), s, client.MergeFrom(before)); err != nil {
		g.t.Fatal(err)
	}
}

func (g *repoSync) read() (*gitopsv1.GitSync, error) {
	ctx, cancel := contextFor(instant)
	defer cancel()

	var s gitopsv1.GitSync
	if err := g.api.Get(ctx, client.ObjectKey{Namespace: g.tenant.name, Name: g.name}, &s); err != nil {
		return nil, fmt.Errorf("read GitSync %q: %w", g.name, err)
	}

	return &s, nil
}

// ended waits until what was asked for last was done, and came to this. The answer is what the GitSync says.
func (g *repoSync) ended(reason string) *gitopsv1.GitSync {
	g.t.Helper()

	var s *gitopsv1.GitSync
	await(g.t, goneBy, fmt.Sprintf("GitSync %q comes to %s", g.name, reason), func() (err error) {
		if s, err = g.read(); err != nil {
			return err
		}
		ready := conditions.Get(s, conditions.Ready)
		asked := s.Annotations[gitopsv1.AnnotationRequestedAt]
		if ready == nil || ready.Reason != reason || ready.ObservedGeneration != s.Generation || s.Status.LastHandledReconcileAt != asked {
			return fmt.Errorf("of what was asked for as %q the status is %+v", asked, s.Status)
		}

		return nil
	})
	check.Status(g.t, s)

	return s
}

// applied waits until the commit is, and everything in it is Ready.
func (g *repoSync) applied(commit string) {
	g.t.Helper()

	s := g.ended(gitopsv1.ReasonReconciliationSucceeded)
	if got := s.Status.LastAppliedRevision; got != "main@sha1:"+commit {
		g.t.Fatalf("GitSync %q has applied %q, and not %s", g.name, got, commit)
	}
}

// bad demands that the last commit comes to nothing for that reason, and that the message has these words.
func (g *repoSync) bad(reason string, words ...string) {
	g.t.Helper()

	s := g.ended(reason)
	message := conditions.Get(s, conditions.Ready).Message
	for _, want := range words {
		if !strings.Contains(message, want) {
			g.t.Errorf("the message of %s does not have %q: %s", reason, want, message)
		}
	}
	if got := s.Status.LastAttemptedRevision; got != "main@sha1:"+g.repo.Head() {
		g.t.Errorf("what was tried last is %q, and not %s", got, g.repo.Head())
	}
	g.t.Logf("%s: %s", reason, message)
}

// secret makes a Secret with these entries.
func (n *gitTenant) secret(name string, data map[string]string) *corev1.Secret {
	n.t.Helper()

	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: data}
	n.create(s)

	return s
}

// runs is nil when the one task of the container runs that version.
func (n *gitTenant) runs(name, version string) error {
	tasks := n.running(name)
	if len(tasks) != 1 {
		return fmt.Errorf("%d tasks of %q run", len(tasks), name)
	}

	return wantf(tasks[0].Spec.ContainerSpec.Image, n.imageID(version), "image of the task of %q", name)
}

// wantRuns demands that.
func (n *gitTenant) wantRuns(name, version string) {
	n.t.Helper()

	if err := n.runs(name, version); err != nil {
		n.t.Error(err)
	}
}

// manifestOf declares a container that runs a version, with more lines in its spec.
func manifestOf(name, version string, more ...string) string {
	lines := append([]string{
		"image: " + lab.Image(version), "imagePullPolicy: Never", "terminationGracePeriodSeconds: 5",
	}, more...)

	return fmt.Sprintf("apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\nmetadata: {name: %s}\nspec:\n  %s\n", name, strings.Join(lines, "\n  "))
}

// noContainer is nil when neither the API nor Swarm has the container.
func (n *gitTenant) noContainer(name string) error {
	if _, err := n.tenant.read(name); client.IgnoreNotFound(err) != nil || err == nil {
		return cmp.Or(err, errors.New("it is still declared"))
	}

	return n.noService(name)
}
