package identity

import (
	"context"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
)

const dogkerGroup = "dogker.io"

// scopeRules are what the bearer of a DeployToken may do in its namespace, in the words of RBAC.
func scopeRules(spec v1alpha1.DeployTokenSpec) []rbacv1.PolicyRule {
	var names []string
	for _, c := range spec.Containers {
		names = append(names, string(c))
	}
	named := func(resources []string, verbs ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{dogkerGroup}, Resources: resources, ResourceNames: names, Verbs: verbs}
	}
	containers := []string{"tenantcontainers", "tenantcontainers/status", "tenantcontainers/scale"}

	rules := []rbacv1.PolicyRule{
		named(containers, "get", "list", "watch"),
	}
	// Revisions and events are named after their container with a suffix, so that RBAC cannot tell whose they are.
	if len(names) == 0 {
		rules = append(rules,
			rbacv1.PolicyRule{APIGroups: []string{dogkerGroup}, Resources: []string{"containerrevisions"}, Verbs: []string{"get", "list", "watch"}},
			rbacv1.PolicyRule{APIGroups: []string{"", "events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"get", "list", "watch"}},
		)
	}
	if spec.Scope != v1alpha1.ScopeDeploy {
		return rules
	}
	rules = append(rules, named([]string{"tenantcontainers", "tenantcontainers/scale"}, "update", "patch"))
	if len(names) == 0 {
		rules = append(rules, named([]string{"tenantcontainers"}, "create"))
	}

	return rules
}

// Scopes lets the bearers of DeployTokens do what their scopes say. It is to be asked beside RBAC, says no to nobody, and
// answers kubectl auth can-i --list, too.
type Scopes struct {
	people People
}

var (
	_ authorizer.Authorizer   = Scopes{}
	_ authorizer.RuleResolver = Scopes{}
)

// NewScopes makes the authorizer of the DeployTokens that people has.
func NewScopes(people People) Scopes { return Scopes{people: people} }

// Authorize implements authorizer.Authorizer.
func (s Scopes) Authorize(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	if a.GetUser() != nil && rbac.RulesAllow(a, s.rules(a.GetUser(), a.GetNamespace())...) {
		return authorizer.DecisionAllow, "allowed by the scope of the deploy token", nil
	}

	return authorizer.DecisionNoOpinion, "", nil
}

// RulesFor implements authorizer.RuleResolver.
func (s Scopes) RulesFor(_ context.Context, who user.Info, namespace string) ([]authorizer.ResourceRuleInfo, []authorizer.NonResourceRuleInfo, bool, error) {
	var infos []authorizer.ResourceRuleInfo
	for _, r := range s.rules(who, namespace) {
		infos = append(infos, &authorizer.DefaultResourceRuleInfo{
			Verbs: r.Verbs, APIGroups: r.APIGroups, Resources: r.Resources, ResourceNames: r.ResourceNames,
		})
	}

	return infos, nil, false, nil
}

// rules are what the user may do in the namespace by a DeployToken of that namespace; none for everybody else.
func (s Scopes) rules(who user.Info, namespace string) []rbacv1.PolicyRule {
	own, name, ok := deployTokenOf(who)
	if !ok || namespace == "" || own != namespace {
		return nil
	}
	d, found := s.people.DeployToken(own, name)
	if !found || d.DeletionTimestamp != nil {
		return nil
	}

	return scopeRules(d.Spec)
}

// deployTokenOf is the DeployToken that somebody acts by.
func deployTokenOf(who user.Info) (namespace, name string, ok bool) {
	rest, found := strings.CutPrefix(who.GetName(), v1alpha1.DeployTokenPrefix)
	if !found || !slices.Contains(who.GetGroups(), v1alpha1.GroupDeployTokens) {
		return "", "", false
	}
	namespace, name, ok = strings.Cut(rest, ":")

	return namespace, name, ok
}
