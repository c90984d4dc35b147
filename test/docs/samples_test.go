package docs

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/yaml"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	sigsyaml "sigs.k8s.io/yaml"

	billing "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitops "github.com/dogker/dogker/api/gitops/v1alpha1"
	identity "github.com/dogker/dogker/api/identity/v1alpha1"
	monitoring "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/manifests"
)

const root = "../.."

// samples are all documents below manifests/samples, by file.
func samples(t *testing.T) map[string][][]byte {
	t.Helper()

	files, err := filepath.Glob(root + "/manifests/samples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}

	out := map[string][][]byte{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}

		docs := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(data)))
		for {
			buf := make([]byte, len(data))

			n, err := docs.Read(buf)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}

			out[filepath.Base(file)] = append(out[filepath.Base(file)], buf[:n])
		}
	}

	return out
}

// decode reads a document as an API server does: a number without a fraction is an integer.
func decode(t *testing.T, doc []byte) map[string]any {
	t.Helper()

	data, err := sigsyaml.YAMLToJSON(doc)
	if err != nil {
		t.Fatal(err)
	}

	var out map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}

	return out
}

func TestSamplesAreAccepted(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := errors.Join(
		clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), identity.AddToScheme(scheme), billing.AddToScheme(scheme),
		gitops.AddToScheme(scheme), monitoring.AddToScheme(scheme),
	); err != nil {
		t.Fatal(err)
	}

	strict := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()

	for file, docs := range samples(t) {
		t.Run(file, func(t *testing.T) {
			namespaces := map[string]bool{}
			if ns := goesOnIn[file]; ns != "" {
				namespaces[ns] = true
			}

			for _, doc := range docs {
				raw := decode(t, doc)
				meta := raw["metadata"].(map[string]any)

				_, gvk, err := strict.Decode(doc, nil, nil)
				if err != nil {
					t.Errorf("%s %q would be refused: %v", raw["kind"], meta["name"], err)
					continue
				}

				switch ns, _ := meta["namespace"].(string); {
				case gvk.Kind == "Namespace", gvk.Kind == "Tenant":
					namespaces[meta["name"].(string)] = true
				case ns == "" && clusterScoped[gvk.Kind]:
				case !namespaces[ns]:
					t.Errorf("%s %q is in namespace %q, which the file does not make before it", gvk.Kind, meta["name"], ns)
				}

				if crdOf[gvk.Kind] != "" {
					for _, err := range loadSchema(t, crdOf[gvk.Kind]).check(t, raw) {
						t.Errorf("%s %q would be refused: %v", gvk.Kind, meta["name"], err)
					}
				}
			}
		})
	}
}

// TestCompleteSampleLeavesNothingOut keeps the samples complete when a field comes.
func TestCompleteSampleLeavesNothingOut(t *testing.T) {
	for kind, file := range map[string]string{
		"TenantContainer": "complete.yaml", "Plan": "tenant-complete.yaml", "Tenant": "tenant-complete.yaml",
		"User": "people.yaml", "DeployToken": "people.yaml",
		"PriceList": "billing-complete.yaml", "BillingAccount": "billing-complete.yaml", "TopUp": "billing-complete.yaml",
		"Refund": "billing-complete.yaml", "Coupon": "billing-complete.yaml",
		"GitSync":     "gitops-complete.yaml",
		"ImagePolicy": "image-automation.yaml",
		"TenantJob":   "jobs-complete.yaml",
		"Volume":      "volumes-complete.yaml", "VolumeClass": "volumes-complete.yaml", "ReleasedVolume": "volumes-complete.yaml",
		"VolumeSnapshot": "snapshots-complete.yaml", "VolumeSnapshotClass": "snapshots-complete.yaml", "GitPreview": "preview-complete.yaml",
		"Alert": "alerts-complete.yaml", "Receiver": "alerts-complete.yaml",
	} {
		shown := map[string]bool{}

		for _, doc := range samples(t)[file] {
			if raw := decode(t, doc); raw["kind"] == kind {
				note(shown, "spec", raw["spec"])
			}
		}

		for _, path := range fieldsOf(loadSchema(t, crdOf[kind]).structural.Properties["spec"], "spec") {
			if !shown[path] {
				t.Errorf("%s does not show %s of %s", file, path, kind)
			}
		}
	}
}

