//go:build conformance

package conformance

import (
	"fmt"
	"strings"
	"testing"
)

const smallPlan = `apiVersion: dogker.io/v1alpha1
kind: Plan
metadata: {name: %s}
spec:
  quota: {containers: 20, replicas: 40, limits: {cpu: "8", memory: 8Gi}}
`

const someTenant = `apiVersion: dogker.io/v1alpha1
kind: Tenant
metadata: {name: %s}
spec:
  planName: %s
  displayName: Some Ltd
  members:
  - {kind: User, name: ada@%[1]s, roles: [owner]}
  - {kind: Group, name: developers-of-%[1]s, roles: [developer]}
  - {kind: User, name: eve@%[1]s, roles: [viewer]}
  - {kind: ServiceAccount, name: deployer, roles: [developer]}
`

// tenantFor makes a plan and a tenant that has it. There is no engine, so that the network waits; all the rest is there.
func tenantFor(t *testing.T, k *kubectl, name string) {
	t.Helper()

	k.do(fmt.Sprintf(smallPlan, name), "apply", "-f", "-")
	k.do(fmt.Sprintf(someTenant, name, name), "apply", "-f", "-")
	k.do("", "wait", "--for=jsonpath={.status.namespace}="+name, "tenant/"+name, "--timeout=30s")
}

func TestTenantByKubectl(t *testing.T) {
	withKubectls(t, func(t *testing.T, k *kubectl) {
		name := "tenant-" + k.namespace
		tenantFor(t, k, name)

		contains(t, "explain", k.do("", "explain", "tn.spec.deletionPolicy"), "Protect", "Delete", "dogker.io/delete-data")
		contains(t, "explain of a plan", k.do("", "explain", "plan.spec.containerDefaults.limits.cpu"), "CPU the task may use")
		contains(t, "get", k.do("", "get", "tenants", name), "READY", "STATUS", "PLAN", "CONTAINERS", name, "Unknown", "EngineUnavailable", "0/20")
		contains(t, "get -o wide", k.do("", "get", "tn", name, "-o", "wide"), "SUBNET", "ADDRESSES", "Some Ltd", "The engine does not answer")
		contains(t, "get by category", k.do("", "get", "dogker"), "tenant.dogker.io/"+name, "plan.dogker.io/"+name)
		contains(t, "describe", k.do("", "describe", "tenant", name), "Deletion Policy:", "Protect", "Conditions:", "Members:", "EngineUnavailable")
		k.do("", "wait", "--for=condition=Ready", "plan/"+name, "--timeout=30s")
		await(t, "the plan counts its tenants", func() bool {
			return k.do("", "get", "plan", name, "-o", "jsonpath={.status.tenants}") == "1"
		})

		in := *k
		in.namespace = name
		await(t, "the quota is in the namespace", func() bool {
			out, _, code := in.run("", "describe", "quota", "dogker-tenant")

			return code == 0 && strings.Contains(out, "count/tenantcontainers.dogker.io") && strings.Contains(out, "dogker.io/replicas")
		})
		contains(t, "accounts", in.do("", "get", "serviceaccounts"), "deployer")

		before := k.do("", "get", "tenant", name, "-o", "jsonpath={.metadata.resourceVersion}")
		k.do(fmt.Sprintf(someTenant, name, name), "apply", "-f", "-")
		if after := k.do("", "get", "tenant", name, "-o", "jsonpath={.metadata.resourceVersion}"); after != before {
			t.Errorf("applying the same again moved the resourceVersion from %s to %s", before, after)
		}
	})
}

