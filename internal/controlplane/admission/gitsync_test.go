package admission

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/client-go/dynamic/fake"
	"k8s.io/kubernetes/pkg/apis/authentication"
	core "k8s.io/kubernetes/pkg/apis/core"
	"sigs.k8s.io/yaml"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
)

// accountsOf are those whose tokens people may create, in namespace shop; an empty name is for all.
var accountsOf = map[string][]string{
	"dev":                                {gitopsv1.AccountName},
	"owner":                              {gitopsv1.AccountName, "boss", ""},
	"system:serviceaccount:shop:gitsync": {gitopsv1.AccountName},
	"system:serviceaccount:shop:boss":    {gitopsv1.AccountName, "boss", ""},
}

func byAccounts(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	switch {
	case a.GetVerb() != "create" || a.GetAPIGroup() != "" || a.GetResource() != "serviceaccounts" || a.GetSubresource() != "token" || !a.IsResourceRequest():
		return authorizer.DecisionDeny, "", nil
	case a.GetUser().GetName() == "platform", a.GetNamespace() == "shop" && slices.Contains(accountsOf[a.GetUser().GetName()], a.GetName()):
		return authorizer.DecisionAllow, "", nil
	case a.GetUser().GetName() == "blind":
		return authorizer.DecisionNoOpinion, "", errBoom
	}

	return authorizer.DecisionNoOpinion, "", nil
}

// sync is a GitSync with what the YAML says about it.
func sync(t *testing.T, spec string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{}}
	if err := yaml.Unmarshal([]byte(spec), &u.Object); err != nil {
		t.Fatal(err)
	}
	u.SetAPIVersion(gitopsv1.GroupVersion.String())
	u.SetKind("GitSync")
	u.SetNamespace("shop")
	if u.GetName() == "" {
		u.SetName("web")
	}

	return u
}

// syncRequest is what a plugin is asked about a GitSync; without now it is its deletion.
func syncRequest(who, namespace string, now, old *unstructured.Unstructured) admission.Attributes {
	op, name := admission.Update, "web"
	var object, before runtime.Object
	switch {
	case now == nil:
		op, before = admission.Delete, old
	case old == nil:
		op, object = admission.Create, now
	default:
		object, before = now, old
	}

	return admission.NewAttributesRecord(object, before, gitopsv1.GroupVersion.WithKind("GitSync"), namespace, name, syncResource, "", op, nil, true,
		&user.DefaultInfo{Name: who})
}

func syncPlugin(others ...runtime.Object) *GitSync {
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{syncResource: "GitSyncList"}, others...)

	return &GitSync{
		Handler: admission.NewHandler(admission.Create, admission.Update, admission.Delete),
		client:  client, authorizer: authorizer.AuthorizerFunc(byAccounts),
	}
}

