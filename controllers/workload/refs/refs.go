package refs

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
)

// Objects are the Secrets and ConfigMaps that a template refers to, as far as they exist, by name.
type Objects struct {
	secrets, configMaps map[string]map[string][]byte
}

// Read reads what a template refers to. An object that does not exist is left out; whether that matters is for
// the one who uses it to say.
func Read(ctx context.Context, r client.Reader, namespace string, spec *v1alpha1.TenantContainerSpec) (Objects, error) {
	o := Objects{secrets: map[string]map[string][]byte{}, configMaps: map[string]map[string][]byte{}}
	secrets, configMaps := Names(spec)

	for _, name := range secrets {
		var s corev1.Secret
		if err := r.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &s); apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			return Objects{}, fmt.Errorf("read secret %q: %w", name, err)
		}

		o.secrets[name] = s.Data
	}

	for _, name := range configMaps {
		var m corev1.ConfigMap
		if err := r.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &m); apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			return Objects{}, fmt.Errorf("read config map %q: %w", name, err)
		}

		o.configMaps[name] = configMapData(&m)
	}

	return o, nil
}

func configMapData(m *corev1.ConfigMap) map[string][]byte {
	data := make(map[string][]byte, len(m.Data)+len(m.BinaryData))
	for k, v := range m.Data {
		data[k] = []byte(v)
	}
	for k, v := range m.BinaryData {
		data[k] = v
	}

	return data
}

// Lookup is the servicespec.Lookup of these objects.
func (o Objects) Lookup(kind servicespec.Kind, name string) (map[string][]byte, bool) {
	all := o.configMaps
	if kind == servicespec.KindSecret {
		all = o.secrets
	}

	data, ok := all[name]

	return data, ok
}

// PullSecrets are the credentials for the registry, in the order of the spec. A missing Secret is passed over, as
// Kubernetes does: the image may well be public.
func (o Objects) PullSecrets(spec *v1alpha1.TenantContainerSpec) [][]byte {
	var out [][]byte

	for _, ref := range spec.ImagePullSecrets {
		if data := o.secrets[string(ref.Name)][corev1.DockerConfigJsonKey]; len(data) > 0 {
			out = append(out, data)
		}
	}

	return out
}

// Names lists the Secrets and ConfigMaps that a spec refers to. A name may be listed twice.
func Names(spec *v1alpha1.TenantContainerSpec) (secrets, configMaps []string) {
	key := func(secret, configMap *v1alpha1.KeySelector) {
		if secret != nil {
			secrets = append(secrets, string(secret.Name))
		}
		if configMap != nil {
			configMaps = append(configMaps, string(configMap.Name))
		}
	}

	for _, e := range spec.Env {
		if e.ValueFrom != nil {
			key(e.ValueFrom.SecretKeyRef, e.ValueFrom.ConfigMapKeyRef)
		}
	}
	for _, f := range spec.Files {
		key(f.SecretKeyRef, f.ConfigMapKeyRef)
	}
	for _, e := range spec.EnvFrom {
		if e.SecretRef != nil {
			secrets = append(secrets, string(e.SecretRef.Name))
		}
		if e.ConfigMapRef != nil {
			configMaps = append(configMaps, string(e.ConfigMapRef.Name))
		}
	}
	for _, ref := range spec.ImagePullSecrets {
		secrets = append(secrets, string(ref.Name))
	}

	return secrets, configMaps
}