// TestTenantRights: members may do what their roles say, in their own namespace and nowhere else, for as long as they are
// members.
func TestTenantRights(t *testing.T) {
	admin := &kubectl{t: t, server: shared, namespace: shared.namespace(t), command: []string{"kubectl"}}
	mine, other := "mine-"+admin.namespace, "other-"+admin.namespace
	tenantFor(t, admin, mine)
	tenantFor(t, admin, other)

	may := func(want bool, who, namespace string, args ...string) {
		t.Helper()

		k := *admin
		k.namespace = namespace
		await(t, fmt.Sprintf("%s in %s: may %s is %v", who, namespace, strings.Join(args, " "), want), func() bool {
			_, _, code := k.run("", append([]string{"auth", "can-i"}, append(args, strings.Fields(who)...)...)...)

			return (code == 0) == want
		})
	}

	owner, viewer := "--as ada@"+mine, "--as eve@"+mine
	developer := "--as bob --as-group developers-of-" + mine
	robot := "--as system:serviceaccount:" + mine + ":deployer"

	for _, who := range []string{owner, developer, robot} {
		may(true, who, mine, "create", "tenantcontainers.dogker.io")
		may(true, who, mine, "patch", "tenantcontainers.dogker.io", "--subresource", "scale")
		may(true, who, mine, "get", "secrets")
		may(false, who, mine, "update", "resourcequotas")
		may(false, who, mine, "create", "rolebindings.rbac.authorization.k8s.io")
		may(false, who, mine, "delete", "namespaces")
		may(false, who, other, "get", "tenantcontainers.dogker.io")
		may(false, who, "default", "get", "secrets")
		may(true, who, mine, "get", "tenants.dogker.io/"+mine)
		may(false, who, mine, "patch", "tenants.dogker.io/"+mine)
		may(false, who, mine, "get", "tenants.dogker.io/"+other)
		may(false, who, mine, "list", "tenants.dogker.io")
	}

	may(true, owner, mine, "create", "serviceaccounts", "--subresource", "token")
	may(false, developer, mine, "create", "serviceaccounts", "--subresource", "token")
	may(true, viewer, mine, "list", "tenantcontainers.dogker.io")
	may(false, viewer, mine, "get", "secrets")
	may(false, viewer, mine, "create", "tenantcontainers.dogker.io")

	admin.do("", "patch", "tenant", mine, "--type=json", "-p", `[{"op": "remove", "path": "/spec/members/0"}]`)
	may(false, owner, mine, "get", "tenantcontainers.dogker.io")
	may(false, owner, mine, "get", "tenants.dogker.io/"+mine)
	may(true, viewer, mine, "get", "tenantcontainers.dogker.io")
}

// TestTenantDrift: what somebody changes of what was made for a tenant is put back.
func TestTenantDrift(t *testing.T) {
	k := &kubectl{t: t, server: shared, namespace: shared.namespace(t), command: []string{"kubectl"}}
	name := "drift-" + k.namespace
	tenantFor(t, k, name)
	k.namespace = name

	for what, tamper := range map[string][]string{
		"RoleBindingDeleted": {"delete", "rolebinding", "dogker-tenant-owner"},
		"RoleBindingWidened": {"patch", "rolebinding", "dogker-tenant-viewer", "--type=json", "-p", `[{"op": "replace", "path": "/subjects/0/name", "value": "mallory"}]`},
		"QuotaLifted":        {"patch", "quota", "dogker-tenant", "--type=merge", "-p", `{"spec": {"hard": {"dogker.io/replicas": "1k"}}}`},
		"NamespaceUnlabeled": {"label", "namespace", name, "dogker.io/tenant-"},
		"AccountDeleted":     {"delete", "serviceaccount", "deployer"},
	} {
		t.Run(what, func(t *testing.T) {
			k := *k
			k.t = t
			state := func() string {
				return k.do("", "get", "rolebinding,quota,serviceaccount", "-o", `jsonpath={range .items[*]}{.metadata.name}{.subjects}{.spec.hard}{"\n"}{end}`) +
					k.do("", "get", "namespace", name, "-o", `jsonpath={.metadata.labels.dogker\.io/tenant}`)
			}

			await(t, "everything is there", func() bool { return strings.Contains(state(), "deployer") })

			before := state()
			k.do("", tamper...)
			await(t, "it is put back", func() bool { return state() == before })
		})
	}
}

// TestTenantIsProtected: a deletion that would lose something is refused before it begins.
func TestTenantIsProtected(t *testing.T) {
	k := &kubectl{t: t, server: shared, namespace: shared.namespace(t), command: []string{"kubectl"}}
	name := "safe-" + k.namespace
	tenantFor(t, k, name)
	k.namespace = name

	refused := func(says string) {
		t.Helper()

		for _, args := range [][]string{{"delete", "tenant", name}, {"delete", "tenants", "--field-selector", "metadata.name=" + name}} {
			if _, stderr, code := k.run("", append(args, "--wait=false")...); code == 0 || !strings.Contains(stderr, says) {
				t.Errorf("kubectl %s: exit code %d, and it does not say %q:\n%s", strings.Join(args, " "), code, says, stderr)
			}
		}
		if at := k.do("", "get", "tenant", name, "-o", "jsonpath={.metadata.deletionTimestamp}"); at != "" {
			t.Errorf("it is being deleted since %s", at)
		}
	}

	k.do("", "create", "secret", "generic", "db", "--from-literal=password=x")
	refused("the tenant has data (Secret db)")

	k.do("", "patch", "tenant", name, "--type=merge", "-p", `{"spec": {"deletionPolicy": "Delete"}}`)
	refused("dogker.io/delete-data=" + name)

	k.do("", "annotate", "tenant", name, "dogker.io/delete-data="+name)
	k.do("", "delete", "tenant", name, "--wait=false")
}

