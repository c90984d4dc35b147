package promquery

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/promql/parser"
	"pgregory.net/rapid"
)

func TestEnforce(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		reason, query, want string
	}{
		"Plain":        {"A selector without labels gets one.", `up`, `up{namespace="acme"}`},
		"Labels":       {"Other labels stay.", `http_requests_total{code=~"5.."}`, `http_requests_total{code=~"5..",namespace="acme"}`},
		"OwnNamespace": {"Who names the own namespace means it.", `up{namespace="acme"}`, `up{namespace="acme"}`},
		"OwnByRegex":   {"A matcher that the namespace passes is replaced: left in, it would be a second one.", `up{namespace=~"ac.*|other"}`, `up{namespace="acme"}`},
		"AnyNamespace": {"All namespaces are all that are one's own.", `up{namespace!=""}`, `up{namespace="acme"}`},
		"NotAnother":   {"Everybody but somebody else is oneself.", `up{namespace!="other"}`, `up{namespace="acme"}`},
		"Range":        {"Selectors within functions are confined.", `sum(rate(x[5m]))`, `sum(rate(x{namespace="acme"}[5m]))`},
		"Both":         {"Both sides of an operator are.", `a / on(pod) group_left(node) b`, `a{namespace="acme"} / on (pod) group_left (node) b{namespace="acme"}`},
		"Subquery":     {"And what a subquery is about.", `max_over_time(rate(x[1m])[10m:1m])`, `max_over_time(rate(x{namespace="acme"}[1m])[10m:1m])`},
		"Absent":       {"What is absent is absent for the tenant.", `absent(up{job="x"})`, `absent(up{job="x",namespace="acme"})`},
		"AbsentRange":  {"Over time as well.", `absent_over_time(up[5m])`, `absent_over_time(up{namespace="acme"}[5m])`},
		"Modifiers":    {"When is asked about changes nothing about whose it is.", `x @ 100 offset 5m`, `x{namespace="acme"} @ 100.000 offset 5m`},
		"AtEnd":        {"Nor does a time by name.", `x @ end()`, `x{namespace="acme"} @ end()`},
		"NameMatcher":  {"A name is a label like others.", `{__name__="up"}`, `{__name__="up",namespace="acme"}`},
		"NameRegex":    {"Whatever its name, it is one's own.", `{__name__=~".+"}`, `{__name__=~".+",namespace="acme"}`},
		"QuotedName":   {"Names in quotes are names.", `{"up"}`, `{__name__="up",namespace="acme"}`},
		"QuotedLabel":  {"Labels in quotes are labels.", `up{"namespace"="acme"}`, `up{namespace="acme"}`},
		"NoSelector":   {"What reads nothing shows nothing: numbers and clocks are for everybody.", `vector(1)`, `vector(1)`},
		"Clock":        {"With a clock a container can be scaled by the hour.", `(hour() >= bool 8) * 3`, `(hour() >= bool 8) * 3`},
		"Scalar":       {"A number is an answer.", `scalar(sum(x))`, `scalar(sum(x{namespace="acme"}))`},
		"OrVector":     {"The usual way to make nothing zero.", `sum(x) or vector(0)`, `sum(x{namespace="acme"}) or vector(0)`},
		"OtherLabel":   {"Other labels may be written.", `label_replace(x, "a", "$1", "pod", "(.*)")`, `label_replace(x{namespace="acme"}, "a", "$1", "pod", "(.*)")`},
		"Comment":      {"Comments are not passed on.", "x # } or {namespace=\"other\"}\n", `x{namespace="acme"}`},
		"StringInside": {"What looks like a selector in a text is a text.", `x{a="} or y{"}`, `x{a="} or y{",namespace="acme"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, err := Enforce(c.query, "acme")
			if err != nil {
				t.Fatalf("%s\n%v", c.reason, err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s\n%s", c.reason, d)
			}
		})
	}
}

func TestEnforceRefuses(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		reason, query, says string
	}{
		"Another":          {"A query for somebody else is a mistake to be told of.", `up{namespace="other"}`, `namespace="other" asks for another namespace; only "acme" can be asked`},
		"AnotherByRegex":   {"By any matcher.", `up{namespace=~"other|more"}`, "asks for another namespace"},
		"NotOneself":       {"Also by what it is not.", `up{namespace!="acme"}`, "asks for another namespace"},
		"NotOneselfRegex":  {"Also by what it does not match.", `up{namespace!~"ac.+"}`, "asks for another namespace"},
		"None":             {"What belongs to nobody belongs to the platform.", `up{namespace=""}`, "asks for another namespace"},
		"OneOfTwo":         {"One that fits does not excuse one that does not.", `up{namespace="acme",namespace="other"}`, "asks for another namespace"},
		"SecondOperand":    {"Wherever it stands.", `up or sum(up{namespace="other"})`, "asks for another namespace"},
		"InSubquery":       {"However deep.", `max_over_time((up{namespace="other"} or up)[5m:1m])`, "asks for another namespace"},
		"Quoted":           {"However it is written.", `{"up","namespace"="other"}`, "asks for another namespace"},
		"Info":             {"info reads series that no selector names.", `info(up)`, ""},
		"LabelReplace":     {"Whose an answer is must be what was put in.", `label_replace(up, "namespace", "other", "", "")`, `label_replace must not set the label "namespace"`},
		"LabelReplaceHid":  {"In parentheses as well.", `label_replace(up, ("namespace"), "other", "", "")`, `must not set the label "namespace"`},
		"LabelJoin":        {"However it is made.", `label_join(up, "namespace", "-", "job")`, `label_join must not set the label "namespace"`},
		"CountValues":      {"Values are no namespaces.", `count_values("namespace", up)`, `count_values must not set the label "namespace"`},
		"RangeOnly":        {"A decision needs an answer of now.", `up[5m]`, "its answer is a range vector"},
		"Text":             {"And not a text.", `"acme"`, "its answer is a string"},
		"Nonsense":         {"What is no PromQL is shown where it is not.", `sum(up`, "unclosed left parenthesis"},
		"Empty":            {"Nothing is no question.", ` `, "no expression found"},
		"TooLong":          {"Length is bounded.", `up{a="` + strings.Repeat("x", maxLength) + `"}`, "at most 2048 are allowed"},
		"TooFar":           {"What looks back for a week loads a week.", `rate(x[8d])`, "range of 192h0m0s is too long; at most 24h0m0s"},
		"OffsetTooFar":     {"Nor may it be about last year.", `x offset 1y`, "offset of 8760h0m0s is too long"},
		"SubqueryTooOften": {"A subquery is as many queries as it has steps.", `max_over_time(x[24h:10s])`, "a subquery of 8640 steps is too long; at most 1500"},
		"SubqueryNested":   {"Steps times steps are too many at once.", `max_over_time(max_over_time(x[1h:1m])[1h:1m])`, "a subquery within a subquery is not allowed"},
		"LabelsGrow": {
			"A label that is put together of itself doubles with each function.", strings.Repeat(`label_join(`, 30) + "x" + strings.Repeat(`,"a","","a","a")`, 30),
			"label_join within 2 others that write labels; at most 2",
		},
		"LabelsGrowInside": {
			"Whatever is between them.", `label_replace(sum by (a) (label_join(y * on () group_left (a) label_join(x,"a","","a","a"),"a","","a","a")),"a","$1$1","a","(.*)")`,
			"label_join within 2 others that write labels",
		},
		"LabelsGrowAtOnce": {"Or of itself many times.", `label_replace(x, "a", "` + strings.Repeat("$1", 9) + `", "a", "(.*)")`, "label_replace puts 9 texts together; at most 8"},
		"LabelsJoined":     {"However it is written.", `label_join(x, "a", ""` + strings.Repeat(`,"a"`, 9) + `)`, "label_join puts 9 texts together; at most 8"},
		"ManySelectors":    {"Many small ones are one large one.", strings.Repeat("x + ", maxSelectors) + "x", "17 selectors; at most 16"},
		"EmptySelector":    {"Everything of the namespace at once is refused by the parser.", `{}`, "must contain at least one non-empty matcher"},
		"Injection":        {"A brace too many is no way out.", `up{a="b"} or up{namespace="acme"} } or {__name__=~".+"`, "unexpected"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, err := Enforce(c.query, "acme")
			if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s\ngot %q, %v; want a refusal that says %q", c.reason, got, err, c.says)
			}
		})
	}
	if _, err := Enforce("up", ""); !errors.Is(err, ErrRefused) {
		t.Errorf("without a namespace: %v", err)
	}
}

// TestEnforceConfines makes up queries out of everything that holds selectors and finds none that is not confined, with a
// namespace of any name.
func TestEnforceConfines(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		namespace := rapid.StringMatching(`[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?`).Draw(t, "namespace")
		query := vector(t, 3)

		got, err := Enforce(query, namespace)
		if errors.Is(err, ErrRefused) {
			return
		}
		expr, err := parser.ParseExpr(got)
		if err != nil {
			t.Fatalf("%s became %s: %v", query, got, err)
		}
		parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
			if s, ok := n.(*parser.VectorSelector); ok {
				for _, other := range []string{"", namespace + "x", "kube-system"} {
					if matches(s, other) {
						t.Fatalf("%s became %s, which matches namespace %q", query, got, other)
					}
				}
				if !matches(s, namespace) {
					t.Fatalf("%s became %s, which does not match its own namespace", query, got)
				}
			}

			return nil
		})
		if again, err := Enforce(got, namespace); err != nil || again != got {
			t.Fatalf("%s became %s, and that %s, %v", query, got, again, err)
		}
	})
}

// matches is true when a series of the namespace can pass the matchers of that label.
func matches(s *parser.VectorSelector, namespace string) bool {
	for _, m := range s.LabelMatchers {
		if m.Name == Namespace && !m.Matches(namespace) {
			return false
		}
	}

	return true
}

// vector is an expression whose answer is an instant vector.
func vector(t *rapid.T, depth int) string {
	if depth == 0 {
		return selector(t)
	}
	inner := func() string { return vector(t, depth-1) }

	switch rapid.IntRange(0, 8).Draw(t, "kind") {
	case 0:
		return "sum by (pod) (" + inner() + ")"
	case 1:
		return inner() + " or " + inner()
	case 2:
		return "(" + inner() + ") > bool (" + inner() + ")"
	case 3:
		return "rate(" + selector(t) + "[5m])"
	case 4:
		return "max_over_time((" + inner() + ")[10m:1m])"
	case 5:
		return "absent(" + inner() + ")"
	case 6:
		return `label_replace(` + inner() + `, "a", "$1", "namespace", "(.*)")`
	case 7:
		return "-topk(2, " + inner() + ")"
	default:
		return selector(t)
	}
}

func selector(t *rapid.T) string {
	matcher := rapid.Custom(func(t *rapid.T) string {
		label := rapid.SampledFrom([]string{"namespace", `"namespace"`, "pod", "__name__", `"namé"`}).Draw(t, "label")
		op := rapid.SampledFrom([]string{"=", "!=", "=~", "!~"}).Draw(t, "operator")
		value := rapid.OneOf(rapid.SampledFrom([]string{"", ".*", ".+", "kube-system", `a\"b`, "{x}"}), rapid.StringMatching(`[a-z]{0,5}`)).Draw(t, "value")

		return label + op + `"` + value + `"`
	})
	name := rapid.SampledFrom([]string{"up", "x:y", ""}).Draw(t, "name")
	suffix := rapid.SampledFrom([]string{"", " offset 5m", " @ 17"}).Draw(t, "suffix")

	return name + "{" + strings.Join(rapid.SliceOfN(matcher, 0, 3).Draw(t, "matchers"), ",") + "}" + suffix
}

// TestVerify: should writing a query down ever lose a matcher, it is noticed.
func TestVerify(t *testing.T) {
	t.Parallel()

	for query, ok := range map[string]bool{
		`up{namespace="acme"}`:                 true,
		`up`:                                   false,
		`up{namespace="acme"} or x`:            false,
		`up{namespace=~"acme"}`:                false,
		`up{namespace="acme",namespace=~".+"}`: false,
		`rate(up{namespace="acme"}[5m]) / rate(up{namespace="b"}[5m])`: false,
		`vector(1)`: true,
	} {
		if err := verify(query, "acme"); (err == nil) != ok {
			t.Errorf("%s: %v", query, err)
		}
	}
}
