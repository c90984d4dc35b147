package build

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/dogker/dogker/internal/git/document"
)

// reference is a file that a kustomization names outside its resources.
type reference struct {
	field, path string
}

// files surveys all other files of a kustomization: each is in the repository, and is YAML that can be parsed where it will be.
func (s *survey) files(k kustomization) error {
	yamls, others := references(k.spec)

	for _, r := range yamls {
		e, err := s.local(k, r.field, r.path)
		if err != nil {
			return err
		}

		if e.Dir {
			return k.refuse(r.field, r.path, "%.200q is a directory, where a file is expected", r.path)
		}

		if _, err := s.b.documents(e.Path); err != nil {
			return err
		}
	}

	for _, r := range others {
		if _, err := s.local(k, r.field, r.path); err != nil {
			return err
		}
	}

	return s.inline(k)
}

// references are the files that a kustomization names: those that are parsed as YAML, and those that are taken as they are.
func references(k types.Kustomization) (yamls, others []reference) {
	add := func(field string, paths ...string) {
		for i, p := range paths {
			if p != "" {
				yamls = append(yamls, reference{fmt.Sprintf("%s[%d]", field, i), p})
			}
		}
	}

	add("crds", k.Crds...)
	add("configurations", k.Configurations...)

	if p := k.OpenAPI["path"]; p != "" {
		yamls = append(yamls, reference{"openapi.path", p})
	}

	for i, p := range k.Patches {
		add(fmt.Sprintf("patches[%d].path", i), p.Path)
	}

	for i, p := range k.PatchesJson6902 { //nolint:staticcheck // what is deprecated is built all the same
		add(fmt.Sprintf("patchesJson6902[%d].path", i), p.Path)
	}

	for i, r := range k.Replacements {
		add(fmt.Sprintf("replacements[%d].path", i), r.Path)
	}

	for i, p := range k.PatchesStrategicMerge { //nolint:staticcheck // what is deprecated is built all the same
		if !isInline(string(p)) {
			add(fmt.Sprintf("patchesStrategicMerge[%d]", i), string(p))
		}
	}

	generator := func(field string, g types.KvPairSources) {
		for _, f := range g.FileSources {
			if _, after, named := strings.Cut(f, "="); named {
				f = after
			}

			others = append(others, reference{field + ".files", f})
		}

		for _, f := range append(g.EnvSources, g.EnvSource) {
			if f != "" {
				others = append(others, reference{field + ".envs", f})
			}
		}
	}

	for i, g := range k.ConfigMapGenerator {
		generator(fmt.Sprintf("configMapGenerator[%d]", i), g.KvPairSources)
	}

	for i, g := range k.SecretGenerator {
		generator(fmt.Sprintf("secretGenerator[%d]", i), g.KvPairSources)
	}

	return yamls, others
}

// isInline tells YAML from the name of a file.
func isInline(s string) bool { return strings.ContainsAny(s, "\n{") || strings.Contains(s, ": ") }

// inline parses the YAML that is written into a kustomization as text: an alias in it expands like any other.
func (s *survey) inline(k kustomization) error {
	check := func(field, text string) error {
		if text == "" {
			return nil
		}

		if _, err := document.Parse(k.doc.File, []byte(text)); err != nil {
			return k.refuse(field, "", "%s", messageOf(err))
		}

		return nil
	}

	for i, p := range k.spec.Patches {
		if err := check(fmt.Sprintf("patches[%d].patch", i), p.Patch); err != nil {
			return err
		}
	}

	for i, p := range k.spec.PatchesJson6902 { //nolint:staticcheck // what is deprecated is built all the same
		if err := check(fmt.Sprintf("patchesJson6902[%d].patch", i), p.Patch); err != nil {
			return err
		}
	}

	for i, p := range k.spec.PatchesStrategicMerge { //nolint:staticcheck // what is deprecated is built all the same
		if isInline(string(p)) {
			if err := check(fmt.Sprintf("patchesStrategicMerge[%d]", i), string(p)); err != nil {
				return err
			}
		}
	}

	return nil
}

// plugins surveys generators, transformers and validators. Those that kustomize has built in may be used; their configurations are
// files or text, and may name files, which are read from the repository like all others.
func (s *survey) plugins(k kustomization, chain []string) error {
	for _, list := range []struct {
		field   string
		entries []string
	}{{"generators", k.spec.Generators}, {"transformers", k.spec.Transformers}, {"validators", k.spec.Validators}} {
		for i, entry := range list.entries {
			field := fmt.Sprintf("%s[%d]", list.field, i)

			if err := s.plugin(k, field, entry, chain); err != nil {
				return err
			}
		}
	}

	return nil
}

func (s *survey) plugin(k kustomization, field, entry string, chain []string) error {
	if isInline(entry) {
		docs, err := document.Parse(k.doc.File, []byte(entry))
		if err != nil {
			return k.refuse(field, "", "%s", messageOf(err))
		}

		for _, d := range docs {
			if err := plain(d); err != nil {
				return k.refuse(field, "", "%s", messageOf(err))
			}
		}

		return nil
	}

	if err := s.resource(k, field, entry, chain); err != nil {
		return err
	}

	e, err := s.local(k, field, entry)
	if err != nil {
		return err
	}

	if e.Dir {
		return nil
	}

	docs, err := s.b.documents(e.Path)
	if err != nil {
		return err
	}

	for _, d := range docs {
		if err := plain(d); err != nil {
			return err
		}
	}

	return nil
}

// plain refuses what a plugin would fetch or run. Nothing in a configuration of a built-in plugin is a URL.
func plain(d document.Document) error {
	kind := document.Field(d.Node, "kind")
	if kind != nil && strings.Contains(kind.Value, "Helm") {
		return d.Errorf(kind, "kind", "Helm charts are not rendered: commit what they render to")
	}

	for _, key := range []string{"config.kubernetes.io/function", "config.k8s.io/function"} {
		if f := document.Field(document.Field(document.Field(d.Node, "metadata"), "annotations"), key); f != nil {
			return d.Errorf(f, "metadata.annotations", "functions are not run")
		}
	}

	return noURL(d, d.Node)
}

func noURL(d document.Document, n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		value := strings.ToLower(n.Value)
		if _, after, named := strings.Cut(value, "="); named {
			value = after
		}

		if strings.HasPrefix(value, "http:") || strings.HasPrefix(value, "https:") {
			return d.Errorf(n, "", "%.200q is elsewhere, and nothing is fetched from elsewhere", n.Value)
		}
	}

	for _, child := range n.Content {
		if err := noURL(d, child); err != nil {
			return err
		}
	}

	return nil
}
