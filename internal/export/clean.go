package export

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/manifests"
	"github.com/dogker/dogker/reconciler/inventory"
)

// keptMetadata are the fields of metadata that people write; all others are a server's.
var keptMetadata = map[string]bool{"name": true, "namespace": true, "labels": true, "annotations": true}

// foreign begin annotations that others than the author of an object write: clients, and controllers of ours, from whom
// nobody else may take them (see the guide on security).
var foreign = []string{
	"kubectl.kubernetes.io/", "deployment.kubernetes.io/", "billing.dogker.io/", "monitoring.dogker.io/",
	v1alpha1.AnnotationRestartedAt, gitopsv1.AnnotationRequestedAt, monitoringv1.AnnotationHeartbeat,
}

// ofSync are labels that say which GitSync has applied an object. The next one writes its own.
var ofSync = []string{inventory.Prefix + inventory.KeyName, inventory.Prefix + inventory.KeyNamespace}

// clean takes out what people have not written.
func clean(object *unstructured.Unstructured, defaults *apiextensionsv1.JSONSchemaProps) {
	delete(object.Object, "status")
	if metadata, ok := object.Object["metadata"].(map[string]any); ok {
		for field := range metadata {
			if !keptMetadata[field] {
				delete(metadata, field)
			}
		}
		if annotations, ok := metadata["annotations"].(map[string]any); ok {
			for name := range annotations {
				for _, prefix := range foreign {
					if strings.HasPrefix(name, prefix) {
						delete(annotations, name)
					}
				}
			}
		}
		if labels, ok := metadata["labels"].(map[string]any); ok {
			for _, name := range ofSync {
				delete(labels, name)
			}
		}
		for _, part := range []string{"labels", "annotations"} {
			if values, ok := metadata[part].(map[string]any); ok && len(values) == 0 {
				delete(metadata, part)
			}
		}
	}
	spec, ok := object.Object["spec"].(map[string]any)
	if !ok {
		return
	}
	if defaults != nil {
		undefault(spec, *defaults)
	}
	if object.GetKind() == "Volume" {
		delete(spec, "restoreFrom") // It was done, and elsewhere there is no such snapshot.
	}
}

// undefault takes out what the schema would put in again: values that equal their default. What is left empty stays, because
// to declare something empty can mean something.
func undefault(value any, schema apiextensionsv1.JSONSchemaProps) {
	switch value := value.(type) {
	case map[string]any:
		for name, child := range value {
			property, known := schema.Properties[name]
			if !known {
				continue
			}
			if property.Default != nil && equal(child, property.Default.Raw) {
				delete(value, name)
				continue
			}
			undefault(child, property)
		}
	case []any:
		if schema.Items == nil || schema.Items.Schema == nil {
			return
		}
		for _, item := range value {
			undefault(item, *schema.Items.Schema)
		}
	}
}

func equal(value any, raw []byte) bool {
	var byDefault any
	if err := utiljson.Unmarshal(raw, &byDefault); err != nil {
		return false
	}
	if reflect.DeepEqual(value, byDefault) {
		return true
	}
	// A duration can be written in several ways.
	if text, ok := value.(string); ok {
		a, err1 := time.ParseDuration(text)
		b, err2 := time.ParseDuration(fmt.Sprint(byDefault))

		return err1 == nil && err2 == nil && a == b
	}
	// Numbers of one value can have several types.
	have, err := json.Marshal(value)
	if err != nil {
		return false
	}
	want, err := json.Marshal(byDefault)

	return err == nil && string(have) == string(want)
}

// defaultsOfKinds are the schemas of our kinds' specs, by kind.
func defaultsOfKinds() (map[string]*apiextensionsv1.JSONSchemaProps, error) {
	out := map[string]*apiextensionsv1.JSONSchemaProps{}
	for _, file := range []string{
		"crds/dogker.io_tenantcontainers.yaml", "crds/dogker.io_tenantjobs.yaml", "crds/dogker.io_volumes.yaml", "crds/gitops.dogker.io_gitsyncs.yaml",
		"crds/gitops.dogker.io_imagepolicies.yaml", "crds/gitops.dogker.io_gitpreviews.yaml",
		"crds/monitoring.dogker.io_alerts.yaml", "crds/monitoring.dogker.io_receivers.yaml",
	} {
		raw, err := manifests.CRDs.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read schema: %w", err)
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(raw, &crd); err != nil {
			return nil, fmt.Errorf("read schema %q: %w", file, err)
		}
		spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
		out[crd.Spec.Names.Kind] = &spec
	}

	return out, nil
}
