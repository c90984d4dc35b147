//go:build conformance

package conformance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/reconciler/conditions"
)

// TestGitSyncKilled: a server that is killed at any moment of a visit leaves nothing that nobody answers for, and the next one
// makes of it what the repository says by then.
func TestGitSyncKilled(t *testing.T) {
	s := newSyncServer(t)
	p := s.place(t)
	const objects = 40

	for round := range 4 {
		files := gittest.Files{}
		for i := range objects {
			name := fmt.Sprintf("round-%d-%02d", round, i)
			files[name+".yaml"] = configMap(name)
		}
		g := p.sync(fmt.Sprintf("app-%d", round), files, nil)
		// From before the first question to after the last write.
		time.Sleep(time.Duration(round*round) * 120 * time.Millisecond)
		s.kill()

		// While nobody looks the repository loses most of what it had.
		commit := g.repo.Commit(g.repo.TreeOf(gittest.Files{"kept.yaml": configMap(fmt.Sprintf("round-%d-00", round))}), "Keep one", g.repo.Head())
		g.repo.Ref("refs/heads/main", commit)
		if err := s.start(); err != nil {
			t.Fatal(err)
		}
		g.applied(commit)
		if got := p.named(fmt.Sprintf("round-%d-", round)); len(got) != 1 {
			t.Errorf("killed in round %d: there are %d ConfigMaps, and one should be: %q", round, len(got), got)
		}
	}

	if code, _ := s.terminate(t); code != 0 {
		t.Errorf("the server ends with %d", code)
	}
}

// named are the ConfigMaps whose names begin so.
func (p *syncPlace) named(prefix string) []string {
	p.t.Helper()
	list, err := p.client(p.t).CoreV1().ConfigMaps(p.namespace).List(p.t.Context(), metav1.ListOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	var out []string
	for _, cm := range list.Items {
		if strings.HasPrefix(cm.Name, prefix) {
			out = append(out, cm.Name)
		}
	}

	return out
}

// TestGitSyncWaits: what does not become ready fails in time, names itself, and keeps what is to be pruned. Without an engine no
// container ever is.
func TestGitSyncWaits(t *testing.T) {
	p := newSyncServer(t).place(t)
	g := p.sync("app", gittest.Files{"old.yaml": configMap("old")}, func(s *gitopsv1.GitSync) {
		s.Spec.Wait, s.Spec.Timeout = true, metav1.Duration{Duration: 10 * time.Second}
	})
	g.applied(g.repo.Head())
	if healthy := conditions.Get(g.get(), gitopsv1.ConditionHealthy); healthy == nil || healthy.Status != metav1.ConditionTrue {
		t.Errorf("ConfigMaps are always ready, and the condition is %+v", healthy)
	}

	bad := g.push(gittest.Files{"new.yaml": configMap("new"), "web.yaml": tenantContainer("web", "replicas: 1")})
	if message := g.settled(gitopsv1.ReasonHealthCheckFailed); !strings.Contains(message, "web.yaml:1: TenantContainer/web: ") {
		t.Errorf("what is not ready is said as %q", message)
	}
	p.has("new", "old")
	status := g.get().Status
	if !strings.HasSuffix(status.LastAttemptedRevision, bad) || strings.HasSuffix(status.LastAppliedRevision, bad) {
		t.Errorf("the status says that %q was attempted and %q applied", status.LastAttemptedRevision, status.LastAppliedRevision)
	}

	g.applied(g.push(gittest.Files{"new.yaml": configMap("new")}))
	p.has("new")
}
