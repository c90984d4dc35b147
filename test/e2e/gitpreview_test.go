//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/internal/lab"
)

// previewOfBranches gives branches below feature/ a preview for as long as they are there, and short a minute.
const previewOfBranches = `apiVersion: gitops.dogker.io/v1alpha1
kind: GitPreview
metadata: {name: shop}
spec:
  url: %[1]s
  branches: {include: ["feature/**"]}
  interval: 30s
  template: {wait: true}
---
apiVersion: gitops.dogker.io/v1alpha1
kind: GitPreview
metadata: {name: brief}
spec:
  url: %[1]s
  branches: {include: [short]}
  interval: 30s
  ttl: 1m
`

// TestPreviewOnARealSwarm: a branch is pushed and runs in a tenant of its own; it is deleted, and nothing of it is left. Another
// one is left alone until its time is over, and does not come back.
func TestPreviewOnARealSwarm(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{Versions: []string{"v1"}}, "--git-allow-private-addresses")

	quota := &v1alpha1.Quota{Containers: new(int64(3)), Replicas: new(int64(3))}
	if err := c.api.Create(t.Context(), &v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "preview"}, Spec: v1alpha1.PlanSpec{SecurityProfile: v1alpha1.ProfilePrivileged, Quota: quota}}); err != nil {
		t.Fatal(err)
	}
	n := &tenant{cell: c, t: t, name: "acme"}
	n.declare(&v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "parent"}, Spec: v1alpha1.PlanSpec{
		SecurityProfile: v1alpha1.ProfilePrivileged, Quota: quota, Previews: &v1alpha1.PreviewRules{PlanName: "preview", Max: 2},
	}})

	repo := gittest.NewPlainHTTP(t, nil)
	shop := gittest.NewRepo(t, repo.Root, "shop.git")
	shop.Push(gittest.Files{"README": "Nothing runs here."})
	branch := shop.Commit(shop.TreeOf(gittest.Files{"web.yaml": fmt.Sprintf(`apiVersion: dogker.io/v1alpha1
kind: TenantContainer
metadata: {name: "web-${PREVIEW_BRANCH}"}
spec: {image: %q, imagePullPolicy: Never, terminationGracePeriodSeconds: 5}
`, lab.Image("v1"))}), "Run something")
	shop.Ref("refs/heads/feature/login", branch)
	shop.Ref("refs/heads/short", branch)
	n.kubectl("apply", "-f", n.manifest(fmt.Sprintf(previewOfBranches, repo.At("shop.git"))))

	login := &tenant{cell: c, t: t, name: "acme-feature-login-3de6205b"}
	short := &tenant{cell: c, t: t, name: "acme-short"}
	await(t, goneBy, "the branch has a preview that is Ready", n.previewIs("shop", login.name, "Ready"))
	login.ready("web-feature-login")

	if err := os.Remove(filepath.Join(shop.Dir(), "refs/heads/feature/login")); err != nil {
		t.Fatal(err)
	}
	n.kubectl("annotate", "gitpreview", "shop", "--overwrite", "reconcile.fluxcd.io/requestedAt=deleted")
	await(t, goneBy, "the preview of the deleted branch is gone", login.noTenant)
	await(t, goneBy, "the preview whose time is over is gone", short.noTenant)
	await(t, soon, "both are told of", func() error {
		active := n.kubectl("get", "gitpreviews", "-o", "jsonpath={.items[*].status.active} {.items[*].status.expired[*].ref}")

		return wantf(active, "0 0 refs/heads/short", "what there is of previews")
	})
}

// previewIs is nil when the preview of that name is in that phase.
func (n *tenant) previewIs(gitPreview, name, phase string) func() error {
	return func() error {
		said, err := n.tryKubectl("get", "gitpreview", gitPreview, "-o", fmt.Sprintf(`jsonpath={.status.previews[?(@.tenant==%q)].phase}`, name))
		if err != nil {
			return err
		}
		if said != phase {
			all, _ := n.tryKubectl("get", "gitpreview", gitPreview, "-o", "jsonpath={.status}")

			return fmt.Errorf("it is %q: %s", said, all)
		}

		return nil
	}
}

// noTenant is nil when the tenant, its namespace and everything of it in Swarm are gone.
func (n *tenant) noTenant() error {
	for _, kind := range []string{"tenant", "namespace"} {
		out, err := n.tryKubectl("get", kind, n.name, "--ignore-not-found", "-o", "name")
		if err != nil {
			return err
		}
		if out != "" {
			return errors.New(out + " is still there")
		}
	}

	return n.leftovers()
}
