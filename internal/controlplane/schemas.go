package controlplane

import (
	"strings"

	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kubernetes/pkg/generated/openapi"
)

// described are the beginnings of the names of the types whose schema is kept. Types that these refer to are kept too.
var described = []string{
	"io.k8s.api.admissionregistration.v1.",
	"io.k8s.api.authentication.v1.",
	"io.k8s.api.authorization.v1.",
	"io.k8s.api.autoscaling.v1.Scale",
	"io.k8s.api.coordination.v1.",
	"io.k8s.api.core.v1.ConfigMap",
	"io.k8s.api.core.v1.Event",
	"io.k8s.api.core.v1.Namespace",
	"io.k8s.api.core.v1.Node",
	"io.k8s.api.core.v1.Pod",
	"io.k8s.api.core.v1.ResourceQuota",
	"io.k8s.api.core.v1.Secret",
	"io.k8s.api.core.v1.ServiceAccount",
	"io.k8s.api.events.v1.",
	"io.k8s.api.flowcontrol.v1.",
	"io.k8s.api.rbac.v1.",
	"io.k8s.apiextensions-apiserver.",
	"io.k8s.apimachinery.",
	"io.k8s.kube-aggregator.",
	"io.k8s.metrics.pkg.apis.metrics.v1beta1.",
}

// schemas are the schemas of the kinds that are served. Kubernetes' own list holds those of every kind there is, several
// times over, for as long as the process lives: a third of what an idle server keeps in memory. A type that is served
// and missing here stops the server when it starts.
func schemas(ref common.ReferenceCallback) map[string]common.OpenAPIDefinition {
	all := openapi.GetOpenAPIDefinitions(ref)
	kept := map[string]common.OpenAPIDefinition{}

	var keep func(name string)
	keep = func(name string) {
		definition, known := all[name]
		if _, done := kept[name]; done || !known {
			return
		}
		kept[name] = definition
		for _, dependency := range definition.Dependencies {
			keep(dependency)
		}
	}
	for name := range all {
		for _, prefix := range described {
			if strings.HasPrefix(name, prefix) {
				keep(name)
			}
		}
	}

	return kept
}
