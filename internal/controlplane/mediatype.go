package controlplane

import (
	"mime"
	"net/http"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apiserver"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/endpoints/handlers/negotiation"
	"k8s.io/apiserver/pkg/endpoints/handlers/responsewriters"
	"k8s.io/apiserver/pkg/endpoints/request"
	aggregatorscheme "k8s.io/kube-aggregator/pkg/apiserver/scheme"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
)

// refuseProtobuf answers 415 to objects of custom kinds in protobuf. Custom kinds have none, but Kubernetes' handler
// believes that it could read it, and panics.
func refuseProtobuf(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, ok := request.RequestInfoFrom(r.Context())
		if !ok || !isCustomObject(info) || !isProtobuf(r.Header.Get("Content-Type")) {
			next.ServeHTTP(w, r)
			return
		}

		gv := schema.GroupVersion{Group: info.APIGroup, Version: info.APIVersion}
		err := negotiation.NewUnsupportedMediaTypeError([]string{"application/json", "application/yaml"})
		responsewriters.ErrorNegotiated(err, legacyscheme.Codecs, gv, w, r)
	})
}

// isCustomObject says whether the body of a request is an object of a kind that came as a CRD. The body of a request to
// the scale subresource is Kubernetes' own.
func isCustomObject(info *request.RequestInfo) bool {
	if !info.IsResourceRequest || (info.Verb != "create" && info.Verb != "update") || info.Subresource == "scale" {
		return false
	}

	return !legacyscheme.Scheme.IsGroupRegistered(info.APIGroup) &&
		!apiextensions.Scheme.IsGroupRegistered(info.APIGroup) &&
		!aggregatorscheme.Scheme.IsGroupRegistered(info.APIGroup)
}

func isProtobuf(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)

	return err == nil && mediaType == protobuf
}