func TestWhoMaySync(t *testing.T) {
	const (
		plain  = "spec: {url: 'https://git.example.com/a', prune: true, serviceAccountName: gitsync}"
		bosses = "spec: {url: 'https://git.example.com/a', prune: true, serviceAccountName: boss}"
		theirs = "spec: {url: 'https://git.example.com/evil', prune: true, serviceAccountName: boss}"
		kept   = "spec: {url: 'https://git.example.com/a', prune: false, serviceAccountName: boss}"
		orphan = "spec: {url: 'https://git.example.com/a', prune: true, serviceAccountName: boss, deletionPolicy: Orphan}"
		taken  = "spec: {url: 'https://git.example.com/a', prune: false, serviceAccountName: boss, deletionPolicy: Delete}"
	)
	going := func(spec string) *unstructured.Unstructured {
		u := sync(t, spec)
		u.SetDeletionTimestamp(&metav1.Time{Time: moment})
		return u
	}
	labelled := sync(t, bosses)
	labelled.SetLabels(map[string]string{"team": "web"})

	for claim, tc := range map[string]struct {
		reason   string
		who      string
		now, old *unstructured.Unstructured
		want     bool
	}{
		"Developer":         {"Developers sync with their own rights.", "dev", sync(t, plain), nil, true},
		"DeveloperAsBoss":   {"Who names an account is that account.", "dev", sync(t, bosses), nil, false},
		"Owner":             {"Who may have all tokens may name all accounts.", "owner", sync(t, bosses), nil, true},
		"Viewer":            {"Who has no right to the account has none by a GitSync.", "viewer", sync(t, plain), nil, false},
		"ByDefault":         {"Who names no account names the default one.", "dev", sync(t, "spec: {url: 'https://git.example.com/a', prune: true}"), nil, true},
		"ByDefaultNot":      {"That one is not for everybody either.", "viewer", sync(t, "spec: {url: 'https://git.example.com/a', prune: true}"), nil, false},
		"Redirects":         {"Who says which repository decides what the account does.", "dev", sync(t, theirs), sync(t, bosses), false},
		"Rises":             {"An own sync does not become the boss's.", "dev", sync(t, bosses), sync(t, plain), false},
		"TakesOver":         {"A sync of the boss is not for others to change.", "dev", sync(t, plain), sync(t, bosses), false},
		"Labels":            {"What says nothing about what is synced takes no right.", "dev", labelled, sync(t, bosses), true},
		"Sync":              {"A sync may make syncs that are what it is.", "system:serviceaccount:shop:gitsync", sync(t, plain), nil, true},
		"SyncAsBoss":        {"A sync makes none that is more than it is.", "system:serviceaccount:shop:gitsync", sync(t, bosses), nil, false},
		"BossSync":          {"One that is more makes more.", "system:serviceaccount:shop:boss", sync(t, bosses), nil, true},
		"WhileItGoes":       {"What is deleted is deleted as the account in the spec.", "dev", going(bosses), going(plain), false},
		"LetsGo":            {"A finalizer is no part of the spec.", "dev", going(bosses), going(bosses), true},
		"Deletes":           {"A deletion prunes as the account.", "dev", nil, sync(t, plain), true},
		"DeletesTheBosses":  {"It would delete what only the boss may.", "dev", nil, sync(t, bosses), false},
		"DeletesByPolicy":   {"The policy says so too.", "dev", nil, sync(t, taken), false},
		"LeavesAll":         {"A sync that leaves everything behind acts as nobody.", "dev", nil, sync(t, orphan), true},
		"LeavesAllUnpruned": {"So does one that does not prune.", "dev", nil, sync(t, kept), true},
		"BossDeletes":       {"The boss may.", "owner", nil, sync(t, bosses), true},
		"Blind":             {"What cannot be judged is not let in.", "blind", sync(t, plain), nil, false},
	} {
		t.Run(claim, func(t *testing.T) {
			err := syncPlugin().Validate(t.Context(), syncRequest(tc.who, "shop", tc.now, tc.old), nil)
			if (err == nil) != tc.want {
				t.Fatalf("got %v, want let in to be %v: %s", err, tc.want, tc.reason)
			}
			if err != nil && (!apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "spec.serviceAccountName: Forbidden: \"") ||
				!strings.Contains(err.Error(), `needs the right to create serviceaccounts/token of it in namespace "shop"`)) {
				t.Errorf("the refusal says %v", err)
			}
		})
	}
}

