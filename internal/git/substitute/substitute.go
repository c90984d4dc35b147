package substitute

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/fluxcd/pkg/envsubst"
	"github.com/fluxcd/pkg/envsubst/parse"
	"go.yaml.in/yaml/v3"

	"github.com/dogker/dogker/internal/git/document"
	"github.com/dogker/dogker/reconciler/source"
)

// Keys with which an object says that it wants to be left alone, as a label or an annotation of the value "disabled": Flux', so
// that repositories need no change, and ours.
const (
	FluxOptOut = "kustomize.toolkit.fluxcd.io/substitute"
	OptOut     = "gitops.dogker.io/substitute"
	disabled   = "disabled"
)

const (
	// maxExpressions is how many variables one value may have, defaults in defaults included.
	maxExpressions = 200
	// maxValue is how long a value may become.
	maxValue = 1 << 20
)

// name is what variables may be called.
var name = regexp.MustCompile(`^[_a-zA-Z][_a-zA-Z0-9]*$`)

// Check refuses names that no variable can have.
func Check(vars map[string]string) error {
	for n := range vars {
		if !name.MatchString(n) {
			return &source.Error{
				Reason: source.ReasonBuildFailed, Field: "substitute",
				Message: fmt.Sprintf("%.100q can be no variable: names are letters, digits and underscores, and begin with no digit", n),
			}
		}
	}

	return nil
}

// OptedOut tells whether an object wants to be left alone.
func OptedOut(object *yaml.Node) bool {
	metadata := document.Field(object, "metadata")

	for _, in := range []string{"labels", "annotations"} {
		for _, key := range []string{FluxOptOut, OptOut} {
			if v := document.Field(document.Field(metadata, in), key); v != nil && strings.EqualFold(v.Value, disabled) {
				return true
			}
		}
	}

	return false
}

// Object replaces variables in all values and keys of an object. The error names what is wrong and the node that it is at.
func Object(object *yaml.Node, vars map[string]string) (*yaml.Node, error) {
	// Aliases are visited where their anchors are, once.
	if object.Kind == yaml.AliasNode {
		return nil, nil
	}

	if object.Kind == yaml.ScalarNode {
		if err := scalar(object, vars); err != nil {
			return object, err
		}
	}

	for _, child := range object.Content {
		if at, err := Object(child, vars); err != nil {
			return at, err
		}
	}

	return nil, nil
}

// scalar replaces variables in one value.
func scalar(n *yaml.Node, vars map[string]string) error {
	if !strings.Contains(n.Value, "$") {
		return nil
	}

	value, err := evaluate(n.Value, vars)
	if err != nil {
		return err
	}

	plain := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	if plain && value != n.Value {
		// What it is now is for the value to say. A value of several lines, or that looks like more than a value, is quoted by the
		// encoder.
		n.Tag = resolved(value)
	}

	n.Value = value

	return nil
}

// resolved is the tag that a value has when it is written without quotes.
func resolved(value string) string {
	if value == "" {
		return "!!str" // and not null, which would be no value at all
	}

	probe := yaml.Node{Kind: yaml.ScalarNode, Value: value}

	switch tag := probe.ShortTag(); tag {
	case "!!int", "!!float", "!!bool", "!!null":
		return tag
	default:
		return "!!str"
	}
}

// evaluate is what a text becomes.
func evaluate(text string, vars map[string]string) (value string, err error) {
	if strings.Count(text, "${") > maxExpressions {
		return "", fmt.Errorf("has more than %d variables", maxExpressions)
	}

	// The parser is for templates that one wrote oneself; a slice index out of its range is one more syntax error here.
	defer func() {
		if recover() != nil {
			value, err = "", fmt.Errorf("%.100q is no expression of variables", text)
		}
	}()

	tree, err := parse.Parse(text)
	if err != nil {
		return "", fmt.Errorf("%.100q is no expression of variables", text)
	}

	// Before anything is evaluated: what is replaced by something longer, in something that is, has no bound.
	if _, err := check(tree.Root, vars); err != nil {
		return "", err
	}

	// What has no value is in a default that is not used.
	if value, err = envsubst.Eval(text, func(n string) (string, bool) { return vars[n], true }); err != nil {
		return "", fmt.Errorf("%.100q cannot be evaluated", text)
	}

	return value, nil
}

// defaults are the operators that say what a variable is without a value, and transforms those that change a value.
var (
	defaults   = map[string]bool{"-": true, ":-": true, "=": true, ":=": true}
	transforms = map[string]bool{
		"": true, ",": true, ",,": true, "^": true, "^^": true, "#": true, "##": true, "%": true, "%%": true, ":": true,
		"/": true, "//": true, "/#": true, "/%": true,
	}
)

// check refuses variables without a value, operators that would quietly do something else than in a shell, and what could become too
// long. It returns how long a text can become.
func check(n parse.Node, vars map[string]string) (int, error) {
	switch n := n.(type) {
	case *parse.TextNode:
		return len(n.Value), nil
	case *parse.ListNode:
		return sum(n.Nodes, vars)
	case *parse.FuncNode:
		return expression(n, vars)
	default:
		return 0, nil
	}
}

// sum is how long several texts can become together.
func sum(nodes []parse.Node, vars map[string]string) (int, error) {
	total := 0

	for _, n := range nodes {
		length, err := check(n, vars)
		if err != nil {
			return 0, err
		}

		if total += length; total > maxValue {
			return 0, fmt.Errorf("becomes longer than %d bytes", maxValue)
		}
	}

	return total, nil
}

// expression is how long the value of a variable can become.
func expression(n *parse.FuncNode, vars map[string]string) (int, error) {
	value, set := vars[n.Param]

	switch {
	case !name.MatchString(n.Param):
		return 0, fmt.Errorf("%.100q can be no variable", n.Param)
	case !defaults[n.Name] && !transforms[n.Name]:
		return 0, fmt.Errorf("the operator %.10q of variable %q is not supported", n.Name, n.Param)
	case !set && !defaults[n.Name]:
		return 0, fmt.Errorf("variable %q has no value", n.Param)
	}

	args, err := sum(n.Args, vars)
	if err != nil && defaults[n.Name] && value != "" {
		args, err = 0, nil // a default that is not used
	}

	if err != nil {
		return 0, err
	}

	length := len(value) + args + lengthOfNumber
	if strings.HasPrefix(n.Name, "/") {
		length = (len(value) + 1) * (args + 1)
	}

	if length > maxValue {
		return 0, fmt.Errorf("becomes longer than %d bytes", maxValue)
	}

	return length, nil
}

// lengthOfNumber is more than the length of a text has digits.
const lengthOfNumber = 20
