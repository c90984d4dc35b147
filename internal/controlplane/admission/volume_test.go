package admission

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// classOf is a VolumeClass; marked ones are the default.
func classOf(name string, marked bool, spec map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	u.SetAPIVersion(v1alpha1.GroupVersion.String())
	u.SetKind("VolumeClass")
	u.SetName(name)
	if marked {
		u.SetAnnotations(map[string]string{v1alpha1.AnnotationDefaultClass: "true"})
	}

	return u
}

// TestVolumes shows what is filled in and what is refused.
func TestVolumes(t *testing.T) {
	const size = "1Gi"
	local := classOf("local", true, map[string]any{"driver": "local", "access": "Single", "reclaimPolicy": "Delete", "maxSize": "10Gi"})
	plain := classOf("plain", false, map[string]any{"driver": "local", "access": "Single", "reclaimPolicy": "Retain"})
	type spec = map[string]any

	cases := map[string]struct {
		why      string
		classes  []runtime.Object
		spec     spec
		old      spec
		platform bool
		// says is a part of the refusal; empty when it is let in as class and policy.
		says, class, policy string
	}{
		"Default":     {why: "What is not said the default class says.", classes: []runtime.Object{local, plain}, spec: spec{"size": size}, class: "local", policy: "Delete"},
		"Named":       {why: "Or the class that is named.", classes: []runtime.Object{local, plain}, spec: spec{"size": size, "className": "plain"}, class: "plain", policy: "Retain"},
		"Said":        {why: "What is said stays.", classes: []runtime.Object{local}, spec: spec{"size": size, "reclaimPolicy": "Retain"}, class: "local", policy: "Retain"},
		"Replaced":    {why: "An update that leaves it out changes nothing.", classes: []runtime.Object{local, plain}, spec: spec{"size": "2Gi"}, old: spec{"size": size, "className": "plain", "reclaimPolicy": "Delete"}, class: "plain", policy: "Delete"},
		"NoDefault":   {why: "Without a default one has to be named.", classes: []runtime.Object{plain}, spec: spec{"size": size}, says: "there are: plain"},
		"NoClasses":   {why: "Also when there is none.", spec: spec{"size": size}, says: "there are none"},
		"Unknown":     {why: "Tenants learn the names where they get one wrong.", classes: []runtime.Object{local, plain}, spec: spec{"size": size, "className": "fast"}, says: "there are: local, plain"},
		"TooLarge":    {why: "The class has its limit.", classes: []runtime.Object{local}, spec: spec{"size": "11Gi"}, says: "at most 10Gi"},
		"ClassGone":   {why: "What is there goes on without its class.", classes: []runtime.Object{local}, spec: spec{"size": "2Gi", "className": "gone", "reclaimPolicy": "Delete"}, old: spec{"size": size, "className": "gone", "reclaimPolicy": "Delete"}, class: "gone", policy: "Delete"},
		"Adopts":      {why: "T5: whose data it is is not for a tenant to say.", classes: []runtime.Object{local}, spec: spec{"size": size, "adopt": "globex_data_0123456789ab"}, says: "spec.adopt"},
		"MayAdopt":    {why: "But for the platform.", classes: []runtime.Object{local}, spec: spec{"size": size, "adopt": "globex_data_0123456789ab"}, platform: true, class: "local", policy: "Delete"},
		"AdoptedThen": {why: "Who may change what has adopted need not adopt anew.", classes: []runtime.Object{local}, spec: spec{"size": "2Gi", "adopt": "x_y", "className": "local", "reclaimPolicy": "Delete"}, old: spec{"size": size, "adopt": "x_y", "className": "local", "reclaimPolicy": "Delete"}, class: "local", policy: "Delete"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			decision := authorizer.DecisionNoOpinion
			if tc.platform {
				decision = authorizer.DecisionAllow
			}
			p := &Volume{Handler: admission.NewHandler(admission.Create, admission.Update)}
			p.SetDynamicClient(dataStore(tc.classes...))
			p.SetAuthorizer(fixed(decision))

			object := func(spec map[string]any) *unstructured.Unstructured {
				u := &unstructured.Unstructured{Object: map[string]any{"spec": runtime.DeepCopyJSON(spec)}}
				u.SetAPIVersion(v1alpha1.GroupVersion.String())
				u.SetKind("Volume")
				u.SetName("data")

				return u
			}
			now, op, before := object(tc.spec), admission.Create, runtime.Object(nil)
			if tc.old != nil {
				op, before = admission.Update, object(tc.old)
			}
			a := admission.NewAttributesRecord(now, before, v1alpha1.GroupVersion.WithKind("Volume"), "acme", "data", mountedResource, "", op, nil, false, &user.DefaultInfo{Name: "ada"})

			err := p.Admit(t.Context(), a, nil)
			if err == nil {
				err = p.Validate(t.Context(), a, nil)
			}
			if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Fatalf("%s\ngot %v, want something with %q", tc.why, err, tc.says)
			}
			if err == nil && (text(now, "className") != tc.class || text(now, "reclaimPolicy") != tc.policy || len(now.GetFinalizers()) != 1) {
				t.Errorf("%s\ngot %v with %v", tc.why, now.Object["spec"], now.GetFinalizers())
			}
		})
	}
}

// TestClassByNames: a new class whose Volumes would find files of earlier ones is refused; one that is there can be edited.
func TestClassByNames(t *testing.T) {
	p := &Volume{Handler: admission.NewHandler(admission.Create, admission.Update)}
	class := func(size string) *unstructured.Unstructured {
		return classOf("shared", false, map[string]any{
			"driver": "local", "access": "Many", "reclaimPolicy": "Delete", "maxSize": size, "options": map[string]any{"type": "nfs", "device": ":/export/${namespace}/${name}"},
		})
	}
	validate := func(now *unstructured.Unstructured, before runtime.Object, op admission.Operation) error {
		return p.Validate(t.Context(), admission.NewAttributesRecord(now, before, v1alpha1.GroupVersion.WithKind("VolumeClass"), "", "shared", storageResource, "", op, nil, false, &user.DefaultInfo{Name: "ada"}), nil)
	}

	if err := validate(class("1Gi"), nil, admission.Create); err == nil || !strings.Contains(err.Error(), "must hold ${uid}") {
		t.Errorf("a new one: got %v", err)
	}
	if err := validate(class("2Gi"), class("1Gi"), admission.Update); err != nil {
		t.Errorf("one that is there: %v", err)
	}
}

// fixed is the same answer to every question.
func fixed(decision authorizer.Decision) authorizer.Authorizer {
	return authorizer.AuthorizerFunc(func(context.Context, authorizer.Attributes) (authorizer.Decision, string, error) {
		return decision, "", nil
	})
}
