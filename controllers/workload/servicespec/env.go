package servicespec

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Lookup returns the data of a Secret or ConfigMap of the namespace, for a ConfigMap data and binaryData together. It is
// false when there is no such object.
type Lookup func(kind Kind, name string) (data map[string][]byte, found bool)

// Variable is one environment variable.
type Variable struct {
	Name, Value string
	// Referenced is true when the value came from a Secret or ConfigMap.
	Referenced bool
}

// Variables are an environment, sorted by name, each name once.
type Variables []Variable

// Strings are the variables as the engine wants them.
func (v Variables) Strings() []string {
	out := make([]string, len(v))
	for i, x := range v {
		out[i] = x.Name + "=" + x.Value
	}

	return out
}

// Referenced are the values that came from Secrets and ConfigMaps, by name of the variable: what has to be kept to run
// the same template again after those have changed.
func (v Variables) Referenced() map[string][]byte {
	out := map[string][]byte{}
	for _, x := range v {
		if x.Referenced {
			out[x.Name] = []byte(x.Value)
		}
	}

	return out
}

// Env is the environment of a template: envFrom in order, later entries over earlier ones, and env over all of them.
// The errors are MissingErrors and ContentErrors, joined.
func Env(t *v1alpha1.TenantContainerSpec, lookup Lookup) (Variables, error) {
	r := &resolver{lookup: lookup}
	vars := map[string]Variable{}

	for i := range t.EnvFrom {
		for _, v := range r.all(fmt.Sprintf("spec.envFrom[%d]", i), &t.EnvFrom[i]) {
			vars[v.Name] = v
		}
	}
	for i := range t.Env {
		if v, ok := r.one(&t.Env[i]); ok {
			vars[v.Name] = v
		}
	}

	if err := errors.Join(r.problems...); err != nil {
		return nil, err
	}

	return sorted(vars), nil
}

// RecordedEnv is the environment of a template whose referenced values were kept as Variables.Referenced returned them.
func RecordedEnv(t *v1alpha1.TenantContainerSpec, referenced map[string][]byte) Variables {
	vars := map[string]Variable{}
	for _, e := range t.Env {
		if e.ValueFrom == nil {
			vars[e.Name] = Variable{Name: e.Name, Value: string(orDefault(e.Value, ""))}
		}
	}
	for name, value := range referenced {
		vars[name] = Variable{Name: name, Value: string(value), Referenced: true}
	}

	return sorted(vars)
}

func sorted(vars map[string]Variable) Variables {
	return slices.SortedFunc(maps.Values(vars), func(x, y Variable) int { return cmp.Compare(x.Name, y.Name) })
}

// resolver looks up what a template refers to and collects what is wrong with it.
type resolver struct {
	lookup   Lookup
	problems []error
}

// one is the variable of one entry of env. It is false when the entry is optional and there is nothing, or when there
// is a problem.
func (r *resolver) one(e *v1alpha1.EnvVar) (Variable, bool) {
	if e.ValueFrom == nil {
		return Variable{Name: e.Name, Value: string(orDefault(e.Value, ""))}, true
	}

	field := fmt.Sprintf("spec.env[%s].valueFrom", e.Name)
	ref, ok := r.key(field, e.ValueFrom.SecretKeyRef, e.ValueFrom.ConfigMapKeyRef)
	if !ok || !r.usable(ref) {
		return Variable{}, false
	}

	return Variable{Name: e.Name, Value: string(ref.data), Referenced: true}, true
}

// variableName is what the schema asks of names in env.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// all are the variables of one entry of envFrom. Keys that are no names of variables are skipped, as in Kubernetes.
func (r *resolver) all(field string, e *v1alpha1.EnvFromSource) []Variable {
	kind, source := KindSecret, e.SecretRef
	field, other := field+".secretRef", field+".configMapRef"
	if source == nil {
		kind, source, field = KindConfigMap, e.ConfigMapRef, other
	}
	if source == nil {
		return nil
	}

	data, found := r.lookup(kind, string(source.Name))
	if !found {
		if !source.Optional {
			r.problems = append(r.problems, &MissingError{Field: field, Kind: kind, Name: string(source.Name)})
		}

		return nil
	}

	var vars []Variable
	for _, key := range slices.Sorted(maps.Keys(data)) {
		name := e.Prefix + key
		if !variableName.MatchString(name) {
			continue
		}
		if !r.usable(content{field: field, kind: kind, name: string(source.Name), key: key, data: data[key]}) {
			continue
		}
		vars = append(vars, Variable{Name: name, Value: string(data[key]), Referenced: true})
	}

	return vars
}

// content is what one key holds, and where it was found.
type content struct {
	field string
	kind  Kind
	name  string
	key   string
	data  []byte
}

// key looks up one key of a Secret or a ConfigMap, whichever is named. It is false when there is nothing; that is a
// problem unless the reference is optional.
func (r *resolver) key(field string, secret, configMap *v1alpha1.KeySelector) (content, bool) {
	c, ref := content{field: field + ".secretKeyRef", kind: KindSecret}, secret
	if ref == nil {
		c, ref = content{field: field + ".configMapKeyRef", kind: KindConfigMap}, configMap
	}
	if ref == nil {
		r.problems = append(r.problems, &FieldError{Field: field, Problem: "must name a key"})

		return content{}, false
	}
	c.name, c.key = string(ref.Name), string(ref.Key)

	missing := &MissingError{Field: c.field, Kind: c.kind, Name: c.name}
	data, found := r.lookup(c.kind, c.name)
	if found {
		c.data, found = data[c.key]
		missing.Key = c.key
	}
	if !found && !ref.Optional {
		r.problems = append(r.problems, missing)
	}

	return c, found
}

// usable is true when the engine can take the content as the value of a variable.
func (r *resolver) usable(c content) bool {
	problem := unclean(string(c.data))
	if problem == "" {
		return true
	}
	r.problems = append(r.problems, &ContentError{
		Field: c.field, Kind: c.kind, Name: c.name, Key: c.key,
		Problem: "cannot be a variable: it " + problem + "; a file can hold it",
	})

	return false
}