// TestTenantRefusals: what cannot be a tenant or a plan is refused with the field, its value and what is allowed.
func TestTenantRefusals(t *testing.T) {
	k := &kubectl{t: t, server: shared, namespace: shared.namespace(t), command: []string{"kubectl"}}

	tenant := func(name, spec string) string {
		return "apiVersion: dogker.io/v1alpha1\nkind: Tenant\nmetadata: {name: " + name + "}\nspec: {planName: small, " + spec + "}\n"
	}
	plan := func(spec string) string {
		return "apiVersion: dogker.io/v1alpha1\nkind: Plan\nmetadata: {name: bad}\nspec: {" + spec + "}\n"
	}

	for name, tc := range map[string]struct {
		yaml string
		says []string
	}{
		"PlatformNamespace":   {tenant("kube-system", ""), []string{"metadata.name", `"kube-system"`, "belong to the platform"}},
		"DefaultNamespace":    {tenant("default", ""), []string{"metadata.name", "belong to the platform"}},
		"NameWithDots":        {tenant("a.b", ""), []string{"metadata.name", "DNS label"}},
		"NoPlan":              {strings.Replace(tenant("x", ""), "planName: small, ", "", 1), []string{"spec.planName", "Required"}},
		"UnknownRole":         {tenant("x", "members: [{kind: User, name: a, roles: [admin]}]"), []string{"spec.members[0].roles[0]", `"admin"`, "owner"}},
		"NoRole":              {tenant("x", "members: [{kind: User, name: a, roles: []}]"), []string{"spec.members[0].roles", "at least 1"}},
		"SystemUser":          {tenant("x", "members: [{kind: User, name: 'system:admin', roles: [owner]}]"), []string{"spec.members[0].name", "system:"}},
		"SystemGroup":         {tenant("x", "members: [{kind: Group, name: 'system:authenticated', roles: [owner]}]"), []string{"spec.members[0].name", "system:"}},
		"AccountOfSomewhere":  {tenant("x", "members: [{kind: ServiceAccount, name: 'a:b', roles: [owner]}]"), []string{"spec.members[0].name", "system:serviceaccount:NAMESPACE:NAME"}},
		"TwiceAMember":        {tenant("x", "members: [{kind: User, name: a, roles: [owner]}, {kind: User, name: a, roles: [viewer]}]"), []string{"spec.members[1]", "Duplicate"}},
		"PortsBackwards":      {tenant("x", "portRange: {from: 3000, to: 2000}"), []string{"spec.portRange", "from must not be greater than to"}},
		"PrivilegedPorts":     {tenant("x", "portRange: {from: 80, to: 2000}"), []string{"spec.portRange.from", "1024"}},
		"NegativeQuota":       {tenant("x", "quota: {limits: {memory: -1Gi}}"), []string{"spec.quota.limits.memory", `"-1Gi"`, "from 0 to 64Pi"}},
		"NoMail":              {tenant("x", "contacts: [{email: ada}]"), []string{"spec.contacts[0].email", `"ada"`}},
		"UnknownPolicy":       {tenant("x", "deletionPolicy: Force"), []string{"spec.deletionPolicy", `"Force"`, "Protect"}},
		"UnknownField":        {tenant("x", "admins: []"), []string{`unknown field "spec.admins"`}},
		"UnknownProfile":      {plan("securityProfile: loose"), []string{"spec.securityProfile", `"loose"`, "restricted"}},
		"RequestBeyondLimit":  {plan("containerDefaults: {requests: {cpu: '2'}, limits: {cpu: '1'}}"), []string{"spec.containerDefaults", "requests.cpu 2 must not be greater than limits.cpu 1"}},
		"BadPattern":          {plan("images: {allowed: ['*']}"), []string{"spec.images.allowed[0]", `"*"`}},
		"NoKey":               {plan("images: {signatures: [{name: a, publicKeys: [x]}]}"), []string{"spec.images.signatures[0].publicKeys[0]", "PEM"}},
		"TooSmallADefaultCPU": {plan("containerDefaults: {limits: {cpu: 1m}}"), []string{"spec.containerDefaults.limits.cpu", `"1m"`, "10m"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, code := k.run(tc.yaml, "apply", "-f", "-")
			if code == 0 {
				t.Fatal("it was accepted")
			}

			contains(t, "the refusal", stderr, tc.says...)
		})
	}
}
