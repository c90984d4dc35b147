package estimate

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
)

// maxBytes is more than any set of manifests that people write.
const maxBytes = 16 << 20

// Defaults fills in what a plan has for the spec of a container, as it was written.
type Defaults func(spec map[string]any)

// Declared is what costs something.
type Declared struct {
	Containers []*dogkerv1.TenantContainer
	Volumes    []*dogkerv1.Volume
	// Jobs is how many TenantJobs there are. What one costs depends on how long it runs.
	Jobs int
}

// Read adds what a text with any number of YAML documents, JSON or lists declares. Other kinds are left out. A field that there is
// none of is an error: a request that is spelled wrong would cost nothing here.
func (d *Declared) Read(r io.Reader, defaults Defaults) error {
	return documents(r, func(object map[string]any) error {
		if object["apiVersion"] != dogkerv1.GroupVersion.String() {
			return nil
		}
		switch object["kind"] {
		case "TenantContainer":
			return d.container(object, defaults)
		case "Volume":
			v := &dogkerv1.Volume{}
			if err := decode(object, v); err != nil {
				return fmt.Errorf("volume %q: %w", nameOf(object), err)
			}
			if v.Spec.Size.Sign() <= 0 {
				return fmt.Errorf("volume %q: spec.size: %q must be an amount of storage, such as 10Gi", nameOf(object), v.Spec.Size.String())
			}
			d.Volumes = append(d.Volumes, v)
		case "TenantJob":
			d.Jobs++
		}

		return nil
	})
}

func (d *Declared) container(object map[string]any, defaults Defaults) error {
	if defaults != nil {
		if object["spec"] == nil {
			object["spec"] = map[string]any{}
		}
		if spec, ok := object["spec"].(map[string]any); ok {
			defaults(spec)
		}
	}
	tc := &dogkerv1.TenantContainer{}
	if err := decode(object, tc); err != nil {
		return fmt.Errorf("TenantContainer %q: %w", nameOf(object), err)
	}
	d.Containers = append(d.Containers, tc)

	return nil
}

// ReadPrices reads the only PriceList of a text.
func ReadPrices(r io.Reader) (*billingv1.PriceList, error) {
	var found *billingv1.PriceList
	err := documents(r, func(object map[string]any) error {
		if object["kind"] != "PriceList" || object["apiVersion"] != billingv1.GroupVersion.String() {
			return nil
		}
		if found != nil {
			return fmt.Errorf("PriceList %q: there is another one, %q", nameOf(object), found.Name)
		}
		found = &billingv1.PriceList{}
		if err := decode(object, found); err != nil {
			return fmt.Errorf("PriceList %q: %w", nameOf(object), err)
		}

		return nil
	})
	if err == nil && found == nil {
		err = errors.New("there is no PriceList in it")
	}
	if err != nil {
		return nil, err
	}

	return found, nil
}

// documents hands each object of a text to visit, those of lists one by one.
func documents(r io.Reader, visit func(object map[string]any) error) error {
	limited := &io.LimitedReader{R: r, N: maxBytes + 1}
	in := utilyaml.NewYAMLReader(bufio.NewReader(limited))
	for n := 1; ; n++ {
		text, err := in.Read()
		if limited.N <= 0 {
			return fmt.Errorf("more than %d bytes", maxBytes)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && len(bytes.TrimSpace(text)) > 0 {
			err = document(text, visit)
		}
		if err != nil {
			return fmt.Errorf("document %d: %w", n, err)
		}
	}
}

func document(text []byte, visit func(object map[string]any) error) error {
	raw, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return err
	}
	// What is only comments is null.
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil || object == nil {
		return err
	}
	items, isList := object["items"].([]any)
	if !isList {
		return visit(object)
	}
	for i, item := range items {
		one, ok := item.(map[string]any)
		if !ok {
			return fmt.Errorf("items[%d]: it is no object", i)
		}
		if err := visit(one); err != nil {
			return fmt.Errorf("items[%d]: %w", i, err)
		}
	}

	return nil
}

func decode(object map[string]any, into any) error {
	return runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object, into, true)
}

func nameOf(object map[string]any) string {
	metadata, _ := object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)

	return name
}
