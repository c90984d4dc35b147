//go:build conformance

package conformance

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
)

var gitSyncs = gitopsv1.GroupVersion.WithResource("gitsyncs")

// syncingTenant has a ServiceAccount that may more than developers do.
const syncingTenant = `apiVersion: dogker.io/v1alpha1
kind: Plan
metadata: {name: %[1]s}
spec: {quota: {gitSyncs: 3}}
---
apiVersion: dogker.io/v1alpha1
kind: Tenant
metadata: {name: %[1]s}
spec:
  planName: %[1]s
  members:
  - {kind: User, name: ada@%[1]s, roles: [owner]}
  - {kind: User, name: bob@%[1]s, roles: [developer]}
  - {kind: User, name: eve@%[1]s, roles: [viewer]}
  - {kind: User, name: kim@%[1]s, roles: [billing]}
  - {kind: ServiceAccount, name: boss, roles: [owner]}
`

// newSyncingTenant makes such a tenant, and waits until its accounts have their rights.
func newSyncingTenant(t *testing.T) string {
	t.Helper()
	name := "syncing-" + shared.namespace(t)
	k := &kubectl{t: t, server: shared, namespace: "default", command: []string{"kubectl"}}
	k.do(fmt.Sprintf(syncingTenant, name), "apply", "-f", "-")
	for account, role := range map[string]string{gitopsv1.AccountName: "developer", "boss": "owner"} {
		await(t, account+" is there, and a "+role, func() bool {
			client := shared.client(t)
			_, err1 := client.CoreV1().ServiceAccounts(name).Get(t.Context(), account, metav1.GetOptions{})
			binding, err2 := client.RbacV1().RoleBindings(name).Get(t.Context(), "dogker-tenant-"+role, metav1.GetOptions{})

			return err1 == nil && err2 == nil && slices.Contains(binding.Subjects, rbacv1.Subject{Kind: "ServiceAccount", Namespace: name, Name: account})
		})
	}
	// Who makes requests sees bindings a moment later than who reads them.
	_, ada := as(t, shared, "ada@"+name)
	await(t, "members are let in", func() bool {
		_, err := ada.Resource(gitSyncs).Namespace(name).List(t.Context(), metav1.ListOptions{})

		return err == nil
	})

	return name
}

// gitSync is one that rests.
func gitSync(t *testing.T, name, spec string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	text := "apiVersion: gitops.dogker.io/v1alpha1\nkind: GitSync\nmetadata: {name: " + name + "}\nspec: {prune: true, suspend: true, " + spec + "}\n"
	if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
		t.Fatal(err)
	}

	return u
}

