//go:build conformance

package conformance

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
)

// TestMatrixRefusedSecrets: what somebody sends in a Secret, or as a proof of who they are, is not found again where
// refusals are told of: in the log, in the audit log, in events and in metrics. What is accepted is looked for by
// TestNothingSecretIsSeen.
func TestMatrixRefusedSecrets(t *testing.T) {
	const mouse = "a-quiet-mouse-that-nobody-has-heard"
	s := ownServer(t, "--log-level", "debug")
	b := &border{server: s, admin: connect(t, s.config(t)), anyone: connect(t, rest.AnonymousClientConfig(s.config(t)))}

	secrets := "/api/v1/namespaces/default/secrets"
	hidden := base64.StdEncoding.EncodeToString([]byte(mouse))
	secret := func(more string) string {
		return `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"mouse"},` + more + `}`
	}
	b.administrate(t, secrets, secret(`"data":{"it":"`+hidden+`"}`))

	for claim, tc := range map[string]struct {
		client *http.Client
		request
		want int
	}{
		"Twice":            {b.admin, request{method: http.MethodPost, target: secrets, body: secret(`"data":{"it":"` + hidden + `"}`)}, http.StatusConflict},
		"OldVersion":       {b.admin, request{method: http.MethodPut, target: secrets + "/mouse", body: `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"mouse","resourceVersion":"1"},"data":{"it":"` + hidden + `"}}`}, http.StatusConflict},
		"NotInBase64":      {b.admin, request{method: http.MethodPost, target: secrets, body: secret(`"data":{"it":"` + mouse + `!"}`)}, http.StatusBadRequest},
		"NotAString":       {b.admin, request{method: http.MethodPost, target: secrets, body: secret(`"data":{"it":{"` + mouse + `":1}}`)}, http.StatusBadRequest},
		"BrokenJSON":       {b.admin, request{method: http.MethodPost, target: secrets, body: secret(`"stringData":{"it":"`+mouse+`"`) + "{"}, http.StatusBadRequest},
		"BadCertificate":   {b.admin, request{method: http.MethodPost, target: secrets, body: secret(`"type":"kubernetes.io/tls","stringData":{"tls.key":"` + mouse + `"}`)}, http.StatusUnprocessableEntity},
		"BadCredentials":   {b.admin, request{method: http.MethodPost, target: secrets, body: secret(`"type":"kubernetes.io/dockerconfigjson","stringData":{".dockerconfigjson":"` + mouse + `"}`)}, http.StatusUnprocessableEntity},
		"BadKey":           {b.admin, request{method: http.MethodPost, target: secrets, body: secret(`"stringData":{"it/is":"` + mouse + `"}`)}, http.StatusUnprocessableEntity},
		"ChangedType":      {b.admin, request{method: http.MethodPatch, target: secrets + "/mouse", body: `{"type":"another","stringData":{"it":"` + mouse + `"}}`}, http.StatusUnprocessableEntity},
		"FailedTest":       {b.admin, request{method: http.MethodPatch, target: secrets + "/mouse", body: `[{"op":"test","path":"/data/it","value":"` + mouse + `"}]`, header: http.Header{"Content-Type": {"application/json-patch+json"}}}, http.StatusUnprocessableEntity},
		"Strict":           {b.admin, request{method: http.MethodPost, target: secrets + "?fieldValidation=Strict", body: secret(`"stringDate":{"it":"` + mouse + `"}`)}, http.StatusBadRequest},
		"ByNobody":         {b.anyone, request{method: http.MethodPost, target: secrets, body: secret(`"stringData":{"it":"` + mouse + `"}`)}, http.StatusForbidden},
		"InAContainer":     {b.admin, request{method: http.MethodPost, target: containersPath("default"), body: `{"apiVersion":"dogker.io/v1alpha1","kind":"TenantContainer","metadata":{"name":"web"},"spec":{"image":"registry.example/shop:1.4","replicas":-1,"env":[{"name":"PASSWORD","value":"` + mouse + `"}]}}`}, http.StatusUnprocessableEntity},
		"AsAToken":         {b.anyone, request{target: secrets, token: mouse}, http.StatusUnauthorized},
		"AsATokenOfOurs":   {b.anyone, request{target: secrets, token: "dogkera_aaaaaaaaaaaaaaaaaaaaaaaaaa_" + mouse}, http.StatusUnauthorized},
		"AsAJSONWebToken":  {b.anyone, request{target: secrets, token: "eyJhbGciOiJFUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://kubernetes.default.svc","it":"`+mouse+`"}`)) + "." + mouse}, http.StatusUnauthorized},
		"AsAPassword":      {b.anyone, request{target: secrets, header: http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("admin:"+mouse))}}}, http.StatusForbidden},
		"InAReviewOfToken": {b.admin, request{method: http.MethodPost, target: "/apis/authentication.k8s.io/v1/tokenreviews", body: `{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"` + mouse + `"}}`}, http.StatusCreated},
	} {
		if code, body := b.send(t, tc.client, tc.request); code != tc.want {
			t.Errorf("%s: %d %.300s, want %d", claim, code, body, tc.want)
		}
	}

	texts := map[string]string{}
	for _, path := range []string{"/metrics", "/api/v1/events", "/apis/events.k8s.io/v1/events", "/api/v1/configmaps", "/apis/dogker.io/v1alpha1/tenantcontainers"} {
		_, texts[path] = b.send(t, b.admin, request{target: path})
	}
	s.terminate(t)
	audit, err := os.ReadFile(filepath.Join(s.dir, "audit", "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	texts["audit log"], texts["log"] = string(audit), s.logs.String()
	contains(t, "audit log", texts["audit log"], `"code":422`, `"code":409`, `"code":403`, `"code":401`)
	for where, text := range texts {
		for _, form := range []string{mouse, hidden, base64.RawURLEncoding.EncodeToString([]byte(mouse))} {
			if i := strings.Index(text, form); i >= 0 {
				t.Errorf("the content of a refused Secret is seen in %s: …%.300s…", where, text[max(0, i-200):])
			}
		}
	}
}
