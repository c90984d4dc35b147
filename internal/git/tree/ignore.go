package tree

import (
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/gitignore"

	"github.com/dogker/dogker/reconciler/source"
)

const (
	// ignoreFile says what a directory does not want to be looked at.
	ignoreFile = ".sourceignore"
	// maxPatterns is how many rules there may be altogether, and maxStars how many stars in one: each is tried for each file.
	maxPatterns = 1000
	maxStars    = 8
)

// ignored are files that are never meant to be built: those of Git and of build systems, and what is no text. They are those
// that Flux ignores.
var ignored = []string{
	".git/", ".gitignore", ".gitmodules", ".gitattributes",
	"*.jpg", "*.jpeg", "*.gif", "*.png", "*.wmv", "*.flv", "*.tar.gz", "*.zip",
	".github/", ".circleci/", ".travis.yml", ".gitlab-ci.yml", "appveyor.yml", ".drone.yml", "cloudbuild.yaml",
	"codeship-services.yml", "codeship-steps.yml",
	"**/.goreleaser.yml", "**/.sops.yaml", "**/.flux.yaml",
}

// Ignore hides what the defaults, the .sourceignore files of the commit and the given rules match, in the format of .gitignore.
// Later rules go first.
func (t *Tree) Ignore(rules string) error {
	patterns, err := parse(nil, strings.Join(ignored, "\n"), nil, "")
	if err != nil {
		return err
	}

	if patterns, err = t.collect(patterns, t.root, nil); err != nil {
		return err
	}

	if patterns, err = parse(patterns, rules, nil, ""); err != nil {
		return err
	}

	hide(t.root, nil, gitignore.NewMatcher(patterns))

	return nil
}

// collect adds the rules of all directories, those further up first.
func (t *Tree) collect(patterns []gitignore.Pattern, n *node, at []string) ([]gitignore.Pattern, error) {
	var err error

	if f := n.children[ignoreFile]; f != nil && f.kind == file {
		name := strings.Join(append(slices.Clone(at), ignoreFile), "/")
		if f.size > t.limits.FileBytes {
			return nil, refused(source.ReasonLimitExceeded, show(name), "has %d bytes; files of at most %d are read", f.size, t.limits.FileBytes)
		}

		data, readErr := t.content(f, name)
		if readErr != nil {
			return nil, readErr
		}

		if patterns, err = parse(patterns, string(data), at, name); err != nil {
			return nil, err
		}
	}

	for _, name := range n.names {
		if child := n.children[name]; child.kind == dir {
			if patterns, err = t.collect(patterns, child, append(slices.Clone(at), name)); err != nil {
				return nil, err
			}
		}
	}

	return patterns, nil
}

// parse adds the rules of one file to those before.
func parse(patterns []gitignore.Pattern, rules string, at []string, name string) ([]gitignore.Pattern, error) {
	line := 0

	for rule := range strings.Lines(rules) {
		line++

		rule = strings.TrimRight(rule, "\r\n")
		if strings.TrimSpace(rule) == "" || strings.HasPrefix(rule, "#") {
			continue
		}

		if len(patterns) >= maxPatterns || len(rule) > 1024 || strings.Count(rule, "*") > maxStars {
			e := &source.Error{
				Reason: source.ReasonLimitExceeded, File: name, Line: line,
				Message: "there are too many rules of what to ignore, or one is too long or has too many stars",
			}
			if name == "" {
				e.Field, e.Line = "ignore", 0
			}

			return nil, e
		}

		patterns = append(patterns, gitignore.ParsePattern(rule, at))
	}

	return patterns, nil
}

// hide marks what is matched. What is in a hidden directory is hidden by it.
func hide(n *node, at []string, m gitignore.Matcher) {
	for name, child := range n.children {
		p := append(slices.Clone(at), name)
		if child.ignored = m.Match(p, child.kind == dir); !child.ignored && child.kind == dir {
			hide(child, p, m)
		}
	}
}