// TestWhoMaySync: whoever decides about a GitSync acts as its account; so nobody does who could not be it, in whatever way.
func TestWhoMaySync(t *testing.T) {
	ns := newSyncingTenant(t)
	syncs := shared.dynamic(t).Resource(gitSyncs).Namespace(ns)
	const repository = "url: 'https://git.example/a'"
	for _, u := range []*unstructured.Unstructured{gitSync(t, "plain", repository), gitSync(t, "of-boss", repository+", serviceAccountName: boss")} {
		if _, err := syncs.Create(t.Context(), u, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	// mallory may write GitSyncs, and nothing else in the world.
	client := shared.client(t).RbacV1()
	_, err1 := client.Roles(ns).Create(t.Context(), &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "syncs-only"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{gitSyncs.Group}, Resources: []string{"gitsyncs"}, Verbs: []string{"*"}},
	}}, metav1.CreateOptions{})
	_, err2 := client.RoleBindings(ns).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "syncs-only"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "syncs-only"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "mallory"}},
	}, metav1.CreateOptions{})
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	_, mallory := as(t, shared, "mallory")
	await(t, "mallory may write GitSyncs", func() bool {
		_, err := mallory.Resource(gitSyncs).Namespace(ns).List(t.Context(), metav1.ListOptions{})
		return err == nil
	})

	const byAdmission, byRBAC = "serviceaccounts/token of it in namespace", "cannot"
	const asBoss = repository + ", serviceAccountName: boss"
	const redirect = `{"spec":{"url":"https://git.example/evil"}}`
	ada, bob, eve, kim := "ada@"+ns, "bob@"+ns, "eve@"+ns, "kim@"+ns
	sync, boss := "system:serviceaccount:"+ns+":gitsync", "system:serviceaccount:"+ns+":boss"
	for claim, tc := range map[string]struct {
		reason string
		who    string
		// verb may name an object, and a namespace: create, patch NAME, delete NAME, create in NAMESPACE.
		verb, what string
		refused    string
	}{
		"DeveloperSyncs":        {"As a developer.", bob, "create", repository, ""},
		"DeveloperNamesTheBoss": {"The boss may more.", bob, "create", asBoss, byAdmission},
		"DeveloperNamesDefault": {"That account has no rights today; tomorrow it may.", bob, "create", repository + ", serviceAccountName: default", byAdmission},
		"DeveloperTurnsHis":     {"It would run as the boss.", bob, "patch plain", `{"spec":{"serviceAccountName":"boss"}}`, byAdmission},
		"DeveloperTurnsTheBoss": {"Another repository is other work.", bob, "patch of-boss", redirect, byAdmission},
		"DeveloperWakesTheBoss": {"To resume it is to change what it does.", bob, "patch of-boss", `{"spec":{"suspend":false}}`, byAdmission},
		"DeveloperTakesTheBoss": {"What the boss applied would be the developer's.", bob, "patch of-boss", `{"spec":{"serviceAccountName":"gitsync"}}`, byAdmission},
		"DeveloperRequests":     {"A hint to look changes nothing of what is done.", bob, "patch of-boss", `{"metadata":{"annotations":{"reconcile.fluxcd.io/requestedAt":"now"}}}`, ""},
		"DeveloperDropsTheBoss": {"It prunes as the boss.", bob, "delete of-boss", "", byAdmission},
		"DeveloperDropsHis":     {"It prunes as a developer.", bob, "delete plain", "", ""},
		"OwnerNamesTheBoss":     {"Owners may be any account of their tenant.", ada, "create", asBoss, ""},
		"OwnerTurnsTheBoss":     {"And change what it does.", ada, "patch of-boss", `{"spec":{"path":"apps"}}`, ""},
		"OwnerDropsTheBoss":     {"And have it prune.", ada, "delete of-boss", "", ""},
		"ViewerSyncs":           {"Viewers look.", eve, "create", repository, byRBAC},
		"ViewerSuspends":        {"And touch nothing.", eve, "patch plain", `{"spec":{"suspend":false}}`, byRBAC},
		"BillingSyncs":          {"Who pays does not deploy.", kim, "create", repository, byRBAC},
		"SyncsOnly":             {"The right to GitSyncs alone is the right to nothing.", "mallory", "create", repository, byAdmission},
		"SyncsOnlyChanges":      {"Not by way of one that is there either.", "mallory", "patch plain", redirect, byAdmission},
		"SyncsOnlyDrops":        {"Nor to have its objects deleted.", "mallory", "delete plain", "", byAdmission},
		"SyncBySync":            {"A repository may hold GitSyncs.", sync, "create", repository, ""},
		"SyncBySyncRises":       {"Which are no more than it is.", sync, "create", asBoss, byAdmission},
		"SyncTurnsTheBoss":      {"And change no others.", sync, "patch of-boss", redirect, byAdmission},
		"SyncOfTheBoss":         {"What runs as the boss may make what runs as the boss.", boss, "create", asBoss, ""},
		"SyncElsewhere":         {"No account of a tenant is anybody in another namespace.", boss, "create in default", repository, byRBAC},
		"SyncForThePlatform":    {"Least of all in the platform's.", boss, "create in dogker-system", repository, byRBAC},
		"DeveloperElsewhere":    {"Nor is a member.", bob, "create in dogker-system", repository, byRBAC},
		"PasswordInURL":         {"It would stand in the object for all to read.", ada, "create", "url: 'https://jane:hunter2@git.example/a'", "[redacted]@git.example/a"},
		"PrivateAddress":        {"Tenants do not reach the inside.", ada, "create", "url: 'https://169.254.169.254/a'", "must not be at a private"},
		"SSHWithoutKey":         {"It could not be fetched.", ada, "create", "url: 'ssh://git@git.example/a'", "spec.secretRef: Required value"},
		"PathOut":               {"Nothing is beyond the root.", ada, "create", repository + ", path: ../..", `spec.path: Invalid value: "../.."`},
		"Itself":                {"Nobody is ready before himself.", ada, "create", repository + ", dependsOn: [{name: made}]", "made → made"},
		"WildName":              {"Labels hold the name.", ada, "create a.b", repository, "metadata.name"},
	} {
		t.Run(claim, func(t *testing.T) {
			err := trySync(t, tc.who, ns, tc.verb, tc.what)
			switch {
			case tc.refused == "" && err != nil:
				t.Errorf("%s\n%s is refused: %v", tc.reason, tc.who, err)
			case tc.refused != "" && err == nil:
				t.Errorf("CROSSED: %s\n%s may", tc.reason, tc.who)
			case err != nil && (!strings.Contains(err.Error(), tc.refused) || strings.Contains(err.Error(), "hunter2") || !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err)):
				t.Errorf("%s\nthe refusal says %v, want %q in it", tc.reason, err, tc.refused)
			}
		})
	}
}

// trySync does something about GitSyncs, as a dry run.
func trySync(t *testing.T, who, namespace, verb, what string) error {
	t.Helper()
	verb, name, _ := strings.Cut(verb, " ")
	if elsewhere, found := strings.CutPrefix(name, "in "); found {
		name, namespace = "", elsewhere
	}
	_, custom := as(t, shared, who)
	syncs, dry := custom.Resource(gitSyncs).Namespace(namespace), []string{metav1.DryRunAll}

	var err error
	switch verb {
	case "create":
		_, err = syncs.Create(t.Context(), gitSync(t, cmp.Or(name, "made"), what), metav1.CreateOptions{DryRun: dry})
	case "patch":
		_, err = syncs.Patch(t.Context(), name, types.MergePatchType, []byte(what), metav1.PatchOptions{DryRun: dry})
	case "delete":
		err = syncs.Delete(t.Context(), name, metav1.DeleteOptions{DryRun: dry})
	default:
		t.Fatalf("there is no verb %q", verb)
	}

	return err
}

