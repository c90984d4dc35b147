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
)

// tags are what values can be. Timestamps are strings to Kubernetes.
var tags = map[string]bool{
	"!!str": true, "!!int": true, "!!float": true, "!!bool": true, "!!null": true, "!!map": true, "!!seq": true,
	"!!merge": true, "!!binary": true, "!!timestamp": true, "": true,
}

// guard refuses what would hurt whoever reads the document.
type guard struct {
	doc Document
	// expanded is how many values there are below an anchor, with aliases expanded; -1 while that is being counted.
	expanded map[*yaml.Node]int64
	written  int64
}

func (d Document) guard() error {
	g := guard{doc: d, expanded: map[*yaml.Node]int64{}}

	total, err := g.visit(d.Node, 0)
	if err != nil {
		return err
	}

	if total > freeExpansion && total > g.written*maxExpansion {
		return d.Errorf(nil, "", "its aliases expand it to more than %d times what is written", maxExpansion)
	}

	return nil
}

// ceiling keeps counts from running over.
const ceiling = int64(1) << 40

// visit counts a node and what is below it.
func (g *guard) visit(n *yaml.Node, depth int) (int64, error) {
	if depth > maxDepth {
		return 0, g.doc.Errorf(n, "", "values are nested deeper than %d", maxDepth)
	}

	if n.Kind == yaml.AliasNode {
		return g.alias(n, depth)
	}

	g.written++

	if !tags[n.ShortTag()] {
		return 0, g.doc.Errorf(n, "", "the tag %.50q is not understood", n.ShortTag())
	}

	if n.Anchor != "" {
		g.expanded[n] = -1
	}

	if err := g.keys(n); err != nil {
		return 0, err
	}

	count := int64(1)

	for _, child := range n.Content {
		c, err := g.visit(child, depth+1)
		if err != nil {
			return 0, err
		}

		count = min(count+c, ceiling)
	}

	if n.Anchor != "" {
		g.expanded[n] = count
	}

	return count, nil
}

// alias counts what an alias stands for. Its anchor was visited before: it has to be written before.
func (g *guard) alias(n *yaml.Node, depth int) (int64, error) {
	g.written++

	count, ok := g.expanded[n.Alias]
	if !ok || count < 0 {
		return 0, g.doc.Errorf(n, "", "the alias %.50q is part of what it stands for", n.Value)
	}

	// What it stands for may be as deep as a document, below as deep a place.
	if depth += depthOf(n.Alias, maxDepth); depth > maxDepth {
		return 0, g.doc.Errorf(n, "", "values are nested deeper than %d", maxDepth)
	}

	return count, nil
}

// depthOf is how deep a node is that was written out, up to a limit. Aliases in it count as one: they were counted where they are.
func depthOf(n *yaml.Node, limit int) int {
	if limit <= 0 {
		return 0
	}

	deepest := 0
	for _, child := range n.Content {
		deepest = max(deepest, 1+depthOf(child, limit-1))
	}

	return deepest
}

// keys demands that keys are scalars and unique.
func (g *guard) keys(n *yaml.Node) error {
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
