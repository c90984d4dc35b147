package tenant

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
)

func TestPlan(t *testing.T) {
	ada := member(v1alpha1.MemberUser, "ada", v1alpha1.RoleOwner)
	robot := member(v1alpha1.MemberServiceAccount, "deployer", v1alpha1.RoleDeveloper)

	cases := map[string]struct {
		reason  string
		members []v1alpha1.Member
		change  func(*situation)
		steps   []string
		wait    string
	}{
		"Quiet": {
			reason: "Everything is in place, nothing is written.", members: []v1alpha1.Member{ada, robot}, change: func(*situation) {},
		},
		"Everything": {
			reason:  "A new tenant gets all of it in one pass, but for the network, whose subnet must be seen by everybody first.",
			members: []v1alpha1.Member{ada, robot},
			change: func(s *situation) {
				s.namespace, s.found = nil, nil
				s.network = network{found: true, fresh: view("10.64.0.0/24").Network.Subnets[0]}
			},
			steps: []string{
				`create Namespace "acme"`, `create ResourceQuota "dogker-tenant"`,
				`create ServiceAccount "deployer"`, `create ServiceAccount "gitsync"`,
				`create RoleBinding "dogker-tenant-owner"`, `create RoleBinding "dogker-tenant-developer"`,
				`create ClusterRole "dogker-tenant:acme"`, `create ClusterRoleBinding "dogker-tenant:acme"`,
			},
			wait: v1alpha1.ReasonProvisioning,
		},
		"Nobody": {
			reason: "A tenant without members has no rights to give, but to its GitSyncs.",
			change: func(s *situation) { s.found = nil },
			steps: []string{
				`create ResourceQuota "dogker-tenant"`, `create ServiceAccount "gitsync"`, `create RoleBinding "dogker-tenant-developer"`,
			},
		},
		"MadeBeforeGitSyncs": {
			reason:  "A tenant of a version that knew no GitSyncs gets their account, and the binding it had has one more.",
			members: []v1alpha1.Member{ada, robot},
			change: func(s *situation) {
				lacking(`ServiceAccount "gitsync"`)(s)
				b := find(s, `RoleBinding "dogker-tenant-developer"`).(*rbacv1.RoleBinding)
				b.Subjects = slices.DeleteFunc(b.Subjects, func(s rbacv1.Subject) bool { return s.Name == "gitsync" })
			},
			steps: []string{`create ServiceAccount "gitsync"`, `update RoleBinding "dogker-tenant-developer"`},
		},
		"AccountOfGitSyncsNamed": {
			reason:  "Who is named a member gets these rights on top, and its account is there once.",
			members: []v1alpha1.Member{member(v1alpha1.MemberServiceAccount, "gitsync", v1alpha1.RoleOwner)},
			change:  func(s *situation) { s.found = nil },
			steps: []string{
				`create ResourceQuota "dogker-tenant"`, `create ServiceAccount "gitsync"`,
				`create RoleBinding "dogker-tenant-owner"`, `create RoleBinding "dogker-tenant-developer"`,
				`create ClusterRole "dogker-tenant:acme"`, `create ClusterRoleBinding "dogker-tenant:acme"`,
			},
		},
		"AccountOfGitSyncsMadeByHand": {
			reason: "One that was there before is it as it is.",
			change: func(s *situation) { find(s, `ServiceAccount "gitsync"`).SetLabels(nil) },
		},
		"MemberTakenOut": {
			reason:  "The last one of a role takes the binding along; it goes before anything is made. Syncs stay.",
			members: []v1alpha1.Member{ada, robot},
			change: func(s *situation) {
				s.tenant.Spec.Members = []v1alpha1.Member{ada}
				s.tenant.Spec.Quota = &v1alpha1.Quota{Replicas: new(int64(50))}
			},
			steps: []string{
				`remove ServiceAccount "deployer"`,
				`update ResourceQuota "dogker-tenant"`, `update RoleBinding "dogker-tenant-developer"`, `update ClusterRoleBinding "dogker-tenant:acme"`,
			},
		},
		"RightsOutliveThePlan": {
			reason:  "Without a plan there is no quota to set, but who was taken out has lost his rights all the same.",
			members: []v1alpha1.Member{ada, robot},
			change: func(s *situation) {
				s.plan, s.tenant.Spec.Members = nil, []v1alpha1.Member{robot}
			},
			steps: []string{`remove RoleBinding "dogker-tenant-owner"`, `update ClusterRoleBinding "dogker-tenant:acme"`},
			wait:  v1alpha1.ReasonPlanNotFound,
		},
		"BindingGone": {
			reason: "What somebody takes away is put back.", members: []v1alpha1.Member{ada},
			change: lacking(`RoleBinding "dogker-tenant-owner"`),
			steps:  []string{`create RoleBinding "dogker-tenant-owner"`},
		},
		"BindingWidened": {
			reason: "Who is not in the spec is no member, whoever has let him in.", members: []v1alpha1.Member{ada},
			change: func(s *situation) {
				b := find(s, `RoleBinding "dogker-tenant-owner"`).(*rbacv1.RoleBinding)
				b.Subjects = append(b.Subjects, rbacv1.Subject{Kind: "User", Name: "mallory"})
			},
			steps: []string{`update RoleBinding "dogker-tenant-owner"`},
		},
		"BindingToAnotherRole": {
			reason: "RBAC lets no binding change its role, so it is made anew.", members: []v1alpha1.Member{ada},
			change: func(s *situation) {
				find(s, `RoleBinding "dogker-tenant-owner"`).(*rbacv1.RoleBinding).RoleRef.Name = "cluster-admin"
			},
			steps: []string{`remove RoleBinding "dogker-tenant-owner"`, `create RoleBinding "dogker-tenant-owner"`},
		},
		"SelfRoleWidened": {
			reason: "Members see their own tenant, and no other.", members: []v1alpha1.Member{ada},
			change: func(s *situation) {
				find(s, `ClusterRole "dogker-tenant:acme"`).(*rbacv1.ClusterRole).Rules[0].ResourceNames = nil
			},
			steps: []string{`update ClusterRole "dogker-tenant:acme"`},
		},
		"QuotaLifted": {
			reason: "A quota that somebody has lifted is put back.",
			change: func(s *situation) {
				find(s, `ResourceQuota "dogker-tenant"`).(*corev1.ResourceQuota).Spec.Hard[v1alpha1.ResourceReplicas] = resource.MustParse("1000")
			},
			steps: []string{`update ResourceQuota "dogker-tenant"`},
		},
		"OthersStay": {
			reason: "What the platform team adds in the namespace is none of our business.",
			change: func(s *situation) {
				s.found = append(s.found,
					&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "gitops"}},
					&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "default"}},
					&corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "more"}})
			},
		},
		"AccountOfSomebodyElse": {
			reason:  "A service account that was there before is a member as it is, and stays when the member goes.",
			members: []v1alpha1.Member{robot},
			change:  func(s *situation) { find(s, `ServiceAccount "deployer"`).SetLabels(nil) },
		},
		"LabelTornOff": {
			reason: "The namespace stays the tenant's.",
			change: func(s *situation) {
				s.namespace.Labels, s.tenant.Status.Namespace = nil, "acme"
			},
			steps: []string{`update Namespace "acme"`},
		},
		"ForeignNamespace": {
			reason: "A namespace that was there before is left alone: nothing is made in it.",
			change: func(s *situation) { s.namespace.Labels, s.found = nil, nil },
			wait:   v1alpha1.ReasonNamespaceConflict,
		},
		"NamespaceOfAnother": {
			reason: "A label that names another tenant is no consent.",
			change: func(s *situation) {
				s.namespace.Labels[v1alpha1.LabelTenant], s.tenant.Status.Namespace = "globex", "acme"
			},
			wait: v1alpha1.ReasonNamespaceConflict,
		},
		"NamespaceGoesAway": {
			reason: "In a namespace that is being deleted nothing can be made.",
			change: func(s *situation) { s.namespace.DeletionTimestamp, s.found = &metav1.Time{Time: epoch}, nil },
			wait:   v1alpha1.ReasonNamespaceTerminating,
		},
		"Adopted": {
			reason: "A namespace that says whose it is becomes the tenant's, with the UID of the one that there is now.",
			change: func(s *situation) { s.namespace.Labels = map[string]string{v1alpha1.LabelTenant: "acme"} },
			steps:  []string{`update Namespace "acme"`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			steps, err := plan(complete(acme(tc.members...), tc.change))

			if diff := cmp.Diff(tc.steps, texts(steps)); diff != "" {
				t.Errorf("%s\nsteps (-want +got):\n%s", tc.reason, diff)
			}
			if got := waitReason(err); got != tc.wait {
				t.Errorf("%s\nwait %q, want %q", tc.reason, got, tc.wait)
			}
		})
	}
}

