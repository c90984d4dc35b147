//go:build conformance

package conformance

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// rises are what somebody could do to be more than they are, or to have something of theirs reach beyond the border. ME is
// who asks, NEAR and FAR are the tenants, UID is that of something beyond.
var rises = map[string]request{
	"BindsAdmin": {method: http.MethodPost, target: "/apis/rbac.authorization.k8s.io/v1/namespaces/NEAR/rolebindings",
		body: `{"metadata":{"name":"rise"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"},"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"ME"}]}`},
	"BindsAdminBeyond": {method: http.MethodPost, target: "/apis/rbac.authorization.k8s.io/v1/namespaces/FAR/rolebindings",
		body: `{"metadata":{"name":"rise"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"dogker-tenant-viewer"},"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"ME"}]}`},
	"BindsAdminEverywhere": {method: http.MethodPost, target: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
		body: `{"metadata":{"name":"rise"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"},"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"ME"}]}`},
	"JoinsOwners": {method: http.MethodPatch, target: "/apis/rbac.authorization.k8s.io/v1/namespaces/NEAR/rolebindings/dogker-tenant-owner",
		body: `{"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"ME"}]}`},
	"MakesARole": {method: http.MethodPost, target: "/apis/rbac.authorization.k8s.io/v1/namespaces/NEAR/roles",
		body: `{"metadata":{"name":"rise"},"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]}`},
	"WidensItsRole": {method: http.MethodPatch, target: "/apis/rbac.authorization.k8s.io/v1/clusterroles/dogker-tenant-viewer",
		body: `{"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]}`},
	"AggregatesAPower": {method: http.MethodPost, target: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
		body: `{"metadata":{"name":"rise","labels":{"rbac.authorization.k8s.io/aggregate-to-view":"true"}},"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["*"]}]}`},
	"JoinsATenant":       {method: http.MethodPatch, target: "/apis/dogker.io/v1alpha1/tenants/FAR", body: `{"spec":{"members":[{"kind":"User","name":"ME","roles":["owner"]}]}}`},
	"MakesItselfOwner":   {method: http.MethodPatch, target: "/apis/dogker.io/v1alpha1/tenants/NEAR", body: `{"spec":{"members":[{"kind":"User","name":"ME","roles":["owner"]}]}}`},
	"RaisesItsQuota":     {method: http.MethodPatch, target: "/apis/dogker.io/v1alpha1/tenants/NEAR", body: `{"spec":{"quota":{"replicas":10000}}}`},
	"WritesStatus":       {method: http.MethodPatch, target: "/apis/dogker.io/v1alpha1/tenants/NEAR/status", body: `{"status":{"namespace":"FAR"}}`},
	"WidensItsPlan":      {method: http.MethodPatch, target: "/apis/dogker.io/v1alpha1/plans/NEAR", body: `{"spec":{"securityProfile":"privileged"}}`},
	"MovesANamespace":    {method: http.MethodPatch, target: "/api/v1/namespaces/NEAR", body: `{"metadata":{"labels":{"dogker.io/tenant":"FAR"}}}`},
	"TakesANamespace":    {method: http.MethodPost, target: "/api/v1/namespaces", body: `{"metadata":{"name":"rise","labels":{"dogker.io/tenant":"NEAR"}}}`},
	"LiftsTheQuota":      {method: http.MethodPatch, target: "/api/v1/namespaces/NEAR/resourcequotas/dogker-tenant", body: `{"spec":{"hard":{"dogker.io/replicas":"1k"}}}`},
	"SetsAPassword":      {method: http.MethodPost, target: "/apis/identity.dogker.io/v1alpha1/users/owner-of-FAR/password", body: `{"password":"nine green bottles on a wall"}`},
	"EndsSessions":       {method: http.MethodDelete, target: "/apis/identity.dogker.io/v1alpha1/users/owner-of-FAR/sessions"},
	"JoinsAGroup":        {method: http.MethodPatch, target: "/apis/identity.dogker.io/v1alpha1/users/ME", body: `{"spec":{"groups":["team-of-FAR"]}}`},
	"TokenBeyond":        {method: http.MethodPost, target: "/api/v1/namespaces/FAR/serviceaccounts/robot/token", body: `{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}`},
	"DeployToken":        {method: http.MethodPost, target: "/apis/identity.dogker.io/v1alpha1/namespaces/FAR/deploytokens/web/token", body: `{}`},
	"TokenOfSyncsBeyond": {method: http.MethodPost, target: "/api/v1/namespaces/FAR/serviceaccounts/gitsync/token", body: `{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}`},
	"SyncsBeyond": {method: http.MethodPost, target: "/apis/gitops.dogker.io/v1alpha1/namespaces/FAR/gitsyncs",
		body: `{"apiVersion":"gitops.dogker.io/v1alpha1","kind":"GitSync","metadata":{"name":"rise"},"spec":{"url":"https://git.example/rise","prune":true}}`},
	"SyncsForThePlatform": {method: http.MethodPost, target: "/apis/gitops.dogker.io/v1alpha1/namespaces/dogker-system/gitsyncs",
		body: `{"apiVersion":"gitops.dogker.io/v1alpha1","kind":"GitSync","metadata":{"name":"rise"},"spec":{"url":"https://git.example/rise","prune":true}}`},
	"SaysWhatASyncHas": {method: http.MethodPatch, target: "/apis/gitops.dogker.io/v1alpha1/namespaces/NEAR/gitsyncs/web/status",
		body: `{"status":{"inventory":{"entries":[{"id":"NEAR_web_dogker.io_TenantContainer","v":"v1alpha1"}]}}}`},
	"ReviewsAToken": {method: http.MethodPost, target: "/apis/authentication.k8s.io/v1/tokenreviews", body: `{"spec":{"token":"x"}}`},
	"AsksForOthers": {method: http.MethodPost, target: "/apis/authorization.k8s.io/v1/subjectaccessreviews", body: `{"spec":{"user":"owner-of-FAR","resourceAttributes":{"namespace":"FAR","verb":"get","resource":"secrets"}}}`},
	"HooksIn": {method: http.MethodPost, target: "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
		body: `{"metadata":{"name":"rise"},"webhooks":[]}`},
	"ServesAnAPI":  {method: http.MethodPost, target: "/apis/apiregistration.k8s.io/v1/apiservices", body: `{"metadata":{"name":"v1.rise.example"},"spec":{"group":"rise.example","version":"v1","groupPriorityMinimum":1,"versionPriority":1}}`},
	"ChangesAKind": {method: http.MethodPatch, target: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tenantcontainers.dogker.io", body: `{"spec":{"conversion":{"strategy":"None"}}}`},
	"IsExempt":     {method: http.MethodPost, target: "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas", body: `{"metadata":{"name":"rise"},"spec":{"priorityLevelConfiguration":{"name":"exempt"}}}`},
	"TakesAPort":   {method: http.MethodPost, target: "/apis/coordination.k8s.io/v1/namespaces/dogker-system/leases", body: `{"metadata":{"name":"port-31000-tcp"}}`},
	"ReadsPorts":   {target: "/apis/coordination.k8s.io/v1/namespaces/dogker-system/leases"},
	"Leads":        {method: http.MethodPatch, target: "/apis/coordination.k8s.io/v1/namespaces/dogker-system/leases/dogker", body: `{"spec":{"holderIdentity":"ME"}}`},
	"SpeaksBeyond": {method: http.MethodPost, target: "/api/v1/namespaces/FAR/events", body: `{"metadata":{"name":"rise"},"involvedObject":{"namespace":"FAR","name":"web"}}`},
}

// slips are writes inside the own tenant that mean something beyond it. Who may not write at all is refused before; nobody
// gets them done.
var slips = map[string]request{
	"NamespaceInBody": {method: http.MethodPost, target: "/api/v1/namespaces/NEAR/configmaps", body: `{"metadata":{"name":"slip","namespace":"FAR"}}`},
	"NamespaceOfOurs": {method: http.MethodPost, target: "/apis/dogker.io/v1alpha1/namespaces/NEAR/tenantcontainers",
		body: `{"apiVersion":"dogker.io/v1alpha1","kind":"TenantContainer","metadata":{"name":"slip","namespace":"FAR"},"spec":{"image":"registry.example/shop:1.4"}}`},
	"NamespaceInPatch": {method: http.MethodPatch, target: "/api/v1/namespaces/NEAR/configmaps/web", body: `{"metadata":{"namespace":"FAR"}}`},
	"NamespaceInApply": {method: http.MethodPatch, target: "/api/v1/namespaces/NEAR/configmaps/web?fieldManager=slip&force=true",
		body:   `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"web","namespace":"FAR"}}`,
		header: http.Header{"Content-Type": {"application/apply-patch+yaml"}}},
	"NameInBody": {method: http.MethodPut, target: "/api/v1/namespaces/NEAR/configmaps/web", body: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"../FAR/web"}}`},
	"OddName":    {method: http.MethodPost, target: "/api/v1/namespaces/NEAR/configmaps", body: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"../FAR/web"}}`},
	"HoldsATenant": {method: http.MethodPost, target: "/api/v1/namespaces/NEAR/configmaps",
		body: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"slip","ownerReferences":[{"apiVersion":"dogker.io/v1alpha1","kind":"Tenant","name":"FAR","uid":"UID","blockOwnerDeletion":true}]}}`},
	"HoldsAnObject": {method: http.MethodPost, target: "/api/v1/namespaces/NEAR/configmaps",
		body: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"slip","ownerReferences":[{"apiVersion":"v1","kind":"Namespace","name":"FAR","uid":"UID","blockOwnerDeletion":true}]}}`},
	"NetworkBeyond": {method: http.MethodPost, target: "/apis/dogker.io/v1alpha1/namespaces/NEAR/tenantcontainers?fieldValidation=Strict",
		body: `{"apiVersion":"dogker.io/v1alpha1","kind":"TenantContainer","metadata":{"name":"slip"},"spec":{"image":"registry.example/shop:1.4","networks":[{"name":"FAR_default"}]}}`},
	"SecretBeyond": {method: http.MethodPost, target: "/apis/dogker.io/v1alpha1/namespaces/NEAR/tenantcontainers",
		body: `{"apiVersion":"dogker.io/v1alpha1","kind":"TenantContainer","metadata":{"name":"slip"},"spec":{"image":"registry.example/shop:1.4","env":[{"name":"IT","valueFrom":{"secretKeyRef":{"name":"FAR/web","key":"it"}}}]}}`},
	"CredentialsBeyond": {method: http.MethodPost, target: "/apis/dogker.io/v1alpha1/namespaces/NEAR/tenantcontainers",
		body: `{"apiVersion":"dogker.io/v1alpha1","kind":"TenantContainer","metadata":{"name":"slip"},"spec":{"image":"registry.example/shop:1.4","imagePullSecrets":[{"name":"FAR/web"}]}}`},
	"SecretOfNamespace": {method: http.MethodPost, target: "/apis/dogker.io/v1alpha1/namespaces/NEAR/tenantcontainers?fieldValidation=Strict",
		body: `{"apiVersion":"dogker.io/v1alpha1","kind":"TenantContainer","metadata":{"name":"slip"},"spec":{"image":"registry.example/shop:1.4","env":[{"name":"IT","valueFrom":{"secretKeyRef":{"namespace":"FAR","name":"web","key":"it"}}}]}}`},
	"SyncSecretBeyond": {method: http.MethodPost, target: "/apis/gitops.dogker.io/v1alpha1/namespaces/NEAR/gitsyncs",
		body: `{"apiVersion":"gitops.dogker.io/v1alpha1","kind":"GitSync","metadata":{"name":"slip"},"spec":{"url":"https://git.example/slip","prune":true,"secretRef":{"name":"FAR/web"}}}`},
	"SyncAccountBeyond": {method: http.MethodPost, target: "/apis/gitops.dogker.io/v1alpha1/namespaces/NEAR/gitsyncs",
		body: `{"apiVersion":"gitops.dogker.io/v1alpha1","kind":"GitSync","metadata":{"name":"slip"},"spec":{"url":"https://git.example/slip","prune":true,"serviceAccountName":"FAR:gitsync"}}`},
	"SyncNamespaceOfSecret": {method: http.MethodPost, target: "/apis/gitops.dogker.io/v1alpha1/namespaces/NEAR/gitsyncs?fieldValidation=Strict",
		body: `{"apiVersion":"gitops.dogker.io/v1alpha1","kind":"GitSync","metadata":{"name":"slip"},"spec":{"url":"https://git.example/slip","prune":true,"secretRef":{"namespace":"FAR","name":"web"}}}`},
	"SyncFromInside": {method: http.MethodPost, target: "/apis/gitops.dogker.io/v1alpha1/namespaces/NEAR/gitsyncs",
		body: `{"apiVersion":"gitops.dogker.io/v1alpha1","kind":"GitSync","metadata":{"name":"slip"},"spec":{"url":"https://127.0.0.1:6443/slip","prune":true}}`},
	"PlatformAnnotation": {method: http.MethodPatch, target: "/apis/dogker.io/v1alpha1/namespaces/NEAR/tenantcontainers/web", body: `{"metadata":{"annotations":{"billing.dogker.io/suspend":"no"}}}`},
	"RevisionSecret":     {method: http.MethodPost, target: "/api/v1/namespaces/NEAR/secrets", body: `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"slip"},"type":"dogker.io/revision-env"}`},
}

