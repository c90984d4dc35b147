package build

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/dogker/dogker/internal/git/document"
	"github.com/dogker/dogker/reconciler/source"
)

// kustomizing: kustomize keeps schemas in variables of its packages.
var kustomizing sync.Mutex

// kustomize builds the kustomization of a directory.
func (b *builder) kustomize(at string) error {
	if err := b.survey.visit(at, nil); err != nil {
		return err
	}

	file, err := b.survey.kustomizationIn(at)
	if err != nil {
		return err
	}

	fs := &files{b: b, instead: map[string][]byte{}}

	wanted, err := fs.trackOrigins(file)
	if err != nil {
		return err
	}

	resources, err := run(fs, at)
	if err != nil {
		return fs.explain(file, err)
	}

	for _, r := range resources {
		m, err := b.place(r, at, file)
		if err != nil {
			return err
		}

		if !wanted {
			if err := r.SetOrigin(nil); err != nil {
				return m.fail(source.ReasonBuildFailed, "", oneLine(err.Error()))
			}
		}

		m.node = document.Expanded(r.YNode())

		if err := b.add(m); err != nil {
			return err
		}
	}

	return nil
}

// run is kustomize. Restrictions of where files may be are off because the files are restricted: there are no others.
func run(fs *files, at string) (made []*resource.Resource, err error) {
	kustomizing.Lock()
	defer kustomizing.Unlock()

	// It panics on some of what it does not expect, and what it gets here is what nobody expects.
	defer func() {
		if p := recover(); p != nil {
			made, err = nil, errors.New("kustomize cannot build it")
		}
	}()

	options := krusty.MakeDefaultOptions()
	options.LoadRestrictions = types.LoadRestrictionsNone
	options.PluginConfig = types.DisabledPluginConfig()

	m, err := krusty.MakeKustomizer(options).Run(fs, inside(at))
	if err != nil {
		return nil, err
	}

	return m.Resources(), nil
}

// trackOrigins has kustomize say where objects come from, also where the kustomization does not ask for it. It tells whether the
// kustomization does.
func (f *files) trackOrigins(file string) (wanted bool, err error) {
	docs, err := f.b.documents(file)
	if err != nil {
		return false, err
	}

	node := docs[0].Node

	metadata := document.Field(node, "buildMetadata")
	if metadata == nil {
		metadata = &yaml.Node{Kind: yaml.SequenceNode}
		node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "buildMetadata"}, metadata)
	}

	if slices.ContainsFunc(metadata.Content, func(n *yaml.Node) bool { return n.Value == types.OriginAnnotations }) {
		return true, nil
	}

	metadata.Content = append(metadata.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: types.OriginAnnotations})

	f.instead[file], err = document.Text(node)

	return false, err
}

// place says where an object comes from: the file that it is written in, or the kustomization that generates it.
func (b *builder) place(r *resource.Resource, at, file string) (made, error) {
	m := made{file: file}

	origin, err := r.GetOrigin()
	if err != nil || origin == nil {
		return m, nil //nolint:nilerr // an object without an origin is named by its kustomization
	}

	if origin.ConfiguredIn != "" {
		m.file = path.Join(at, origin.ConfiguredIn)

		return m, nil
	}

	e, err := b.tree.Lookup(path.Join(at, origin.Path))
	if err != nil {
		return m, nil //nolint:nilerr // as above
	}

	m.file = e.Path
	m.line = lineOf(b.survey.written[e.Path], r.GetKind(), r.GetName())

	return m, nil
}

// lineOf finds an object again in its file. Its name may have got a prefix and a suffix; of several that fit, the longest is it.
func lineOf(in []written, kind, name string) int {
	line, best := 0, -1

	for _, w := range in {
		if w.kind == kind && len(w.name) > best && strings.Contains(name, w.name) {
			line, best = w.line, len(w.name)
		}
	}

	return line
}

// explain makes an error of kustomize one of the repository. What it says about paths of the files it was given is true in the
// repository, but for where they are.
func (f *files) explain(file string, err error) error {
	// An error of ours does not always come through as one.
	if f.failed != nil {
		return f.failed
	}

	var known *source.Error
	if errors.As(err, &known) {
		return known
	}

	text := strings.NewReplacer(mount+"/", "", mount, ".").Replace(err.Error())

	return &source.Error{Reason: source.ReasonBuildFailed, File: file, Message: "kustomize: " + oneLine(text)}
}

// messageOf is the message of an error, without the place that it says itself.
func messageOf(err error) string {
	var known *source.Error
	if errors.As(err, &known) {
		return known.Message
	}

	return oneLine(fmt.Sprint(err))
}
