package bootstrap

import (
	"bytes"
	"fmt"
	"io/fs"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/manifests"
)

// kinds reads the CRDs that the binary carries, completed with the defaults that the API server fills in, so that they
// can be compared with what is stored.
func kinds() ([]*apiextensionsv1.CustomResourceDefinition, error) {
	crds, err := load[apiextensionsv1.CustomResourceDefinition](manifests.CRDs)
	if err != nil {
		return nil, fmt.Errorf("read kinds: %w", err)
	}
	for _, crd := range crds {
		apiextensionsv1.SetDefaults_CustomResourceDefinition(crd)
		apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&crd.Spec)
	}

	return crds, nil
}

func roles() ([]*rbacv1.ClusterRole, error) {
	roles, err := load[rbacv1.ClusterRole](manifests.Roles)
	if err != nil {
		return nil, fmt.Errorf("read roles: %w", err)
	}

	return roles, nil
}

func bindings() ([]*rbacv1.ClusterRoleBinding, error) {
	bindings, err := load[rbacv1.ClusterRoleBinding](manifests.Bindings)
	if err != nil {
		return nil, fmt.Errorf("read role bindings: %w", err)
	}

	return bindings, nil
}

func levels() ([]*flowcontrolv1.PriorityLevelConfiguration, error) {
	levels, err := load[flowcontrolv1.PriorityLevelConfiguration](manifests.PriorityLevels)
	if err != nil {
		return nil, fmt.Errorf("read priority levels: %w", err)
	}

	return levels, nil
}

func flows() ([]*flowcontrolv1.FlowSchema, error) {
	flows, err := load[flowcontrolv1.FlowSchema](manifests.FlowSchemas)
	if err != nil {
		return nil, fmt.Errorf("read flow schemas: %w", err)
	}

	return flows, nil
}

// load decodes every YAML document below the root, strictly.
func load[T any](root fs.FS) ([]*T, error) {
	var objects []*T
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		for doc := range bytes.SplitSeq(raw, []byte("\n---\n")) {
			object := new(T)
			if err := yaml.UnmarshalStrict(doc, object); err != nil {
				return fmt.Errorf("decode %q: %w", path, err)
			}
			objects = append(objects, object)
		}

		return nil
	})

	return objects, err
}
