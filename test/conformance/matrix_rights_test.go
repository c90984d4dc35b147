//go:build conformance

package conformance

import (
	"slices"
	"strings"
)

const (
	toRead   = "get list watch"
	toChange = "create update patch delete deletecollection"
	toDoAll  = toRead + " " + toChange
)

// What each role allows in its own tenant, by kind and in the words of docs/reference/tenant.md. It is written down here
// once more, and not read from the roles: those are what is put to the test. Of what is above namespaces (tenants, plans,
// namespaces), it is about the one object that is the tenant's own.
var (
	ownerRights = map[string]string{
		"volumes.dogker.io":                        toDoAll,
		"volumes.dogker.io/status":                 "get",
		"volumesnapshots.dogker.io":                toDoAll,
		"volumesnapshots.dogker.io/status":         "get",
		"tenantcontainers.dogker.io":               toDoAll,
		"tenantjobs.dogker.io":                     toDoAll,
		"tenantjobs.dogker.io/status":              "get",
		"tenantcontainers.dogker.io/scale":         "get update patch",
		"tenantcontainers.dogker.io/status":        "get",
		"containerrevisions.dogker.io":             toRead,
		"secrets":                                  toDoAll,
		"configmaps":                               toDoAll,
		"serviceaccounts":                          toDoAll,
		"serviceaccounts/token":                    "create",
		"pods":                                     toRead + " delete",
		"pods/status":                              "get",
		"pods/log":                                 "get",
		"pods/exec":                                "get create",
		"pods/attach":                              "get create",
		"pods/portforward":                         "get create",
		"pods/proxy":                               "get create update patch delete",
		"pods.metrics.k8s.io":                      "get list",
		"events":                                   toRead,
		"events.events.k8s.io":                     toRead,
		"resourcequotas":                           toRead,
		"resourcequotas/status":                    "get",
		"roles.rbac.authorization.k8s.io":          toRead,
		"rolebindings.rbac.authorization.k8s.io":   toRead,
		"gitsyncs.gitops.dogker.io":                toDoAll,
		"gitsyncs.gitops.dogker.io/status":         "get",
		"alerts.monitoring.dogker.io":              toDoAll,
		"receivers.monitoring.dogker.io":           toDoAll,
		"alerts.monitoring.dogker.io/status":       "get",
		"receivers.monitoring.dogker.io/status":    "get",
		"gitpreviews.gitops.dogker.io":             toDoAll,
		"imagepolicies.gitops.dogker.io":           toDoAll,
		"gitpreviews.gitops.dogker.io/status":      "get",
		"imagepolicies.gitops.dogker.io/status":    "get",
		"deploytokens.identity.dogker.io":          toDoAll,
		"deploytokens.identity.dogker.io/token":    "create",
		"billingaccounts.billing.dogker.io":        toRead + " update patch",
		"billingaccounts.billing.dogker.io/status": "get",
		"billingaccounts.billing.dogker.io/ledger": "get",
		"topups.billing.dogker.io":                 toRead + " create delete",
		"topups.billing.dogker.io/status":          "get",
		"refunds.billing.dogker.io":                toRead,
		"refunds.billing.dogker.io/status":         "get",
		"statements.billing.dogker.io":             toRead,
		"namespaces":                               "get",
		"tenants.dogker.io":                        toRead,
		"plans.dogker.io":                          toRead,
	}
	developerRights = map[string]string{
		"volumes.dogker.io":                     toDoAll,
		"volumes.dogker.io/status":              "get",
		"volumesnapshots.dogker.io":             toDoAll,
		"volumesnapshots.dogker.io/status":      "get",
		"tenantcontainers.dogker.io":            toDoAll,
		"tenantjobs.dogker.io":                  toDoAll,
		"tenantjobs.dogker.io/status":           "get",
		"tenantcontainers.dogker.io/scale":      "get update patch",
		"tenantcontainers.dogker.io/status":     "get",
		"containerrevisions.dogker.io":          toRead,
		"secrets":                               toDoAll,
		"configmaps":                            toDoAll,
		"serviceaccounts":                       toRead,
		"pods":                                  toRead + " delete",
		"pods/status":                           "get",
		"pods/log":                              "get",
		"pods/exec":                             "get create",
		"pods/attach":                           "get create",
		"pods/portforward":                      "get create",
		"pods/proxy":                            "get create update patch delete",
		"pods.metrics.k8s.io":                   "get list",
		"events":                                toRead,
		"events.events.k8s.io":                  toRead,
		"resourcequotas":                        toRead,
		"resourcequotas/status":                 "get",
		"gitsyncs.gitops.dogker.io":             toDoAll,
		"gitsyncs.gitops.dogker.io/status":      "get",
		"alerts.monitoring.dogker.io":           toDoAll,
		"receivers.monitoring.dogker.io":        toDoAll,
		"alerts.monitoring.dogker.io/status":    "get",
		"receivers.monitoring.dogker.io/status": "get",
		"gitpreviews.gitops.dogker.io":          toDoAll,
		"imagepolicies.gitops.dogker.io":        toDoAll,
		"gitpreviews.gitops.dogker.io/status":   "get",
		"imagepolicies.gitops.dogker.io/status": "get",
		"deploytokens.identity.dogker.io":       toRead,
		"billingaccounts.billing.dogker.io":     toRead,
		"namespaces":                            "get",
		"tenants.dogker.io":                     toRead,
		"plans.dogker.io":                       toRead,
	}
	viewerRights = map[string]string{
		"volumes.dogker.io":                     toRead,
		"volumes.dogker.io/status":              "get",
		"volumesnapshots.dogker.io":             toRead,
		"volumesnapshots.dogker.io/status":      "get",
		"tenantcontainers.dogker.io":            toRead,
		"tenantjobs.dogker.io":                  toRead,
		"tenantjobs.dogker.io/status":           "get",
		"tenantcontainers.dogker.io/scale":      "get",
		"tenantcontainers.dogker.io/status":     "get",
		"containerrevisions.dogker.io":          toRead,
		"configmaps":                            toRead,
		"serviceaccounts":                       toRead,
		"pods":                                  toRead,
		"pods/status":                           "get",
		"pods/log":                              "get",
		"pods.metrics.k8s.io":                   "get list",
		"events":                                toRead,
		"events.events.k8s.io":                  toRead,
		"resourcequotas":                        toRead,
		"resourcequotas/status":                 "get",
		"gitsyncs.gitops.dogker.io":             toRead,
		"gitsyncs.gitops.dogker.io/status":      "get",
		"alerts.monitoring.dogker.io":           toRead,
		"receivers.monitoring.dogker.io":        toRead,
		"alerts.monitoring.dogker.io/status":    "get",
		"receivers.monitoring.dogker.io/status": "get",
		"gitpreviews.gitops.dogker.io":          toRead,
		"imagepolicies.gitops.dogker.io":        toRead,
		"gitpreviews.gitops.dogker.io/status":   "get",
		"imagepolicies.gitops.dogker.io/status": "get",
		"deploytokens.identity.dogker.io":       toRead,
		"billingaccounts.billing.dogker.io":     toRead,
		"namespaces":                            "get",
		"tenants.dogker.io":                     toRead,
		"plans.dogker.io":                       toRead,
	}
	billingRights = map[string]string{
		"resourcequotas":                           toRead,
		"resourcequotas/status":                    "get",
		"billingaccounts.billing.dogker.io":        toRead + " update patch",
		"billingaccounts.billing.dogker.io/status": "get",
		"billingaccounts.billing.dogker.io/ledger": "get",
		"topups.billing.dogker.io":                 toRead + " create delete",
		"topups.billing.dogker.io/status":          "get",
		"refunds.billing.dogker.io":                toRead,
		"refunds.billing.dogker.io/status":         "get",
		"statements.billing.dogker.io":             toRead,
		"namespaces":                               "get",
		"tenants.dogker.io":                        toRead,
		"plans.dogker.io":                          toRead,
	}
	readerRights = map[string]string{
		"tenantcontainers.dogker.io":        toRead,
		"tenantcontainers.dogker.io/scale":  "get",
		"tenantcontainers.dogker.io/status": "get",
		"containerrevisions.dogker.io":      toRead,
		"events":                            toRead,
		"events.events.k8s.io":              toRead,
	}
	deployerRights = map[string]string{
		"tenantcontainers.dogker.io":        toRead + " create update patch",
		"tenantcontainers.dogker.io/scale":  "get update patch",
		"tenantcontainers.dogker.io/status": "get",
		"containerrevisions.dogker.io":      toRead,
		"events":                            toRead,
		"events.events.k8s.io":              toRead,
	}
	// namedDeployerRights are those of a token for the container web, which is what everything here is called.
	namedDeployerRights = map[string]string{
		"tenantcontainers.dogker.io":        "get update patch",
		"tenantcontainers.dogker.io/scale":  "get update patch",
		"tenantcontainers.dogker.io/status": "get",
	}
	// everybodysRights are about nobody but who asks, and about what everybody pays.
	everybodysRights = map[string]string{
		"pricelists.billing.dogker.io":                  toRead,
		"selfsubjectreviews.authentication.k8s.io":      "create",
		"selfsubjectaccessreviews.authorization.k8s.io": "create",
		"selfsubjectrulesreviews.authorization.k8s.io":  "create",
	}
)

