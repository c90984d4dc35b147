package views

import (
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/endpoints/handlers/responsewriters"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
)

// advice is what to do in place of what cannot be done.
var advice = map[string]string{
	"pods":  "pods are a view of the tasks that Swarm runs: change the TenantContainer, whose tasks they are",
	"nodes": "nodes are a view of Swarm's nodes: change them there, with `docker node update` (cordon: --availability pause, drain: --availability drain)",
}

// Refuse answers writes to pods and nodes with what to do instead. It is for who may do what they ask for; others have been
// refused before. What is not known as a write to discovery is what tools do not try.
func Refuse(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, ok := request.RequestInfoFrom(r.Context())
		if !ok || !writes(info) {
			next.ServeHTTP(w, r)
			return
		}

		err := apierrors.NewMethodNotSupported(schema.GroupResource{Resource: info.Resource}, info.Verb)
		err.ErrStatus.Message = fmt.Sprintf("%s is not supported: %s", info.Verb, advice[info.Resource])
		responsewriters.ErrorNegotiated(err, legacyscheme.Codecs, schema.GroupVersion{Version: "v1"}, w, r)
	})
}

func writes(info *request.RequestInfo) bool {
	if !info.IsResourceRequest || info.APIGroup != "" || advice[info.Resource] == "" {
		return false
	}
	if s := info.Subresource; s != "" && s != "status" && s != "binding" && s != "eviction" && s != "ephemeralcontainers" && s != "resize" {
		return false
	}
	switch info.Verb {
	case "create", "update", "patch", "deletecollection":
		return true
	case "delete":
		return info.Resource != "pods" || info.Subresource != ""
	default:
		return false
	}
}
