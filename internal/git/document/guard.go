package document

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	// maxDepth is how deep values may nest.
	maxDepth = 100
	// A document may expand to so many times the values that it is written with, and to so many in any case.
	maxExpansion  = 10
	freeExpansion = 1000
	// ceiling keeps counts from running over.
	ceiling = int64(1) << 40
)

// tags are what values can be. Timestamps are strings to Kubernetes.
var tags = map[string]bool{
	"!!str": true, "!!int": true, "!!float": true, "!!bool": true, "!!null": true, "!!map": true, "!!seq": true,
	"!!merge": true, "!!binary": true, "!!timestamp": true, "": true,
}

// size is how large a value is with its aliases expanded: how many values, how deep.
type size struct {
	count  int64
	height int
}

// guard refuses what would hurt whoever reads the document.
type guard struct {
	doc Document
	// bounds alone are looked at, and not what a value may be: the file is somebody's data.
	bounds bool
	// anchored is the size of values with an anchor; nil while that is being found out.
	anchored map[*yaml.Node]*size
	written  int64
}

// guard checks a document that objects are made of.
func (d Document) guard() error { return d.check(false) }

func (d Document) check(bounds bool) error {
	g := guard{doc: d, bounds: bounds, anchored: map[*yaml.Node]*size{}}

	total, err := g.visit(d.Node, 0)
	if err != nil {
		return err
	}

	if total.count > freeExpansion && total.count > g.written*maxExpansion {
		return d.Errorf(nil, "", "its aliases expand it to more than %d times what is written", maxExpansion)
	}

	return nil
}

// Bounded refuses a file whose aliases multiply, whatever else is wrong with it: it is somebody's data, and something may parse it
// all the same.
func Bounded(file string, data []byte) error {
	for _, p := range split(data) {
		var root yaml.Node
		if yaml.Unmarshal(p.text, &root) != nil || len(root.Content) == 0 {
			continue
		}

		d := Document{File: file, Line: p.offset + root.Content[0].Line, Node: root.Content[0], offset: p.offset}
		if err := d.check(true); err != nil {
			return err
		}
	}

	return nil
}

// visit measures a node and what is below it.
func (g *guard) visit(n *yaml.Node, depth int) (size, error) {
	g.written++

	if n.Kind == yaml.AliasNode {
		return g.alias(n, depth)
	}

	if !g.bounds {
		if err := g.acceptable(n, depth); err != nil {
			return size{}, err
		}
	}

	if n.Anchor != "" {
		g.anchored[n] = nil
	}

	s := size{count: 1}

	for _, child := range n.Content {
		c, err := g.visit(child, depth+1)
		if err != nil {
			return size{}, err
		}

		s.count = min(s.count+c.count, ceiling)
		s.height = max(s.height, c.height+1)
	}

	if n.Anchor != "" {
		g.anchored[n] = &s
	}

	return s, nil
}

// alias is as large as what it stands for, which is written before it.
func (g *guard) alias(n *yaml.Node, depth int) (size, error) {
	s := g.anchored[n.Alias]

	switch {
	case s == nil:
		return size{}, g.doc.Errorf(n, "", "the alias %.50q is part of what it stands for", n.Value)
	case depth+s.height > maxDepth && !g.bounds:
		return size{}, g.doc.Errorf(n, "", "values are nested deeper than %d", maxDepth)
	default:
		return *s, nil
	}
}

// acceptable demands that a value can be one of JSON.
func (g *guard) acceptable(n *yaml.Node, depth int) error {
	if depth > maxDepth {
		return g.doc.Errorf(n, "", "values are nested deeper than %d", maxDepth)
	}

	if !tags[n.ShortTag()] {
		return g.doc.Errorf(n, "", "the tag %.50q is not understood", n.ShortTag())
	}

	if n.Kind != yaml.MappingNode {
		return nil
	}

	seen := make(map[string]*yaml.Node, len(n.Content)/2)

	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			return g.doc.Errorf(key, "", "a key must be a string")
		}

		if before := seen[key.Value]; before != nil {
			return g.doc.Errorf(key, "", "the key %.100q is there twice: also in line %d", strings.ToValidUTF8(key.Value, "?"), g.doc.LineOf(before))
		}

		seen[key.Value] = key
	}

	return nil
}

// Expanded is a copy of a node in which everything is written out. Only what has passed the guard may be expanded.
func Expanded(n *yaml.Node) *yaml.Node {
	switch {
	case n.Kind == yaml.AliasNode:
		return Expanded(n.Alias)
	case n.Kind == yaml.DocumentNode && len(n.Content) == 1:
		return Expanded(n.Content[0])
	}

	c := *n
	c.Anchor, c.Content = "", nil

	for _, child := range n.Content {
		c.Content = append(c.Content, Expanded(child))
	}

	return &c
}