// may is whether somebody may do something, by these tables.
func (p *person) may(verb string, k kind, namespace, name string) bool {
	if p.token != "" && slices.Contains(strings.Fields(everybodysRights[k.String()]), verb) {
		return true
	}
	if !slices.Contains(strings.Fields(p.rights[k.String()]), verb) {
		return false
	}
	if k.namespaced {
		return namespace == p.at.name
	}

	return name == p.at.name
}

// paths that are no objects, and who may get them: everybody, whoever is somebody, service accounts, or nobody here.
var paths = map[string]string{
	"/healthz": "everybody", "/livez": "everybody", "/readyz": "everybody", "/version": "everybody",
	"/api": "somebody", "/api/v1": "somebody", "/apis": "somebody", "/apis/dogker.io": "somebody", "/apis/dogker.io/v1alpha1": "somebody",
	"/openapi/v2": "somebody", "/openapi/v3": "somebody", "/openapi/v3/apis/dogker.io/v1alpha1": "somebody",
	"/.well-known/openid-configuration": "accounts", "/openid/v1/jwks": "accounts",
	"/metrics": "nobody", "/metrics/slis": "nobody", "/metrics/cadvisor": "nobody", "/configz": "nobody", "/flagz": "nobody", "/statusz": "nobody",
	"/debug/pprof/": "nobody", "/debug/pprof/heap": "nobody", "/debug/pprof/goroutine": "nobody", "/debug/flags/v": "nobody", "/debug/api_priority_and_fairness/dump_requests": "nobody",
	"/logs": "nobody", "/logs/": "nobody", "/logs/audit.log": "nobody", "/healthz/etcd": "nobody", "/readyz/informer-sync": "nobody",
	"/": "nobody", "/identity/v1/users": "nobody", "/ui": "nobody", "/proxy": "nobody", "/swagger.json": "nobody",
}

// mayGet is whether somebody may get a path that is no object.
func (p *person) mayGet(path string) bool {
	switch paths[path] {
	case "everybody":
		return true
	case "somebody":
		return p.token != ""
	case "accounts":
		return strings.HasSuffix(p.name, "robot")
	default:
		return false
	}
}