func waitReason(err error) string {
	var wait *outcome.Wait
	if errors.As(err, &wait) {
		return wait.Reason
	}

	return ""
}

// TestRightsFollowMembers: whatever the members were and are, after the steps exactly those are bound who are members now,
// to exactly their roles; nothing is bound twice, no step touches another namespace, and a second plan has no steps.
func TestRightsFollowMembers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		was, is := drawMembers(t, "was"), drawMembers(t, "is")

		s := complete(acme(was...))
		s.tenant.Spec.Members = is

		steps, err := plan(s)
		if err != nil {
			t.Fatal(err)
		}

		have := map[string]client.Object{}
		for _, o := range s.found {
			have[keyOf(o)] = o
		}

		for _, st := range steps {
			carryOut(t, have, st)
		}

		if diff := cmp.Diff(rightsOf(is), boundIn(have)); diff != "" {
			t.Fatalf("rights (-want +got):\n%s", diff)
		}

		s.found = nil
		for _, o := range have {
			s.found = append(s.found, o)
		}

		if steps, _ := plan(s); len(steps) > 0 {
			t.Fatalf("a second plan is not empty: %q", texts(steps))
		}
	})
}

func drawMembers(t *rapid.T, label string) []v1alpha1.Member {
	type key struct {
		kind v1alpha1.MemberKind
		name string
	}

	kinds := []v1alpha1.MemberKind{v1alpha1.MemberUser, v1alpha1.MemberGroup, v1alpha1.MemberServiceAccount}
	names := rapid.SampledFrom([]string{"ada", "bob", "owner", "gitsync"})
	key1 := rapid.Custom(func(t *rapid.T) key { return key{rapid.SampledFrom(kinds).Draw(t, "kind"), names.Draw(t, "name")} })

	var out []v1alpha1.Member
	for _, k := range rapid.SliceOfDistinct(key1, func(k key) key { return k }).Draw(t, label) {
		who := rapid.SliceOfNDistinct(rapid.SampledFrom(roles), 1, 4, func(r v1alpha1.TenantRole) v1alpha1.TenantRole { return r })
		out = append(out, member(k.kind, k.name, who.Draw(t, "roles")...))
	}

	return out
}