// tryToRise: nobody becomes more than they are.
func (b *border) tryToRise(t *testing.T, p *person) {
	t.Helper()
	names := strings.NewReplacer("NEAR", p.at.name, "FAR", p.beyond.name, "ME", p.name, "UID", p.beyond.uids[0])
	filled := func(r request) request {
		r.target, r.body = names.Replace(r.target), names.Replace(r.body)
		return r
	}
	for claim, r := range rises {
		b.across.Add(1)
		if code, body := b.send(t, p.client, p.sends(filled(r))); code != http.StatusForbidden {
			t.Errorf("CROSSED: %s %s: %d %.500s, want 403", p.name, claim, code, body)
		}
	}
	for claim, r := range slips {
		b.across.Add(1)
		if code, body := b.send(t, p.client, p.sends(filled(r))); code < http.StatusBadRequest || code >= http.StatusInternalServerError {
			t.Errorf("CROSSED: %s %s: %d %.500s, want a refusal", p.name, claim, code, body)
		}
	}
	for _, verb := range []string{"impersonate", "bind", "escalate", "approve", "sign", "use", "*"} {
		for _, resource := range []string{"users", "groups", "serviceaccounts", "clusterroles.rbac.authorization.k8s.io", "roles.rbac.authorization.k8s.io", "*"} {
			if p.token == "" {
				continue
			}
			name, group, _ := strings.Cut(resource, ".")
			b.refuses(t, p, fmt.Sprintf(`{"namespace":%q,"verb":%q,"group":%q,"resource":%q}`, p.at.name, verb, group, name))
			b.refuses(t, p, fmt.Sprintf(`{"namespace":%q,"verb":%q,"group":%q,"resource":%q}`, p.beyond.name, verb, group, name))
		}
	}
}

// sends is the request as somebody sends it. What is in their own words may stand in the answer.
func (p *person) sends(r request) request {
	r.token = p.token
	return r
}

// refuses asks can-i, which has to say no.
func (b *border) refuses(t *testing.T, p *person, attributes string) {
	t.Helper()
	b.asked.Add(1)
	code, body := b.as(t, p, request{
		method: http.MethodPost, target: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
		body: `{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{"resourceAttributes":` + attributes + `}}`,
	})
	if code != http.StatusCreated || !strings.Contains(body, `"allowed":false`) {
		t.Errorf("CROSSED: can-i says yes to %s about %s: %d %s", p.name, attributes, code, body)
	}
}
