//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// caller calls the API with a token of a member, each thing once: what is refused stays refused.
type caller struct {
	client *http.Client
	host   string
}

// caller gives the service account roles in the tenant, developer when there are none, and waits until that has come into
// effect.
func (n *tenant) caller(account string, roles ...v1alpha1.TenantRole) *caller {
	n.t.Helper()

	if len(roles) == 0 {
		roles = []v1alpha1.TenantRole{v1alpha1.RoleDeveloper}
	}

	owner := &v1alpha1.Tenant{}
	if err := n.api.Get(n.t.Context(), client.ObjectKey{Name: n.name}, owner); err != nil {
		n.t.Fatal(err)
	}
	before := owner.DeepCopy()
	owner.Spec.Members = append(owner.Spec.Members, v1alpha1.Member{
		Kind: v1alpha1.MemberServiceAccount, Name: account, Roles: roles,
	})
	if err := n.api.Patch(n.t.Context(), owner, client.MergeFrom(before)); err != nil {
		n.t.Fatal(err)
	}
	await(n.t, soon, "tenant "+n.name+" has its new member", func() error { return n.tenantReady(owner) })

	asks := &authenticationv1.TokenRequest{}
	robot := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: n.name, Name: account}}
	if err := n.api.SubResource("token").Create(n.t.Context(), robot, asks); err != nil {
		n.t.Fatal(err)
	}
	cfg, err := n.server.config()
	if err != nil {
		n.t.Fatal(err)
	}
	cfg = rest.AnonymousClientConfig(cfg)
	cfg.BearerToken = asks.Status.Token
	c := &caller{host: cfg.Host}
	if c.client, err = rest.HTTPClientFor(cfg); err != nil {
		n.t.Fatal(err)
	}

	await(n.t, soon, account+" may list containers", func() error {
		_, err := c.must(n.t.Context(), http.MethodGet, containersOf(n.name), "")

		return err
	})

	return c
}

// answer of the API.
type answer struct {
	code   int
	header http.Header
	body   string
}

func (c *caller) ask(ctx context.Context, method, path, body string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.host+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/merge-patch+json")
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)

	return answer{resp.StatusCode, resp.Header, string(text)}, err
}

// must is an error unless the answer is a good one.
func (c *caller) must(ctx context.Context, method, path, body string) (answer, error) {
	got, err := c.ask(ctx, method, path, body)
	if err == nil && got.code/100 != 2 {
		err = fmt.Errorf("%s %s: %d: %s", method, path, got.code, got.body)
	}

	return got, err
}

func containersOf(namespace string) string {
	return "/apis/dogker.io/v1alpha1/namespaces/" + namespace + "/tenantcontainers"
}

func configMapsOf(namespace string) string { return "/api/v1/namespaces/" + namespace + "/configmaps" }
