package admission

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"

	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
)

// monitoringRequest asks for an object with what the YAML says about it.
func monitoringRequest(t *testing.T, kind, namespace, spec string, old *unstructured.Unstructured) admission.Attributes {
	t.Helper()
	u := sync(t, spec)
	u.SetAPIVersion(monitoringv1.GroupVersion.String())
	u.SetKind(kind)
	u.SetNamespace(namespace)

	op, before := admission.Create, runtime.Object(nil)
	if old != nil {
		op, before = admission.Update, old
	}

	return admission.NewAttributesRecord(u, before, monitoringv1.GroupVersion.WithKind(kind), namespace, "web",
		monitoringv1.GroupVersion.WithResource(strings.ToLower(kind)+"s"), "", op, nil, true, &user.DefaultInfo{Name: "ada"})
}

func TestMonitoring(t *testing.T) {
	cases := map[string]struct {
		reason, kind, namespace, spec string
		// want is in the refusal; nothing is refused when it is empty.
		want string
	}{
		"Threshold":         {"It is as it should be.", "Alert", "shop", "spec: {threshold: {metric: cpu, value: 1}}", ""},
		"Everywhere":        {"Nobody sees other tenants.", "Alert", "shop", "spec: {threshold: {metric: cpu, value: 1}, allNamespaces: true}", "spec.allNamespaces"},
		"PlatformSeesAll":   {"It runs all.", "Alert", "dogker-system", "spec: {threshold: {metric: cpu, value: 1}, allNamespaces: true}", ""},
		"Nodes":             {"Nodes are the platform's.", "Alert", "shop", "spec: {condition: {kind: Node}}", "spec.condition.kind"},
		"Tenants":           {"So are tenants.", "Alert", "shop", "spec: {condition: {kind: Tenant}}", "spec.condition.kind"},
		"PlatformsNodes":    {"It may see them.", "Alert", "dogker-system", "spec: {condition: {kind: Node}}", ""},
		"Query":             {"It can be asked.", "Alert", "shop", "spec: {threshold: {query: 'sum(rate(x[5m]))', value: 1}}", ""},
		"NoQuery":           {"Nobody could answer it.", "Alert", "shop", "spec: {threshold: {query: 'sum(', value: 1}}", "spec.threshold.query"},
		"QueryOfAnother":    {"Whose metrics are seen is not for the query to say.", "Alert", "shop", `spec: {absent: {of: Query, query: 'x[5m]'}}`, "spec.absent.query"},
		"NoZone":            {"There is no such place.", "Alert", "shop", "spec: {threshold: {metric: cpu, value: 1}, muteTimes: {timeZone: Moon, windows: []}}", "spec.muteTimes.timeZone"},
		"LabelName":         {"Prometheus has no such names.", "Alert", "shop", "spec: {threshold: {metric: cpu, value: 1}, labels: {a-b: c}}", "spec.labels"},
		"AnnotationName":    {"Nor these.", "Alert", "shop", "spec: {threshold: {metric: cpu, value: 1}, annotations: {1a: c}}", "spec.annotations"},
		"SilenceName":       {"Nothing could have it.", "Alert", "shop", "spec: {threshold: {metric: cpu, value: 1}, silences: [{until: '2026-01-01T00:00:00Z', matchLabels: {a-b: c}}]}", "spec.silences[0].matchLabels"},
		"Selector":          {"It selects nothing that could be.", "Alert", "shop", "spec: {threshold: {metric: cpu, value: 1}, containers: {selector: {matchExpressions: [{key: a, operator: In}]}}}", "spec.containers.selector"},
		"History":           {"It would never be known.", "Alert", "shop", "spec: {anomaly: {metric: cpu, window: 10m, minimumHistory: 20m}}", "spec.anomaly.minimumHistory"},
		"NoReceiverThere":   {"It may come later.", "Alert", "shop", "spec: {threshold: {metric: cpu, value: 1}, receivers: [nobody]}", ""},
		"Mail":              {"The Tenant has contacts.", "Receiver", "shop", "spec: {email: {}}", ""},
		"Stranger":          {"Contacts come and go: it is a condition.", "Receiver", "shop", "spec: {email: {to: [eve@example.com]}}", ""},
		"PlatformToNobody":  {"The platform has no contacts.", "Receiver", "dogker-system", "spec: {email: {}}", "spec.email.to"},
		"PlatformToAnybody": {"It says itself to whom.", "Receiver", "dogker-system", "spec: {email: {to: [ops@example.com]}}", ""},
		"MailZone":          {"There is no such place.", "Receiver", "shop", "spec: {email: {timeZone: Local}}", "spec.email.timeZone"},
		"Webhook":           {"It is a URL.", "Receiver", "shop", "spec: {webhook: {url: 'https://hooks.example.com/a'}}", ""},
		"Credentials":       {"They would be in the object for everybody.", "Receiver", "shop", "spec: {webhook: {url: 'https://u:hunter2@hooks.example.com/'}}", "spec.webhook.url"},
		"NoHost":            {"It leads nowhere.", "Receiver", "shop", "spec: {webhook: {url: 'https:///a'}}", "spec.webhook.url"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := &Monitoring{Handler: admission.NewHandler(admission.Create, admission.Update)}
			err := m.Validate(t.Context(), monitoringRequest(t, tc.kind, tc.namespace, tc.spec, nil), nil)

			switch {
			case tc.want == "" && err != nil:
				t.Errorf("%s\nrefused: %v", tc.reason, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("%s\ngot %v, want it to name %s", tc.reason, err, tc.want)
			case err != nil && strings.Contains(err.Error(), "hunter2"):
				t.Errorf("the refusal repeats a secret: %v", err)
			}

			// What is there already, and is not changed, stays.
			same := monitoringRequest(t, tc.kind, tc.namespace, tc.spec, nil).GetObject().(*unstructured.Unstructured)
			if err := m.Validate(t.Context(), monitoringRequest(t, tc.kind, tc.namespace, tc.spec, same), nil); err != nil {
				t.Errorf("a change of something else was refused: %v", err)
			}
		})
	}
}
