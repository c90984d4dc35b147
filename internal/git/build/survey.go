package build

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/dogker/dogker/internal/git/document"
	"github.com/dogker/dogker/internal/git/tree"
	"github.com/dogker/dogker/reconciler/source"
)

const (
	// maxNesting is how deep bases may stand on bases, and maxVisits how many kustomizations a build may come to, each counted as
	// often as it is used: two bases that use two bases each, ten deep, are a thousand.
	maxNesting = 10
	maxVisits  = 200
)

// survey goes where kustomize will go, and refuses what kustomize would fetch, run or never finish. It goes by what exists: a path
// that is no file and no directory of the repository is refused, whatever kustomize would have taken it for.
type survey struct {
	b      *builder
	visits int
	// written is where objects are written, by file: their lines are found again by it.
	written map[string][]written
}

// written is an object in a file.
type written struct {
	kind, name string
	line       int
}

func newSurvey(b *builder) *survey {
	return &survey{b: b, written: map[string][]written{}}
}

// hasKustomization tells whether a directory is built by kustomize.
func hasKustomization(names []string) bool {
	return slices.ContainsFunc(konfig.RecognizedKustomizationFileNames(), func(name string) bool { return slices.Contains(names, name) })
}

// kustomizationIn finds the file that makes a directory a kustomization.
func (s *survey) kustomizationIn(at string) (string, error) {
	names, err := s.b.tree.ReadDir(at)
	if err != nil {
		return "", err
	}

	var found []string

	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if slices.Contains(names, name) {
			found = append(found, path.Join(at, name))
		}
	}

	switch len(found) {
	case 0:
		return "", &source.Error{Reason: source.ReasonBuildFailed, File: at, Message: "has no kustomization.yaml", Cause: fs.ErrNotExist}
	case 1:
		return found[0], nil
	default:
		return "", &source.Error{Reason: source.ReasonBuildFailed, File: found[1], Message: fmt.Sprintf("is one of two kustomizations of its directory; the other is %s", found[0])}
	}
}

// kustomization is one file on the way.
type kustomization struct {
	dir  string
	doc  document.Document
	spec types.Kustomization
}

// visit surveys the kustomization of a directory and everything it uses. Chain is how it was come to.
func (s *survey) visit(at string, chain []string) error {
	file, err := s.kustomizationIn(at)
	if err != nil {
		return err
	}

	if s.visits++; s.visits > maxVisits || len(chain) >= maxNesting {
		return &source.Error{
			Reason: source.ReasonLimitExceeded, File: file,
			Message: fmt.Sprintf("bases are nested deeper than %d, or used more than %d times", maxNesting, maxVisits),
		}
	}

	k, err := s.read(file, at)
	if err != nil {
		return err
	}

	chain = append(slices.Clone(chain), at)

	for _, list := range []struct {
		field   string
		entries []string
	}{{"resources", k.spec.Resources}, {"bases", k.spec.Bases}, {"components", k.spec.Components}} { //nolint:staticcheck // what is deprecated is built all the same
		for i, entry := range list.entries {
			if err := s.resource(k, fmt.Sprintf("%s[%d]", list.field, i), entry, chain); err != nil {
				return err
			}
		}
	}

	if err := s.plugins(k, chain); err != nil {
		return err
	}

	return s.files(k)
}

// read parses a kustomization, strictly.
func (s *survey) read(file, at string) (kustomization, error) {
	docs, err := s.b.documents(file)
	if err != nil {
		return kustomization{}, err
	}

	if len(docs) != 1 || docs[0].Node.Kind != yaml.MappingNode {
		return kustomization{}, &source.Error{Reason: source.ReasonBuildFailed, File: file, Message: "a kustomization must be one mapping"}
	}

	k := kustomization{dir: at, doc: docs[0]}

	text, err := document.Text(k.doc.Node)
	if err != nil {
		return kustomization{}, k.doc.Errorf(nil, "", "is no kustomization: %s", oneLine(err.Error()))
	}

	if err := k.spec.Unmarshal(text); err != nil {
		return kustomization{}, k.doc.Errorf(nil, "", "is no kustomization: %s", oneLine(err.Error()))
	}

	if len(k.spec.HelmCharts)+len(k.spec.HelmChartInflationGenerator) > 0 || k.spec.HelmGlobals != nil {
		return kustomization{}, k.refuse("helmCharts", "", "Helm charts are not rendered: commit what they render to")
	}

	return k, nil
}

// refuse is an error at the line of a value, as far as that can be found.
func (k kustomization) refuse(field, value, format string, args ...any) error {
	at := find(k.doc.Node, value)
	if at == nil || value == "" {
		name, _, _ := strings.Cut(field, "[")
		at = document.Field(k.doc.Node, name)
	}

	return k.doc.Errorf(at, field, format, args...)
}

// find is the first scalar of a value.
func find(n *yaml.Node, value string) *yaml.Node {
	if n.Kind == yaml.ScalarNode && n.Value == value {
		return n
	}

	for _, child := range n.Content {
		if found := find(child, value); found != nil {
			return found
		}
	}

	return nil
}

// local is the path that an entry means, when it means one in the repository.
func (s *survey) local(k kustomization, field, entry string) (tree.Entry, error) {
	if remote(entry) {
		return tree.Entry{}, k.refuse(field, entry, "%.200q is elsewhere, and nothing is fetched from elsewhere: commit it to this repository", entry)
	}

	at, err := tree.Join(k.dir, entry)
	if err == nil {
		var e tree.Entry
		if e, err = s.b.tree.Lookup(at); err == nil {
			return e, nil
		}
	}

	var known *source.Error
	if !errors.As(err, &known) {
		return tree.Entry{}, err
	}

	message := known.Message
	if known.File != "" {
		message = fmt.Sprintf("%.200q %s", entry, message)
	}

	refusal := &source.Error{}
	if errors.As(k.refuse(field, entry, "%s", message), &refusal) && known.Reason != source.ReasonPathNotFound {
		refusal.Reason = known.Reason
	}

	return tree.Entry{}, refusal
}

// remote tells whether kustomize could take an entry for something to fetch. It is wider than kustomize's own rule: nothing that is
// committed to a repository has such a name by accident.
func remote(entry string) bool {
	first, _, _ := strings.Cut(strings.ToLower(entry), "/")

	return strings.ContainsAny(entry, ":?@") || strings.Contains(entry, "//") || strings.HasPrefix(first, "github.com") ||
		strings.Contains(entry, "_git/") || strings.Contains(first, "%")
}

// resource surveys what objects come from: a file of them, or another kustomization.
func (s *survey) resource(k kustomization, field, entry string, chain []string) error {
	e, err := s.local(k, field, entry)
	if err != nil {
		return err
	}

	if !e.Dir {
		return s.objects(e.Path)
	}

	for _, before := range chain {
		if before == e.Path || e.Path == "" || strings.HasPrefix(before, e.Path+"/") {
			return k.refuse(field, entry, "%.200q contains what uses it", entry)
		}
	}

	return s.visit(e.Path, chain)
}

// objects reads a file of objects, once.
func (s *survey) objects(file string) error {
	if _, done := s.written[file]; done {
		return nil
	}

	docs, err := s.b.documents(file)
	if err != nil {
		return err
	}

	found := []written{}

	for _, d := range docs {
		if err := each(d, func(n *yaml.Node) error {
			name := document.Field(document.Field(n, "metadata"), "name")
			found = append(found, written{document.Field(n, "kind").Value, name.Value, d.LineOf(n)})

			return nil
		}); err != nil {
			return err
		}
	}

	s.written[file] = found

	return nil
}
