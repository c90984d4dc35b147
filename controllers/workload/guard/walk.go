package guard

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// walk visits everything that is set in v, by a path in which elements of lists are [] and members of maps {}. Strings
// are looked at wherever they stand; leaves must have a rule, and whatever holds them must lie on the way to one.
func (c *check) walk(path string, v reflect.Value) {
	if v.IsZero() {
		return
	}

	switch v.Kind() {
	case reflect.Pointer:
		c.pointer(path, v.Elem())
	case reflect.Struct:
		c.members(path, v)
	case reflect.Slice:
		if !c.known(path + "[]") {
			return
		}
		for i := range v.Len() {
			c.element(path+"[]", v.Index(i))
		}
	case reflect.Map:
		if !c.known(path + "{}") {
			return
		}
		for key, value := range v.Seq2() {
			c.member(path+"{}", key.String(), value)
		}
	default:
		c.leaf(path, v)
	}
}

// pointer is something even when it points to a zero: init: false, or a restart delay of nothing.
func (c *check) pointer(path string, v reflect.Value) {
	if !c.known(path) {
		return
	}
	if v.Kind() == reflect.Struct {
		c.members(path, v)

		return
	}
	c.leaf(path, v)
}

// element of a list. An empty one is one, too.
func (c *check) element(path string, v reflect.Value) {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		c.refuse(path, "must not be null")

		return
	}
	switch v = reflect.Indirect(v); v.Kind() {
	case reflect.Struct:
		c.members(path, v)
	default:
		c.leaf(path, v)
	}
}

func (c *check) members(path string, v reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		switch {
		case field.Anonymous:
			c.members(path, v.Field(i))
		case v.Field(i).IsZero():
		default:
			name := join(path, field.Name)
			if c.known(name) {
				c.walk(name, v.Field(i))
			}
		}
	}
}

// member of a map. Both the key and the value reach the engine.
func (c *check) member(path, key string, v reflect.Value) {
	c.text(path, key)
	rule, ok := c.keyRules[path]
	if !ok || v.Kind() != reflect.String {
		c.refuse(path, "is not on the list of allowed fields")

		return
	}
	c.text(path, v.String())
	if problem := rule(c, key, v.String()); problem != "" {
		c.refuse(path, problem)
	}
}

func (c *check) leaf(path string, v reflect.Value) {
	if v.Kind() == reflect.String {
		c.text(path, v.String())
	}

	rule, ok := c.rules[path]
	if !ok {
		c.refuse(path, "is not on the list of allowed fields")

		return
	}
	if problem := rule(c, v); problem != "" {
		c.refuse(path, problem)
	}
}

// text is what holds for every string: the engine would expand a template, on the manager and again on the node, after
// any check; and what is no UTF-8 without zero bytes arrives as something else than what was checked.
func (c *check) text(path, s string) {
	switch {
	case strings.Contains(s, "{{") || strings.Contains(s, "}}"):
		c.refuse(path, "must not contain {{ or }}")
	case strings.ContainsRune(s, 0):
		c.refuse(path, "must not contain a zero byte")
	case !utf8.ValidString(s):
		c.refuse(path, "must be UTF-8")
	}
}

// known is true for a path that has a rule or leads to one; anything else is refused.
func (c *check) known(path string) bool {
	if onTheWay[path] || c.facts.Standing != nil && standingOnTheWay[path] {
		return true
	}
	c.refuse(path, "is not on the list of allowed fields")

	return false
}

// onTheWay are all paths that have a rule or lead to one; standingOnTheWay those of services that keep their tasks.
var (
	onTheWay         = pathsTo(rules, keyRules)
	standingOnTheWay = pathsTo(standingRules, standingKeyRules)
)

func pathsTo(rules map[string]rule, keyRules map[string]keyRule) map[string]bool {
	out := map[string]bool{}
	add := func(path string) {
		out[path] = true
		for i, r := range path {
			if r == '.' {
				out[path[:i]] = true
			}
			if strings.HasPrefix(path[i:], "[]") || strings.HasPrefix(path[i:], "{}") {
				out[path[:i]], out[path[:i+2]] = true, true
			}
		}
	}
	for path := range rules {
		add(path)
	}
	for path := range keyRules {
		add(path)
	}

	return out
}

func join(path, name string) string {
	if path == "" {
		return name
	}

	return fmt.Sprintf("%s.%s", path, name)
}
