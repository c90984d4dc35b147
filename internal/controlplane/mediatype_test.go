package controlplane

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"k8s.io/apiserver/pkg/endpoints/request"
)

func TestRefuseProtobuf(t *testing.T) {
	cases := map[string]struct {
		reason      string
		contentType string
		info        request.RequestInfo
		want        int
	}{
		"CustomKind": {
			reason:      "Nothing can decode it.",
			contentType: protobuf,
			info:        request.RequestInfo{IsResourceRequest: true, Verb: "create", APIGroup: "dogker.io", APIVersion: "v1alpha1", Resource: "tenantcontainers"},
			want:        http.StatusUnsupportedMediaType,
		},
		"WithParameters": {
			reason:      "The parameters of a media type do not make it another one.",
			contentType: protobuf + "; charset=utf-8",
			info:        request.RequestInfo{IsResourceRequest: true, Verb: "update", APIGroup: "dogker.io", APIVersion: "v1alpha1", Resource: "tenantcontainers"},
			want:        http.StatusUnsupportedMediaType,
		},
		"JSON": {
			reason:      "That is how custom kinds are written.",
			contentType: "application/json",
			info:        request.RequestInfo{IsResourceRequest: true, Verb: "create", APIGroup: "dogker.io", Resource: "tenantcontainers"},
			want:        http.StatusTeapot,
		},
		"Scale": {
			reason:      "A Scale is Kubernetes' own, whatever it scales.",
			contentType: protobuf,
			info:        request.RequestInfo{IsResourceRequest: true, Verb: "update", APIGroup: "dogker.io", Resource: "tenantcontainers", Subresource: "scale"},
			want:        http.StatusTeapot,
		},
		"KubernetesKind": {
			reason:      "Kubernetes' own kinds have protobuf, and its clients use it.",
			contentType: protobuf,
			info:        request.RequestInfo{IsResourceRequest: true, Verb: "create", APIVersion: "v1", Resource: "secrets"},
			want:        http.StatusTeapot,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header.Set("Content-Type", tc.contentType)
			w := httptest.NewRecorder()

			refuseProtobuf(next).ServeHTTP(w, r.WithContext(request.WithRequestInfo(t.Context(), &tc.info)))

			if w.Code != tc.want {
				t.Errorf("%s\nanswered %d, want %d: %s", tc.reason, w.Code, tc.want, w.Body)
			}
		})
	}
}