// TestTokensOfSyncs: the right by which developers name the account gives no token of it, neither asked for nor in a Secret.
func TestTokensOfSyncs(t *testing.T) {
	p := &TokenSecret{authorizer: authorizer.AuthorizerFunc(byAccounts)}
	secret := &core.Secret{Type: core.SecretTypeServiceAccountToken}
	secret.Annotations = map[string]string{core.ServiceAccountNameKey: gitopsv1.AccountName}
	asked := func(who, account string) admission.Attributes {
		return admission.NewAttributesRecord(&authentication.TokenRequest{}, nil, schema.GroupVersionKind{Group: "authentication.k8s.io", Version: "v1", Kind: "TokenRequest"},
			"shop", account, core.Resource("serviceaccounts").WithVersion("v1"), "token", admission.Create, nil, false, &user.DefaultInfo{Name: who})
	}
	kept := func(who string) admission.Attributes {
		return admission.NewAttributesRecord(secret, nil, core.SchemeGroupVersion.WithKind("Secret"),
			"shop", "token", core.Resource("secrets").WithVersion("v1"), "", admission.Create, nil, false, &user.DefaultInfo{Name: who})
	}

	for claim, tc := range map[string]struct {
		reason  string
		request admission.Attributes
		want    bool
	}{
		"DeveloperAsks":  {"It would outlive the membership.", asked("dev", gitopsv1.AccountName), false},
		"DeveloperKeeps": {"So would that one, for ever.", kept("dev"), false},
		"SyncAsks":       {"What a sync is told by a repository is no different.", asked("system:serviceaccount:shop:gitsync", gitopsv1.AccountName), false},
		"OwnerAsks":      {"Who may have all tokens may have this one.", asked("owner", gitopsv1.AccountName), true},
		"OwnerKeeps":     {"In a Secret too.", kept("owner"), true},
		"OtherAccount":   {"Who may have tokens of other accounts is said by RBAC alone.", asked("dev", "ci"), true},
	} {
		t.Run(claim, func(t *testing.T) {
			err := p.Validate(t.Context(), tc.request, nil)
			if (err == nil) != tc.want {
				t.Fatalf("got %v, want let in to be %v: %s", err, tc.want, tc.reason)
			}
			if err != nil && (!apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `is for naming it in spec.serviceAccountName of GitSyncs`)) {
				t.Errorf("the refusal says %v", err)
			}
		})
	}
}

