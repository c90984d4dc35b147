package fairness

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/util/flowcontrol"
	"k8s.io/apiserver/pkg/util/flowcontrol/fairqueuing"
	"k8s.io/apiserver/pkg/util/flowcontrol/request"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// seen is flow control that notes who it is told asks.
type seen struct {
	flowcontrol.Interface

	who user.Info
}

func (s *seen) Handle(
	_ context.Context, digest flowcontrol.RequestDigest,
	_ func(*flowcontrolv1.FlowSchema, *flowcontrolv1.PriorityLevelConfiguration, string),
	_ func() request.WorkEstimate, _ fairqueuing.QueueNoteFn, execute func(),
) {
	s.who = digest.User
	execute()
}

func TestByTenant(t *testing.T) {
	namespaces := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	for name, labels := range map[string]map[string]string{
		"acme": {v1alpha1.LabelTenant: "acme"},
		"flux": nil,
	} {
		if err := namespaces.Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}); err != nil {
			t.Fatal(err)
		}
	}

	cases := map[string]struct {
		reason string
		name   string
		want   string
		groups []string
	}{
		"Account":         {"An account of a tenant's namespace acts for the tenant.", "system:serviceaccount:acme:deployer", "dogker:tenant:acme", []string{"g", GroupTenants}},
		"SecondAccount":   {"Many accounts are one flow, or whoever makes the most gets the most.", "system:serviceaccount:acme:cron", "dogker:tenant:acme", []string{"g", GroupTenants}},
		"DeployToken":     {"So does a deploy token.", "dogker:deploy-token:acme:ci", "dogker:tenant:acme", []string{"g", GroupTenants}},
		"Platform":        {"FlowSchemas of the platform team name its own accounts.", "system:serviceaccount:flux:kustomize-controller", "system:serviceaccount:flux:kustomize-controller", []string{"g"}},
		"UnknownHome":     {"What is not known yet is treated as Kubernetes would.", "system:serviceaccount:new:default", "system:serviceaccount:new:default", []string{"g"}},
		"Person":          {"A person may be a member of several tenants.", "jane", "jane", []string{"g"}},
		"LikeAnAccount":   {"A name that only looks alike is nobody's account.", "system:serviceaccount:acme", "system:serviceaccount:acme", []string{"g"}},
		"LikeADeployment": {"Nor is a token without a namespace.", "dogker:deploy-token:", "dogker:deploy-token:", []string{"g"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			inner, executed := &seen{}, false
			asks := &user.DefaultInfo{Name: tc.name, Groups: []string{"g"}}

			ByTenant(inner, corelisters.NewNamespaceLister(namespaces)).
				Handle(t.Context(), flowcontrol.RequestDigest{User: asks}, nil, nil, nil, func() { executed = true })

			if !executed || inner.who.GetName() != tc.want {
				t.Errorf("%s\ngot %q (executed: %v), want %q", tc.reason, inner.who.GetName(), executed, tc.want)
			}
			if diff := cmp.Diff(tc.groups, inner.who.GetGroups()); diff != "" {
				t.Errorf("%s\ngroups (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff([]string{"g"}, asks.Groups); diff != "" {
				t.Errorf("who asks must not change (-want +got):\n%s", diff)
			}
		})
	}
}
