package compose_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/json"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/compose"
	"github.com/dogker/dogker/manifests"
)

// server is what an API server holds objects against, without one.
type server struct {
	decoder    runtime.Decoder
	structural *schema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
}

// theServer is made once: compiling the rules takes longer than everything else here.
var theServer = sync.OnceValues(func() (*server, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	raw, err := manifests.CRDs.ReadFile("crds/dogker.io_tenantcontainers.yaml")
	if err != nil {
		return nil, err
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(raw, &crd); err != nil {
		return nil, err
	}
	var props apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(
		crd.Spec.Versions[0].Schema.OpenAPIV3Schema, &props, nil); err != nil {
		return nil, err
	}
	structural, err := schema.NewStructural(&props)
	if err != nil {
		return nil, err
	}
	validator, _, err := validation.NewSchemaValidator(&props)
	if err != nil {
		return nil, err
	}

	return &server{
		decoder:    serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer(),
		structural: structural, validator: validator, rules: cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}, nil
})

// refusals are what a server would have against the manifests, as `kubectl apply --dry-run=server` would say it.
func refusals(ctx context.Context, manifests []byte) ([]string, error) {
	s, err := theServer()
	if err != nil {
		return nil, err
	}
	var out []string
	names := map[string]bool{}
	for _, doc := range bytes.Split(manifests, []byte("\n---\n")) {
		if len(bytes.TrimSpace(doc)) == 0 {
			continue
		}
		more, name, err := s.judge(ctx, doc)
		if err != nil {
			return nil, err
		}
		if names[name] {
			more = append(more, name+" is there twice")
		}
		names[name] = true
		out = append(out, more...)
	}

	return out, nil
}

func (s *server) judge(ctx context.Context, doc []byte) (out []string, name string, err error) {
	raw, err := yaml.YAMLToJSON(doc)
	if err != nil {
		return nil, "", err
	}
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil, "", err
	}
	metadata, _ := object["metadata"].(map[string]any)
	name = fmt.Sprintf("%v %v", object["kind"], metadata["name"])
	if _, _, err := s.decoder.Decode(doc, nil, nil); err != nil {
		out = append(out, fmt.Sprintf("%s: %v", name, err))
	}
	for _, problem := range utilvalidation.IsDNS1123Subdomain(fmt.Sprint(metadata["name"])) {
		out = append(out, fmt.Sprintf("%s: metadata.name: %s", name, problem))
	}
	labels, _ := metadata["labels"].(map[string]any)
	for key, value := range labels {
		for _, problem := range append(utilvalidation.IsQualifiedName(key), utilvalidation.IsValidLabelValue(fmt.Sprint(value))...) {
			out = append(out, fmt.Sprintf("%s: metadata.labels[%s]: %s", name, key, problem))
		}
	}
	annotations, _ := metadata["annotations"].(map[string]any)
	for key := range annotations {
		for _, problem := range utilvalidation.IsQualifiedName(key) {
			out = append(out, fmt.Sprintf("%s: metadata.annotations[%s]: %s", name, key, problem))
		}
	}
	if object["kind"] != "TenantContainer" {
		return out, name, nil
	}

	for _, unknown := range pruning.PruneWithOptions(object, s.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		out = append(out, fmt.Sprintf("%s: unknown field %s", name, unknown))
	}
	defaulting.Default(object, s.structural)
	for _, e := range validation.ValidateCustomResource(nil, object, s.validator) {
		out = append(out, fmt.Sprintf("%s: %v", name, e))
	}
	broken, _ := s.rules.Validate(ctx, nil, s.structural, object, nil, celconfig.RuntimeCELCostBudget)
	for _, e := range broken {
		out = append(out, fmt.Sprintf("%s: %v", name, e))
	}

	return out, name, nil
}

// written are the manifests of a result.
func written(r compose.Result) ([]byte, error) {
	var out bytes.Buffer
	err := r.WriteYAML(&out)

	return out.Bytes(), err
}
