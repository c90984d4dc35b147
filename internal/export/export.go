package export

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/internal/gitops/set"
	"github.com/dogker/dogker/internal/yamltext"
)

// pageSize bounds what is asked for at a time.
const pageSize = 500

// kinds are what people declare in a namespace, in the order to apply it.
var kinds = []schema.GroupVersionKind{
	{Version: "v1", Kind: "ConfigMap"},
	{Version: "v1", Kind: kindSecret},
	v1alpha1.GroupVersion.WithKind("Volume"),
	v1alpha1.GroupVersion.WithKind("TenantContainer"),
	v1alpha1.GroupVersion.WithKind("TenantJob"),
	gitopsv1.GroupVersion.WithKind("GitSync"),
	gitopsv1.GroupVersion.WithKind("ImagePolicy"),
	gitopsv1.GroupVersion.WithKind("GitPreview"),
	monitoringv1.GroupVersion.WithKind("Receiver"),
	monitoringv1.GroupVersion.WithKind("Alert"),
}

const kindSecret = "Secret"

// Options say what to export.
type Options struct {
	Namespace string
	// Secrets are written too.
	Secrets bool
}

// Export is what a namespace declares.
type Export struct {
	Objects []*unstructured.Unstructured
	// LeftOut are the Secrets that were not asked for.
	LeftOut []string
}

// Read reads a namespace through the API, as whoever the client is.
func Read(ctx context.Context, c client.Reader, options Options) (*Export, error) {
	defaults, err := defaultsOfKinds()
	if err != nil {
		return nil, err
	}
	out := &Export{}
	for _, kind := range kinds {
		objects, err := list(ctx, c, kind, options.Namespace)
		if err != nil {
			return nil, fmt.Errorf("list %s objects of namespace %q: %w", kind.Kind, options.Namespace, err)
		}
		for _, object := range objects {
			switch {
			case !declared(object):
			case kind.Kind == kindSecret && !options.Secrets:
				out.LeftOut = append(out.LeftOut, object.GetName())
			default:
				clean(object, defaults[kind.Kind])
				out.Objects = append(out.Objects, object)
			}
		}
	}

	return out, nil
}

// list reads all pages, by name.
func list(ctx context.Context, c client.Reader, kind schema.GroupVersionKind, namespace string) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	next := ""
	for {
		page := &unstructured.UnstructuredList{}
		page.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		if err := c.List(ctx, page, client.InNamespace(namespace), client.Limit(pageSize), client.Continue(next)); err != nil {
			return nil, err
		}
		for i := range page.Items {
			// Lists do not have to say what is in them.
			page.Items[i].SetGroupVersionKind(kind)
			out = append(out, &page.Items[i])
		}
		if next = page.GetContinue(); next == "" {
			break
		}
	}
	slices.SortFunc(out, func(a, b *unstructured.Unstructured) int { return strings.Compare(a.GetName(), b.GetName()) })

	return out, nil
}

// made are objects that every namespace gets by itself.
var made = []string{"kube-root-ca.crt"}

// declared is false for what another object or a server has made, and for what is going.
func declared(object *unstructured.Unstructured) bool {
	if metav1.GetControllerOf(object) != nil || object.GetDeletionTimestamp() != nil || slices.Contains(made, object.GetName()) {
		return false
	}
	if object.GetKind() == "ConfigMap" && set.IsRecord(object.GetName()) {
		return false
	}
	// The Alert that a tenant gets by itself is declared by whoever has changed it.
	if object.GetKind() == "Alert" && object.GetName() == monitoringv1.ContainersAlert && object.GetGeneration() <= 1 && object.GetLabels()[v1alpha1.LabelTenant] != "" {
		return false
	}
	kind, _, _ := unstructured.NestedString(object.Object, "type")

	return kind != "kubernetes.io/service-account-token" && kind != "bootstrap.kubernetes.io/token"
}

// WriteYAML writes the objects as YAML documents.
func (e *Export) WriteYAML(w io.Writer) error {
	for i, object := range e.Objects {
		text, err := yamltext.Marshal(object.Object)
		if err != nil {
			return fmt.Errorf("write %s %q as YAML: %w", object.GetKind(), object.GetName(), err)
		}
		if i > 0 {
			text = append([]byte("---\n"), text...)
		}
		if _, err := w.Write(text); err != nil {
			return fmt.Errorf("write %s %q: %w", object.GetKind(), object.GetName(), err)
		}
	}

	return nil
}