func note(shown map[string]bool, path string, value any) {
	shown[path] = true

	switch v := value.(type) {
	case map[string]any:
		for key, child := range v {
			note(shown, path+"."+key, child)
		}
	case []any:
		for _, child := range v {
			note(shown, path, child)
		}
	}
}

// fieldsOf lists the paths of all fields below s, sorted; elements of lists have the path of their list.
func fieldsOf(s schema.Structural, path string) []string {
	if s.Items != nil {
		return fieldsOf(*s.Items, path)
	}

	var out []string
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		child := path + "." + name
		out = append(out, child)
		out = append(out, fieldsOf(s.Properties[name], child)...)
	}

	return out
}

// crdOf are the resources of our kinds.
var crdOf = map[string]string{
	"TenantContainer": "tenantcontainers", "ContainerRevision": "containerrevisions", "Tenant": "tenants", "Plan": "plans",
	"User": "users", "DeployToken": "deploytokens",
	"PriceList": "pricelists", "BillingAccount": "billingaccounts", "TopUp": "topups", "Refund": "refunds", "Coupon": "coupons",
	"TenantJob": "tenantjobs", "Volume": "volumes", "VolumeClass": "volumeclasses", "ReleasedVolume": "releasedvolumes",
	"VolumeSnapshot": "volumesnapshots", "VolumeSnapshotClass": "volumesnapshotclasses", "GitPreview": "gitpreviews",
	"Statement": "statements", "GitSync": "gitsyncs", "ImagePolicy": "imagepolicies", "Alert": "alerts", "Receiver": "receivers",
}

// goesOnIn is the namespace of files that begin where another ends: the Tenant in that one has made it.
var goesOnIn = map[string]string{
	"billing-tenant.yaml": "initech", "billing-complete.yaml": "initech", "gitops.yaml": "acme", "gitops-complete.yaml": "acme", "image-automation.yaml": "acme",
	"preview-complete.yaml": "acme", "alerts.yaml": "acme", "volume.yaml": "acme", "volumes-complete.yaml": "acme", "snapshot.yaml": "acme", "snapshots-complete.yaml": "acme", "alerts-complete.yaml": "acme",
}

// crdFile is where the schema of a resource is.
func crdFile(resource string) string {
	group := v1alpha1.GroupVersion.Group

	switch resource {
	case "users", "deploytokens":
		group = identity.GroupVersion.Group
	case "pricelists", "billingaccounts", "topups", "refunds", "coupons", "statements":
		group = billing.GroupVersion.Group
	case "gitsyncs", "gitpreviews", "imagepolicies":
		group = gitops.GroupVersion.Group
	case "alerts", "receivers":
		group = monitoring.GroupVersion.Group
	}

	return "crds/" + group + "_" + resource + ".yaml"
}

// clusterScoped are our kinds that are in no namespace.
var clusterScoped = map[string]bool{"Tenant": true, "Plan": true, "User": true, "PriceList": true, "Coupon": true, "VolumeClass": true, "ReleasedVolume": true, "VolumeSnapshotClass": true}

// crdSchema is the schema of a kind as the API server applies it.
type crdSchema struct {
	structural *schema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
}

func loadSchema(t *testing.T, resource string) crdSchema {
	t.Helper()

	raw, err := manifests.CRDs.ReadFile(crdFile(resource))
	if err != nil {
		t.Fatal(err)
	}

	var crd apiextensionsv1.CustomResourceDefinition
	if err := sigsyaml.UnmarshalStrict(raw, &crd); err != nil {
		t.Fatal(err)
	}

	var props apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(
		crd.Spec.Versions[0].Schema.OpenAPIV3Schema, &props, nil); err != nil {
		t.Fatal(err)
	}

	structural, err := schema.NewStructural(&props)
	if err != nil {
		t.Fatal(err)
	}

	validator, _, err := validation.NewSchemaValidator(&props)
	if err != nil {
		t.Fatal(err)
	}

	return crdSchema{structural, validator, cel.NewValidator(structural, true, celconfig.PerCallLimit)}
}

// check defaults the object and applies the schema and its rules.
func (s crdSchema) check(t *testing.T, obj map[string]any) field.ErrorList {
	t.Helper()

	defaulting.Default(obj, s.structural)

	errs := validation.ValidateCustomResource(nil, obj, s.validator)
	more, _ := s.rules.Validate(t.Context(), nil, s.structural, obj, nil, celconfig.RuntimeCELCostBudget)

	return append(errs, more...)
}
