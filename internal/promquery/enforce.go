package promquery

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Namespace is the label by which series belong to tenants.
const Namespace = "namespace"

// What a query may cost. Prometheus itself bounds the samples that it loads for one.
const (
	maxLength    = 2048
	maxSelectors = 16
	// maxRange is how far one selector, or one subquery, looks back; maxOffset is how far that is moved.
	maxRange  = 24 * time.Hour
	maxOffset = 31 * 24 * time.Hour
	// maxRewrites is how many functions that write labels may be within each other, and maxParts how many texts one of them
	// puts together. A label that is put together of itself a few dozen times fills the memory of Prometheus.
	maxRewrites = 2
	maxParts    = 8
	// maxSteps is how often a subquery is evaluated.
	maxSteps = 1500
	// defaultStep is that of a subquery which names none, as Prometheus has it.
	defaultStep = time.Minute
)

// ErrRefused is for a query that cannot be asked: it is no PromQL, cannot be confined to a namespace, or costs too much. Only
// another query helps.
var ErrRefused = errors.New("query is refused")

// Enforce is the query confined to a namespace: every selector of what it returns has the matcher namespace="<namespace>", and
// no other one for that label. It fails with ErrRefused. The answer of what it returns is a number or a vector.
func Enforce(query, namespace string) (string, error) {
	if namespace == "" {
		return "", refusef("no namespace to confine it to")
	}
	if len(query) > maxLength {
		return "", refusef("it has %d characters; at most %d are allowed", len(query), maxLength)
	}
	expr, err := parser.ParseExpr(query)
	if err != nil {
		return "", refusef("%v", err)
	}
	if t := expr.Type(); t != parser.ValueTypeVector && t != parser.ValueTypeScalar {
		return "", refusef("its answer is a %s; it must be a scalar or an instant vector", parser.DocumentedType(t))
	}
	c := confinement{namespace: namespace}
	parser.Inspect(expr, c.visit)
	if c.err != nil {
		return "", c.err
	}
	if c.selectors > maxSelectors {
		return "", refusef("it has %d selectors; at most %d are allowed", c.selectors, maxSelectors)
	}

	confined := expr.String()

	return confined, verify(confined, namespace)
}

func refusef(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrRefused, fmt.Errorf(format, args...))
}

// confinement confines what is visited.
type confinement struct {
	namespace string
	selectors int
	err       error
}

func (c *confinement) visit(node parser.Node, path []parser.Node) error {
	if c.err == nil {
		c.err = c.confine(node, path)
	}

	return c.err
}

func (c *confinement) confine(node parser.Node, path []parser.Node) error {
	switch n := node.(type) {
	case *parser.VectorSelector:
		return c.selector(n)
	case *parser.MatrixSelector:
		if n.RangeExpr != nil {
			return refusef("a range that is an expression is not allowed")
		}

		return within("range", n.Range, maxRange)
	case *parser.SubqueryExpr:
		return subquery(n, path)
	case *parser.Call:
		return call(n, path)
	case *parser.AggregateExpr:
		if n.Op == parser.COUNT_VALUES && names(n.Param, Namespace) {
			return refusef("count_values must not set the label %q", Namespace)
		}
	}

	return nil
}

func (c *confinement) selector(s *parser.VectorSelector) error {
	c.selectors++

	if s.OriginalOffsetExpr != nil {
		return refusef("an offset that is an expression is not allowed")
	}
	if err := within("offset", s.OriginalOffset.Abs(), maxOffset); err != nil {
		return err
	}
	for _, m := range s.LabelMatchers {
		if m.Name == Namespace && !m.Matches(c.namespace) {
			return refusef("%s asks for another namespace; only %q can be asked", m, c.namespace)
		}
	}

	// A matcher that the namespace passes says nothing more than the one that is put in its place.
	s.LabelMatchers = slices.DeleteFunc(slices.Clone(s.LabelMatchers), func(m *labels.Matcher) bool { return m.Name == Namespace })
	s.LabelMatchers = append(s.LabelMatchers, labels.MustNewMatcher(labels.MatchEqual, Namespace, c.namespace))

	return nil
}

// subquery refuses what evaluates its inside too often.
func subquery(s *parser.SubqueryExpr, path []parser.Node) error {
	for _, outer := range path {
		if _, ok := outer.(*parser.SubqueryExpr); ok {
			return refusef("a subquery within a subquery is not allowed")
		}
	}
	if s.RangeExpr != nil || s.StepExpr != nil || s.OriginalOffsetExpr != nil {
		return refusef("a duration that is an expression is not allowed")
	}

	step := s.Step
	if step <= 0 {
		step = defaultStep
	}
	if steps := int64(s.Range / step); steps > maxSteps {
		return refusef("a subquery of %d steps is too long; at most %d are allowed", steps, maxSteps)
	}

	return errors.Join(within("range", s.Range, maxRange), within("offset", s.OriginalOffset.Abs(), maxOffset))
}

// call refuses functions that reach series which no selector names, or that write the label by which answers are told apart.
func call(n *parser.Call, path []parser.Node) error {
	switch n.Func.Name {
	case "info":
		return refusef("info reads series of all namespaces")
	case "label_replace", "label_join":
		if len(n.Args) > 1 && names(n.Args[1], Namespace) {
			return refusef("%s must not set the label %q", n.Func.Name, Namespace)
		}

		return rewrite(n, path)
	}

	return nil
}

// rewrite refuses what makes labels grow with every function that it goes through.
func rewrite(n *parser.Call, path []parser.Node) error {
	within := 1
	for _, outer := range path {
		if c, ok := outer.(*parser.Call); ok && rewrites(c) {
			within++
		}
	}
	if within > maxRewrites {
		return refusef("%s within %d others that write labels; at most %d may be within each other", n.Func.Name, within-1, maxRewrites)
	}

	// label_join(v, label, separator, source, ...), label_replace(v, label, replacement, source, regex)
	parts := max(len(n.Args)-3, 0)
	if n.Func.Name == "label_replace" && len(n.Args) > 2 {
		parts = strings.Count(n.Args[2].String(), "$")
	}
	if parts > maxParts {
		return refusef("%s puts %d texts together; at most %d are allowed", n.Func.Name, parts, maxParts)
	}

	return nil
}

func rewrites(c *parser.Call) bool {
	return c.Func.Name == "label_replace" || c.Func.Name == "label_join"
}

// names is true for a text that is the name of a label.
func names(e parser.Expr, label string) bool {
	for {
		switch n := e.(type) {
		case *parser.ParenExpr:
			e = n.Expr
		case *parser.StringLiteral:
			return n.Val == label
		default:
			return false
		}
	}
}

func within(what string, d, most time.Duration) error {
	if d > most {
		return refusef("%s of %s is too long; at most %s are allowed", what, d, most)
	}

	return nil
}

// verify reads what is to be asked once more, and finds every selector confined. Nothing but a mistake in here, or in how a
// query is written down, makes it fail.
func verify(query, namespace string) error {
	expr, err := parser.ParseExpr(query)
	if err != nil {
		return refusef("written down again it is not understood: %v", err)
	}

	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		s, ok := node.(*parser.VectorSelector)
		if ok && !confined(s, namespace) {
			err = refusef("%s is not confined to namespace %q", s, namespace)
		}

		return err
	})

	return err
}

func confined(s *parser.VectorSelector, namespace string) bool {
	n := 0
	for _, m := range s.LabelMatchers {
		switch {
		case m.Name != Namespace:
		case m.Type != labels.MatchEqual || m.Value != namespace:
			return false
		default:
			n++
		}
	}

	return n == 1
}