// carryOut does to the objects what the API server would.
func carryOut(t *rapid.T, have map[string]client.Object, st step) {
	switch st := st.(type) {
	case createObject:
		if have[keyOf(st.object)] != nil {
			t.Fatalf("%s is there already", keyOf(st.object))
		}
		if ns := st.object.GetNamespace(); ns != "" && ns != "acme" {
			t.Fatalf("%s is in namespace %q", keyOf(st.object), ns)
		}

		have[keyOf(st.object)] = st.object
	case updateObject:
		have[keyOf(st.object)] = st.object
	case removeObject:
		delete(have, keyOf(st.object))
	default:
		t.Fatalf("unexpected step %s", st)
	}
}

func rightsOf(members []v1alpha1.Member) map[string]bool {
	out := map[string]bool{"ServiceAccount gitsync dogker-tenant-developer": true}

	for _, m := range members {
		for _, r := range m.Roles {
			out[string(m.Kind)+" "+m.Name+" "+v1alpha1.TenantRolePrefix+string(r)] = true
		}

		out[string(m.Kind)+" "+m.Name+" dogker-tenant:acme"] = true
	}

	return out
}

func boundIn(have map[string]client.Object) map[string]bool {
	out := map[string]bool{}

	for _, o := range have {
		switch b := o.(type) {
		case *rbacv1.RoleBinding:
			for _, s := range b.Subjects {
				out[s.Kind+" "+s.Name+" "+b.RoleRef.Name] = true
			}
		case *rbacv1.ClusterRoleBinding:
			for _, s := range b.Subjects {
				out[s.Kind+" "+s.Name+" "+b.RoleRef.Name] = true
			}
		}
	}

	return out
}
