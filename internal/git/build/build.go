package build

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"filippo.io/age"
	"go.yaml.in/yaml/v3"

	"github.com/dogker/dogker/internal/git/document"
	"github.com/dogker/dogker/internal/git/sops"
	"github.com/dogker/dogker/internal/git/substitute"
	"github.com/dogker/dogker/internal/git/tree"
	"github.com/dogker/dogker/reconciler/source"
)

// made is an object on its way.
type made struct {
	file string
	line int
	node *yaml.Node
	// doc is where it was written; it is the zero Document where kustomize has made the node.
	doc document.Document
}

// builder is one build.
type builder struct {
	ctx     context.Context //nolint:containedctx // it lives as long as one call
	tree    *tree.Tree
	request source.Request
	limits  source.Limits
	keys    []age.Identity
	made    []made
	survey  *survey
}

// Objects builds what a request asks for.
func Objects(ctx context.Context, t *tree.Tree, r source.Request) ([]source.Object, error) {
	if err := substitute.Check(r.Substitute); err != nil {
		return nil, err
	}

	keys, err := sops.ParseKeys(r.AgeKeys)
	if err != nil {
		return nil, err
	}

	at, err := root(t, r.Path)
	if err != nil {
		return nil, err
	}

	b := &builder{ctx: ctx, tree: t, request: r, limits: r.Limits.OrDefault(), keys: keys}
	b.survey = newSurvey(b)

	if err := b.directory(at); err != nil {
		return nil, err
	}

	return b.finish()
}

// root is the directory to build.
func root(t *tree.Tree, asked string) (string, error) {
	refuse := func(reason source.Reason, message string) (string, error) {
		return "", &source.Error{Reason: reason, Field: "path", Message: message}
	}

	at, err := tree.Join("", strings.TrimPrefix(asked, "/"))
	if err != nil {
		return refuse(source.ReasonPathNotFound, fmt.Sprintf("%.200q leads out of the repository", asked))
	}

	e, err := t.Lookup(at)
	if err != nil {
		var known *source.Error
		if errors.As(err, &known) {
			return refuse(known.Reason, fmt.Sprintf("%.200q %s", asked, known.Message))
		}

		return "", err
	}

	if !e.Dir {
		return refuse(source.ReasonPathNotFound, fmt.Sprintf("%.200q is a file; a directory is built", asked))
	}

	return e.Path, nil
}

// directory builds a directory, and those below it that do not belong to a kustomization.
func (b *builder) directory(at string) error {
	if err := b.ctx.Err(); err != nil {
		return &source.Error{Reason: source.ReasonTimeout, Transient: true, Message: "it could not be built in time", Cause: err}
	}

	names, err := b.tree.ReadDir(at)
	if err != nil {
		return err
	}

	if hasKustomization(names) {
		return b.kustomize(at)
	}

	for _, name := range names {
		p := path.Join(at, name)

		e, err := b.tree.Lookup(p)
		if err != nil {
			return err
		}

		switch {
		case e.Dir && e.Path == p:
			err = b.directory(p)
		case e.Dir:
			// What a symlink leads to is built where it is, once.
		case isYAML(name):
			err = b.file(p)
		}

		if err != nil {
			return err
		}
	}

	return nil
}

// isYAML tells whether a file of a plain directory is built.
func isYAML(name string) bool {
	ext := path.Ext(name)

	return ext == ".yaml" || ext == ".yml"
}

// file takes all objects of a file.
func (b *builder) file(at string) error {
	docs, err := b.documents(at)
	if err != nil {
		return err
	}

	for _, d := range docs {
		if err := each(d, func(n *yaml.Node) error {
			return b.add(made{file: at, line: d.LineOf(n), node: n, doc: d})
		}); err != nil {
			return err
		}
	}

	return nil
}

// documents reads a file, decrypted.
func (b *builder) documents(at string) ([]document.Document, error) {
	data, err := b.tree.ReadFile(at)
	if err != nil {
		return nil, err
	}

	docs, err := document.Parse(at, data)
	if err != nil {
		return nil, err
	}

	return docs, sops.Documents(docs, b.keys)
}

// each calls f for every object of a document: the items of a List one by one.
func each(d document.Document, f func(*yaml.Node) error) error {
	if d.Node.Kind != yaml.MappingNode {
		return d.Errorf(nil, "", "an object must be a mapping, with apiVersion, kind and metadata")
	}

	// Items go their own ways, and aliases lead from one to another.
	object := document.Expanded(d.Node)
	items := document.Field(object, "items")
	kind := document.Field(object, "kind")

	if kind == nil || !strings.HasSuffix(kind.Value, "List") || items == nil {
		if err := identified(d, object); err != nil {
			return err
		}

		return f(object)
	}

	if items.Kind != yaml.SequenceNode {
		return d.Errorf(items, "items", "must be a list")
	}

	for _, item := range items.Content {
		if err := identified(d, item); err != nil {
			return err
		}

		if err := f(item); err != nil {
			return err
		}
	}

	return nil
}

// identified demands what every object needs to be one.
func identified(d document.Document, n *yaml.Node) error {
	for _, at := range [][]string{{"apiVersion"}, {"kind"}, {"metadata", "name"}} {
		value := n
		for _, key := range at {
			value = document.Field(value, key)
		}

		if value == nil || value.Kind != yaml.ScalarNode || value.Value == "" {
			return d.Errorf(n, strings.Join(at, "."), "is required in every object")
		}
	}

	return nil
}

// add takes an object, within limits.
func (b *builder) add(m made) error {
	if len(b.made) >= b.limits.Documents {
		return &source.Error{
			Reason: source.ReasonLimitExceeded, File: m.file, Line: m.line,
			Message: fmt.Sprintf("there are more than %d objects", b.limits.Documents),
		}
	}

	b.made = append(b.made, m)

	return nil
}
