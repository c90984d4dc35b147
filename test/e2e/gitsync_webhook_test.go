//go:build e2e

package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/fake/forge"
	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/internal/lab"
)

const (
	webhookToken = "TOPsecret-of-the-webhook"
	statusToken  = "TOPsecret-of-the-forge"
)

// pushedWorld is a GitSync with what it needs beside a tenant: the account that every tenant has.
const pushedWorld = `apiVersion: v1
kind: ServiceAccount
metadata: {name: gitsync}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: gitsync}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: dogker-tenant-developer}
subjects: [{kind: ServiceAccount, namespace: %s, name: gitsync}]
---
apiVersion: v1
kind: Secret
metadata: {name: hook}
stringData: {token: %s}
---
apiVersion: v1
kind: Secret
metadata: {name: forge}
stringData: {token: %s}
---
apiVersion: gitops.dogker.io/v1alpha1
kind: GitSync
metadata: {name: shop}
spec:
  url: %s
  prune: true
  wait: true
  interval: 1h
  webhook: {type: gitea, secretRef: {name: hook}}
  commitStatus: {provider: gitea, address: %s, secretRef: {name: forge}}
`

// pushedContainer is what the repository has.
const pushedContainer = `apiVersion: dogker.io/v1alpha1
kind: TenantContainer
metadata: {name: web}
%s
`

// TestPushIsRunByWebhook: somebody pushes, the Git server tells of it, and the commit runs, seconds later and long before
// anybody would have looked; a commit that is wrong is told of to the Git server and changes nothing, and the next good one heals.
func TestPushIsRunByWebhook(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{Versions: []string{"v1", "v2"}}, "--git-allow-private-addresses")
	n := c.tenant(t)

	status := forge.New(gitopsv1.StatusGitea, statusToken)
	api := httptest.NewServer(status)
	t.Cleanup(api.Close)

	d := newDesk(t, c, status)
	first := d.push("v1")
	n.kubectl("apply", "-f", n.manifest(fmt.Sprintf(pushedWorld, n.name, webhookToken, statusToken, d.url, api.URL)))
	n.ready("web")
	await(t, soon, "the path of the webhook", func() error {
		path := n.kubectl("get", "gitsync", "shop", "-o", "jsonpath={.status.webhookPath}")
		if path == "" {
			return errors.New("there is none")
		}
		d.hook.Store(&path)

		return nil
	})
	await(t, soon, "the forge knows the first commit as good", d.said(first, "success"))

	began := time.Now()
	second := d.push("v2")
	pushed := time.Since(began)
	await(t, soon, "the push is applied", func() error {
		tc, err := n.read("web")
		if err != nil {
			return err
		}

		return wantf(string(tc.Spec.Image), lab.Image("v2"), "image")
	})
	applied := time.Since(began)
	n.ready("web")
	await(t, soon, "the forge knows the second commit as good", d.said(second, "success"))
	t.Logf("git push took %s; applied %s, Ready and told to the forge %s after it began", pushed.Round(time.Millisecond),
		applied.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))

	third := d.commit("spec: {imag: nothing}")
	await(t, atLast, "the forge knows the third commit as bad", d.said(third, "failure"))
	if said := d.forge.Statuses(third); !strings.Contains(said[len(said)-1].Description, "web.yaml") {
		t.Errorf("the forge knows why as %q, which does not name the file", said[len(said)-1].Description)
	}

	fourth := d.push("v2")
	await(t, atLast, "the forge knows the fourth commit as good", d.said(fourth, "success"))
	n.ready("web")

	if got := d.hooks.Load(); got < 3 {
		t.Errorf("the Git server told of %d pushes", got)
	}
}

// desk is where somebody works on a repository that a Git server has.
type desk struct {
	t     *testing.T
	url   string
	dir   string
	forge *forge.Forge
	// hook is the path at which the Git server tells of pushes, once it is known; hooks counts how often it did.
	hook  atomic.Pointer[string]
	hooks atomic.Int64
}

// newDesk starts a Git server that tells of pushes as Gitea does, and clones its repository.
func newDesk(t *testing.T, c *cell, f *forge.Forge) *desk {
	t.Helper()

	d := &desk{t: t, dir: filepath.Join(t.TempDir(), "clone"), forge: f}
	server := gittest.NewPlainHTTP(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(w, r)
		if path := d.hook.Load(); path != nil && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/git-receive-pack") {
			d.tell("https://" + c.server.address + *path)
		}
	})
	gittest.NewRepo(t, server.Root, "acme/shop.git").Writable().Push(gittest.Files{"README": "What runs."})
	d.url = server.At("acme/shop.git")
	d.git(".", "clone", "--quiet", d.url, d.dir)

	return d
}

// tell is what Gitea does after a push.
func (d *desk) tell(url string) {
	const body = `{"ref":"refs/heads/main","repository":{"full_name":"acme/shop"}}`

	mac := hmac.New(sha256.New, []byte(webhookToken))
	_, _ = io.WriteString(mac, body)

	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		d.t.Error(err)

		return
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Gitea-Event", "push")
	r.Header.Set("X-Gitea-Signature", hex.EncodeToString(mac.Sum(nil)))

	client := http.Client{Timeout: instant, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		d.t.Error(err)

		return
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
		d.t.Errorf("the webhook is answered by %s, %v", answer.Status, err)
	}
	d.hooks.Add(1)
}

// push has the container run a version.
func (d *desk) push(version string) (commit string) {
	d.t.Helper()

	return d.commit(fmt.Sprintf("spec: {image: %q, imagePullPolicy: Never, terminationGracePeriodSeconds: 5}", lab.Image(version)))
}

// commit gives the container a spec, and pushes that as people do. The forge knows of the commit before it is pushed, so that no
// status can come too early.
func (d *desk) commit(spec string) (commit string) {
	d.t.Helper()

	if err := os.WriteFile(filepath.Join(d.dir, "web.yaml"), fmt.Appendf(nil, pushedContainer, spec), 0o600); err != nil {
		d.t.Fatal(err)
	}
	d.git(d.dir, "add", "web.yaml")
	d.git(d.dir, "commit", "--quiet", "--message", "Change what runs")
	commit = d.git(d.dir, "rev-parse", "HEAD")
	d.forge.Add("acme/shop", commit)
	d.git(d.dir, "push", "--quiet", "origin", "HEAD:main")

	return commit
}

func (d *desk) git(dir string, args ...string) string {
	d.t.Helper()

	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+d.t.TempDir(), "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Jane", "GIT_AUTHOR_EMAIL=jane@example.com", "GIT_COMMITTER_NAME=Jane", "GIT_COMMITTER_EMAIL=jane@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		d.t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}

	return strings.TrimSpace(string(out))
}

// said is nil when that is what was said of a commit last.
func (d *desk) said(commit, state string) func() error {
	return func() error {
		said := d.forge.Statuses(commit)
		if n := len(said); n > 0 && said[n-1].State == state {
			return nil
		}

		return fmt.Errorf("of %s it was said %v; commits with statuses: %v", commit, said, d.forge.Commits())
	}
}