func TestSyncSpec(t *testing.T) {
	const ssh = "secretRef: {name: git}"
	for claim, tc := range map[string]struct {
		reason string
		spec   string
		says   []string
	}{
		"Plain":         {"A repository of everybody's.", "url: 'https://git.example.com/a'", nil},
		"AtInPath":      {"Only before the host is it a user.", "url: 'https://git.example.com/@team/a'", nil},
		"SSH":           {"With a key.", "url: 'ssh://git@git.example.com/a', " + ssh, nil},
		"PublicAddress": {"Addresses are names too.", "url: 'https://1.1.1.1/a'", nil},
		"Everything": {"All of it together.", `url: 'https://git.example.com/a', path: ./deploy/..prod, ref: {branch: main, commit: ` + strings.Repeat("a", 40) +
			`}, postBuild: {substitute: {a_1: x}, substituteFrom: [{kind: Secret, name: a}, {kind: ConfigMap, name: a}]}, ignoreFields: [{paths: [/spec/replicas, /metadata/labels/x]}],
			commitStatus: {provider: gitea, address: 'https://git.example.com/api', secretRef: {name: git}}`, nil},

		"SSHWithoutKey":   {"Nobody is let in without one.", "url: 'ssh://git@git.example.com/a'", []string{"spec.secretRef: Required value: names the Secret with identity and known_hosts"}},
		"HTTPWithSecret":  {"Everybody could read it.", "url: 'http://git.example.com/a', " + ssh, []string{`spec.url: Invalid value: "http://git.example.com/a": must begin with https:// or ssh://`}},
		"Loopback":        {"Tenants do not reach the server's machine.", "url: 'https://127.0.0.1/a'", []string{`spec.url: Invalid value: "https://127.0.0.1/a": must not be at a private`}},
		"LoopbackByName":  {"By its name neither.", "url: 'https://LocalHost./a'", []string{"must not be at a private"}},
		"Metadata":        {"Nor the service that knows a cloud's secrets.", "url: 'http://169.254.169.254/latest'", []string{"must not be at a private"}},
		"IPv6":            {"There are two kinds of addresses.", "url: 'https://[fd00::1]:3000/a'", []string{"must not be at a private"}},
		"MappedIPv6":      {"And one within the other.", "url: 'https://[::ffff:10.0.0.1]/a'", []string{"must not be at a private"}},
		"Query":           {"Tokens stand there.", "url: 'https://git.example.com/a?access_token=hunter2'", []string{`spec.url: Invalid value: "https://git.example.com/a?[redacted]": must have no query`}},
		"NoPath":          {"A server is no repository.", "url: 'https://git.example.com//'", []string{"must have the path of a repository"}},
		"AbsolutePath":    {"Where files are on a server is nobody's business.", "url: 'https://git.example.com/a', path: /etc", []string{`spec.path: Invalid value: "/etc": must be relative`}},
		"PathOut":         {"It ends at the root.", "url: 'https://git.example.com/a', path: apps/../../b", []string{`spec.path: Invalid value: "apps/../../b"`}},
		"Branch":          {"Names that no branch can have are not looked for.", "url: 'https://git.example.com/a', ref: {branch: 'a..b'}", []string{`spec.ref.branch: Invalid value: "a..b": is no name`}},
		"SemVer":          {"A range is one.", "url: 'https://git.example.com/a', ref: {semver: latest}", []string{`spec.ref.semver: Invalid value: "latest": is no range of versions`}},
		"SHA256":          {"Repositories with such hashes cannot be read yet.", "url: 'https://git.example.com/a', ref: {commit: " + strings.Repeat("a", 64) + "}", []string{"spec.ref.commit: Invalid value"}},
		"Variable":        {"It could never be used.", "url: 'https://git.example.com/a', postBuild: {substitute: {1a: x}}", []string{`spec.postBuild.substitute: Invalid value: "1a"`}},
		"Twice":           {"The second would win over itself.", "url: 'https://git.example.com/a', postBuild: {substituteFrom: [{kind: Secret, name: a}, {kind: Secret, name: a}]}", []string{`spec.postBuild.substituteFrom[1]: Duplicate value: "Secret/a"`}},
		"IgnoresIdentity": {"An object without its name is none.", "url: 'https://git.example.com/a', ignoreFields: [{paths: [/spec/replicas, /metadata]}]", []string{`spec.ignoreFields[0].paths[1]: Invalid value: "/metadata": must be a JSON pointer`}},
		"StatusInClear":   {"A token goes there.", "url: 'https://git.example.com/a', commitStatus: {provider: gitea, address: 'http://git.example.com', secretRef: {name: git}}", []string{`spec.commitStatus.address: Invalid value: "http://git.example.com": must begin with https://`}},
		"StatusInside":    {"The address rule is for all that is dialed.", "url: 'https://git.example.com/a', commitStatus: {provider: gitea, address: 'https://10.0.0.1', secretRef: {name: git}}", []string{"spec.commitStatus.address: Invalid value"}},
		"SeveralAtOnce":   {"Whoever has made two mistakes is told of both.", "url: 'ssh://git@10.0.0.1/a', path: ..", []string{"spec.secretRef", "spec.url", "spec.path"}},
	} {
		t.Run(claim, func(t *testing.T) {
			now := sync(t, "spec: {prune: true, "+tc.spec+"}")
			err := syncPlugin().Admit(t.Context(), syncRequest("owner", "shop", now, nil), nil)
			if err == nil {
				err = syncPlugin().Validate(t.Context(), syncRequest("owner", "shop", now, nil), nil)
			}
			says(t, tc.reason, err, tc.says)
		})
	}
}

// TestSyncsOfThePlatform: those who run the machines reach all of their addresses, and so does everybody where they say so.
func TestSyncsOfThePlatform(t *testing.T) {
	inside := sync(t, `spec: {prune: true, url: 'http://10.0.0.1/a', commitStatus: {provider: gitea, address: 'http://10.0.0.1', secretRef: {name: git}}}`)
	if err := syncPlugin().Validate(t.Context(), syncRequest("platform", "dogker-system", inside, nil), nil); err != nil {
		t.Errorf("in the platform's namespace: %v", err)
	}
	p := syncPlugin()
	if err := p.Validate(t.Context(), syncRequest("owner", "shop", inside, nil), nil); err == nil {
		t.Error("a tenant's sync reaches a private address")
	}
	p.SetPrivateRepositories(true)
	if err := p.Validate(t.Context(), syncRequest("owner", "shop", inside, nil), nil); err != nil {
		t.Errorf("where private repositories are allowed: %v", err)
	}
}

