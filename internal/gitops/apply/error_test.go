package apply

import (
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/reconciler/delivery"
)

var webKind = schema.GroupKind{Group: "dogker.io", Kind: "TenantContainer"}

// invalid is a refusal for these fields.
func invalid(errs ...*field.Error) error { return apierrors.NewInvalid(webKind, "web", errs) }

func TestRefused(t *testing.T) {
	resource := schema.GroupResource{Group: "dogker.io", Resource: "tenantcontainers"}
	replicas := field.NewPath("spec", "replicas")

	for name, tc := range map[string]struct {
		reason    string
		cause     error
		want      delivery.Reason
		text      string
		transient bool
	}{
		"OneField": {
			reason: "The field is said once, in front.",
			cause:  invalid(field.Invalid(replicas, -1, "must not be negative")), want: delivery.ReasonInvalid,
			text: "app.yaml:1: TenantContainer/web: spec.replicas: Invalid value: -1: must not be negative",
		},
		"TwoFields": {
			reason: "Several name themselves.",
			cause:  invalid(field.Required(replicas, ""), field.Required(field.NewPath("spec", "image"), "")), want: delivery.ReasonInvalid,
			text: `app.yaml:1: TenantContainer/web: TenantContainer.dogker.io "web" is invalid: [spec.replicas: Required value, spec.image: Required value]`,
		},
		"TwiceTheSame": {
			reason: "One field of which the schema and the API both say something is one field.",
			cause:  invalid(field.Invalid(replicas, -1, "too small"), field.Invalid(field.NewPath(".spec.replicas"), -1, "negative")), want: delivery.ReasonInvalid,
			text: "app.yaml:1: TenantContainer/web: spec.replicas: Invalid value: -1: too small",
		},
		"Unconverted": {
			reason: "What does not fit a built-in kind is refused in a fourth way.",
			cause:  apierrors.NewInternalError(errors.New("failed to convert new object (acme/a; /v1, Kind=Secret) to proper version: unable to convert unstructured object to /v1, Kind=Secret: error decoding from json: illegal base64 data at input byte 8")), want: delivery.ReasonInvalid,
			text: "app.yaml:1: TenantContainer/web: error decoding from json: illegal base64 data at input byte 8",
		},
		"Undeclared": {
			reason: "Server-side apply speaks of it in a sentence only.",
			cause:  apierrors.NewInternalError(errors.New(`failed to create typed patch object (acme/web; dogker.io/v1alpha1, Kind=TenantContainer): .spec.privileged: field not declared in schema`)), want: delivery.ReasonInvalid,
			text: "app.yaml:1: TenantContainer/web: spec.privileged: is no field of this kind",
		},
		"Untyped": {
			reason: "Of a wrong type as well, and repeats the value.",
			cause:  apierrors.NewBadRequest(`failed to create typed patch object (acme/web; dogker.io/v1alpha1, Kind=TenantContainer): .spec.env[name="A"].value: expected string, got &value.valueUnstructured{Value:31337}`), want: delivery.ReasonInvalid,
			text: `app.yaml:1: TenantContainer/web: spec.env[name="A"].value: expected string, and is something else`,
		},
		"Strict": {
			reason: "Strict decoding has another sentence.",
			cause:  apierrors.NewBadRequest(`strict decoding error: unknown field "spec.x"`), want: delivery.ReasonInvalid,
			text: "app.yaml:1: TenantContainer/web: spec.x: is no field of this kind",
		},
		"Quota": {
			reason: "What a quota refuses may have room tomorrow.",
			cause:  apierrors.NewForbidden(resource, "web", errors.New("exceeded quota: q, requested: x=1, used: x=1, limited: x=1")), want: delivery.ReasonQuotaExceeded, transient: true,
			text: `app.yaml:1: TenantContainer/web: tenantcontainers.dogker.io "web" is forbidden: exceeded quota: q, requested: x=1, used: x=1, limited: x=1`,
		},
		"Rights": {
			reason: "So may somebody who has no rights yet.",
			cause:  apierrors.NewForbidden(resource, "web", errors.New("no")), want: delivery.ReasonForbidden, transient: true,
			text: `app.yaml:1: TenantContainer/web: tenantcontainers.dogker.io "web" is forbidden: no`,
		},
		"Network": {
			reason: "What is not an answer is nobody's mistake.",
			cause:  errors.New("connection refused"), want: delivery.ReasonUnavailable, transient: true, text: "app.yaml:1: TenantContainer/web: connection refused",
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := one(t, web).refused(tc.cause)
			if e.Reason != tc.want || e.Error() != tc.text || e.Transient != tc.transient || !errors.Is(e, tc.cause) {
				t.Errorf("%s\ngot %s, transient %v: %s\nwant %s, transient %v: %s", tc.reason, e.Reason, e.Transient, e, tc.want, tc.transient, tc.text)
			}
		})
	}
}

func TestImmutable(t *testing.T) {
	kind := field.NewPath("type")
	is := field.Invalid(kind, "x", "field is immutable")

	for name, tc := range map[string]struct {
		reason string
		err    error
		want   bool
	}{
		"OnlyThat":     {"The one thing that making anew helps against.", invalid(is), true},
		"Several":      {"Also when there are two of them.", invalid(is, field.Forbidden(field.NewPath("data"), "field is immutable when `immutable` is set")), true},
		"AndWrong":     {"What is wrong otherwise would not be taken after the deletion either.", invalid(is, field.Required(kind, "")), false},
		"Wrong":        {"Not every refusal is one.", invalid(field.Required(kind, "")), false},
		"Conflict":     {"A conflict is no refusal.", apierrors.NewConflict(schema.GroupResource{}, "web", errors.New("field is immutable")), false},
		"Nothing":      {"Neither is a broken connection.", errors.New("immutable"), false},
		"AnAdmission":  {"An admission plugin says it in a sentence.", apierrors.NewForbidden(schema.GroupResource{}, "web", errors.New("spec: Forbidden: is immutable")), true},
		"MissingRight": {"A missing right is another thing.", apierrors.NewForbidden(schema.GroupResource{}, "web", errors.New("cannot patch")), false},
	} {
		if got := immutable(tc.err); got != tc.want {
			t.Errorf("%s: %s Got %v.", name, tc.reason, got)
		}
	}
}

func TestErrors(t *testing.T) {
	var none delivery.Errors
	if none.Err() != nil {
		t.Error("no errors are an error")
	}

	cause := errors.New("boom")
	some := delivery.Errors{{Object: "A/a", Message: "x", Transient: true}, {Object: "B/b", Message: "y", Cause: cause}}
	if some.Error() != "A/a: x; B/b: y" || some.Transient() || !errors.Is(some.Err(), cause) {
		t.Errorf("%v, transient %v", some, some.Transient())
	}
	var first *delivery.Error
	if !errors.As(some.Err(), &first) || first.Object != "A/a" {
		t.Errorf("the first is %v", first)
	}
}

func TestRedactShortValues(t *testing.T) {
	it := one(t, "{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {pin: 'eHk='}, stringData: {two: '42'}}")
	for said, want := range map[string]string{
		"nothing of it":     "nothing of it",
		"got eHk= instead":  "got *** instead",
		"must not be 42":    "the API refuses it; what it says is not shown, because it may hold a value",
		"got NDI= and more": "got *** and more",
	} {
		if got := it.redact(said); got != want {
			t.Errorf("%q becomes %q", said, got)
		}
	}
	if got := one(t, web).redact("shop"); got != "shop" {
		t.Errorf("what is no Secret is redacted: %q", got)
	}
}