// TestTokensOfSyncs: what lets developers name the account is no way to be it outside of GitSyncs, where it would outlive them.
func TestTokensOfSyncs(t *testing.T) {
	ns := newSyncingTenant(t)
	ask := func(who string) error {
		client, _ := as(t, shared, who)
		_, err := client.CoreV1().ServiceAccounts(ns).CreateToken(t.Context(), gitopsv1.AccountName, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})

		return err
	}
	keep := func(who string) error {
		client, _ := as(t, shared, who)
		_, err := client.CoreV1().Secrets(ns).Create(t.Context(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "token", Annotations: map[string]string{corev1.ServiceAccountNameKey: gitopsv1.AccountName}},
			Type:       corev1.SecretTypeServiceAccountToken,
		}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})

		return err
	}

	for _, who := range []string{"bob@" + ns, "system:serviceaccount:" + ns + ":gitsync"} {
		for way, err := range map[string]error{"asks": ask(who), "keeps": keep(who)} {
			if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "is for naming it in spec.serviceAccountName of GitSyncs") {
				t.Errorf("CROSSED: %s %s for a token: %v", who, way, err)
			}
		}
	}
	if err := errors.Join(ask("ada@"+ns), keep("ada@"+ns)); err != nil {
		t.Errorf("an owner gets none: %v", err)
	}
}

// TestGitSyncByKubectl: what people see of the kind, and what of it is theirs.
func TestGitSyncByKubectl(t *testing.T) {
	withKubectls(t, func(t *testing.T, k *kubectl) {
		sample := "apiVersion: gitops.dogker.io/v1alpha1\nkind: GitSync\nmetadata: {name: shop}\n" +
			"spec: {url: 'https://git.example/shop', prune: true, suspend: true}\n"
		k.do(sample, "apply", "-f", "-")
		contains(t, "get", k.do("", "get", "gs"), "READY", "STATUS", "REVISION", "SUSPENDED", "shop", "true")
		contains(t, "get -o wide", k.do("", "get", "gitsyncs", "-o", "wide"), "OBJECTS", "URL", "PATH", "MESSAGE", "https://git.example/shop")
		contains(t, "get by category", k.do("", "get", "dogker"), "gitsync.gitops.dogker.io/shop")
		contains(t, "describe", k.do("", "describe", "gitsync", "shop"), "Service Account Name:", "gitsync", "Deletion Policy:", "MirrorPrune", "Interval:")
		contains(t, "explain", k.do("", "explain", "gs"), "GitSync keeps what a directory of a Git repository declares applied")
		contains(t, "explain a field", k.do("", "explain", "gitsync.spec.prune"), "Prune deletes what it has applied")
		contains(t, "explain --recursive", k.do("", "explain", "gs.spec", "--recursive"), "serviceAccountName", "substituteFrom", "commitStatus")
		if got := k.do("", "get", "gs", "shop", "-o", "jsonpath={.metadata.finalizers}"); got != `["`+gitopsv1.FinalizerGitSync+`"]` {
			t.Errorf("it is born with finalizers %s", got)
		}

		// What people send of the status with an object is not taken.
		k.do(sample+"status: {lastAppliedRevision: mine, inventory: {entries: [{id: a_b__ConfigMap, v: v1}]}}\n", "apply", "--server-side", "--force-conflicts", "-f", "-")
		if got := k.do("", "get", "gs", "shop", "-o", "jsonpath={.status.lastAppliedRevision}{.status.inventory}"); got != "" {
			t.Errorf("somebody without a right to it has written the status: %s", got)
		}
		k.do("", "delete", "gs", "shop", "--wait=false")
		// Whoever may update one that is being deleted may let it go.
		k.run("", "patch", "gs", "shop", "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)
		k.do("", "wait", "--for=delete", "gs/shop", "--timeout=30s")
	})
}

// TestQuotaOfGitSyncs: a plan bounds their number, and says so.
func TestQuotaOfGitSyncs(t *testing.T) {
	ns := newSyncingTenant(t)
	await(t, "the quota counts", func() bool {
		q, err := shared.client(t).CoreV1().ResourceQuotas(ns).Get(t.Context(), v1alpha1.TenantQuotaName, metav1.GetOptions{})

		return err == nil && len(q.Status.Used) == len(q.Spec.Hard)
	})
	_, bob := as(t, shared, "bob@"+ns)
	var err error
	for i := range 4 {
		_, err = bob.Resource(gitSyncs).Namespace(ns).Create(t.Context(), gitSync(t, fmt.Sprintf("sync-%d", i), "url: 'https://git.example/a'"), metav1.CreateOptions{})
		if i < 3 && err != nil {
			t.Fatalf("the plan allows three, and number %d is refused: %v", i+1, err)
		}
	}
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "count/gitsyncs.gitops.dogker.io=3") {
		t.Errorf("the fourth: %v", err)
	}
}