// TestPasswordsInURLs: they are refused before the schema, which would show them, and are not shown.
func TestPasswordsInURLs(t *testing.T) {
	for _, url := range []string{
		"https://jane:hunter2@git.example.com/a", "https://hunter2@git.example.com/a", "http://jane:hunter2@git.example.com/a", "jane:hunter2@git.example.com/a",
		"ssh://git:hunter2@git.example.com/a", "ftp://jane:hunter2@git.example.com/a", "https://jane:hunter2@git.example.com", "https://jane:hun/ter2@git.example.com/a",
		"https://jane:hunter2@git.example.com/a?b", "https://jane:hun%ter2@git.example.com/a", "//jane:hunter2@git.example.com/a",
	} {
		for _, spec := range []string{"url: '" + url + "'", "url: 'https://git.example.com/a', commitStatus: {provider: gitea, secretRef: {name: git}, address: '" + url + "'}"} {
			err := syncPlugin().Admit(t.Context(), syncRequest("owner", "shop", sync(t, "spec: {prune: true, "+spec+"}"), nil), nil)
			if !apierrors.IsInvalid(err) || strings.Contains(err.Error(), "ter2") || strings.Contains(err.Error(), "jane") || !strings.Contains(err.Error(), "[redacted]@git.example.com") {
				t.Errorf("%s: %v", spec, err)
			}
		}
	}
	if got, want := hidden("https://git.example.com/a?t=1"), "https://git.example.com/a?[redacted]"; got != want {
		t.Errorf("shown is %s, want %s", got, want)
	}
}

func TestSyncIsBornWithItsFinalizer(t *testing.T) {
	now := sync(t, "spec: {prune: true, url: 'https://git.example.com/a'}")
	for range 2 {
		if err := syncPlugin().Admit(t.Context(), syncRequest("dev", "shop", now, nil), nil); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{gitopsv1.FinalizerGitSync}, now.GetFinalizers()); diff != "" {
			t.Errorf("finalizers (-want +got):\n%s", diff)
		}
	}

	gone := now.DeepCopy()
	gone.SetFinalizers(nil)
	gone.SetDeletionTimestamp(&metav1.Time{Time: moment})
	if err := syncPlugin().Admit(t.Context(), syncRequest("dev", "shop", gone, now), nil); err != nil || len(gone.GetFinalizers()) > 0 {
		t.Errorf("one that is let go has %v: %v", gone.GetFinalizers(), err)
	}
}

func TestCircleOfSyncs(t *testing.T) {
	on := func(name string, others string) *unstructured.Unstructured {
		return sync(t, "metadata: {name: "+name+"}\nspec: {prune: true, url: 'https://git.example.com/a', dependsOn: ["+others+"]}")
	}
	there := []runtime.Object{on("api", "{name: web}"), on("db", "")}

	for claim, tc := range map[string]struct {
		reason string
		others string
		says   []string
	}{
		"None":    {"A line ends.", "{name: db}", nil},
		"Missing": {"What is not there yet may come.", "{name: none}", nil},
		"Itself":  {"The shortest circle.", "{name: web}", []string{`spec.dependsOn: Invalid value: "web": must not lead back to the GitSync itself: web → web`}},
		"Two":     {"A circle by way of another.", "{name: db}, {name: api}", []string{"web → api → web"}},
	} {
		t.Run(claim, func(t *testing.T) {
			says(t, tc.reason, syncPlugin(there...).Validate(t.Context(), syncRequest("dev", "shop", on("web", tc.others), nil), nil), tc.says)
		})
	}
}

// says holds an error against what it has to say; nothing is no error.
func says(t *testing.T, reason string, err error, want []string) {
	t.Helper()
	if len(want) == 0 {
		if err != nil {
			t.Errorf("%s\nrefused: %v", reason, err)
		}

		return
	}
	if !apierrors.IsInvalid(err) {
		t.Fatalf("%s\ngot %v, want it to be invalid", reason, err)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s\nit says %v, want %q in it", reason, err, w)
		}
	}
}
