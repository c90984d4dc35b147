package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is a line of `go test -json`, as `go doc test2json` describes it.
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Elapsed    float64
	Output     string
}

// printer shows events and counts.
type printer struct {
	out      io.Writer
	packages map[string]*packageState
	total    totals
}

// packageState is what is known of a package that has not ended.
type packageState struct {
	// output that has not been shown, by test; that of the package itself is under the empty name.
	output map[string][]string
	// parents are tests with subtests; those in failed have a subtest that failed.
	parents, failed map[string]bool
	tests, failures int
}

func newPrinter(out io.Writer) *printer {
	return &printer{out: out, packages: map[string]*packageState{}}
}

func (p *printer) take(e event) {
	name := cmp.Or(e.Package, e.ImportPath)

	s := p.packages[name]
	if s == nil {
		s = &packageState{output: map[string][]string{}, parents: map[string]bool{}, failed: map[string]bool{}}
		p.packages[name] = s
	}

	switch e.Action {
	case "run":
		if parent, ok := parentOf(e.Test); ok {
			s.parents[parent] = true
		}
	case "output", "build-output":
		s.output[e.Test] = append(s.output[e.Test], e.Output)
	case "build-fail":
		p.show(s.output[""])
		delete(p.packages, name)
	case "pass", "fail", "skip":
		if e.Test != "" {
			p.endTest(s, e)
			return
		}

		p.endPackage(s, e)
		delete(p.packages, name)
	}
}

// endTest counts a test and shows its output when it failed; of one that passed only the line that says so.
func (p *printer) endTest(s *packageState, e event) {
	s.tests++
	output := s.output[e.Test]
	delete(s.output, e.Test)

	switch {
	case e.Action == "fail":
		p.show(output)
		s.failures++
		if parent, ok := parentOf(e.Test); ok {
			s.failed[parent] = true
		}
		if !s.failed[e.Test] {
			p.total.failed++
		} else if parent, ok := parentOf(e.Test); ok {
			s.failed[parent] = true
		}
	case e.Action == "skip":
		p.show(output)
		p.total.skipped++
	default:
		if !s.parents[e.Test] {
			p.total.passed++
		}
		if !strings.Contains(e.Test, "/") {
			fmt.Fprintf(p.out, "--- PASS: %s (%.2fs)\n", e.Test, e.Elapsed)
		}
	}
}

// endPackage shows what the package itself said when it failed. When no test is to blame, the package is the failure.
func (p *printer) endPackage(s *packageState, e event) {
	switch {
	case e.Action == "fail":
		for _, test := range slices.Sorted(maps.Keys(s.output)) { // tests that were cut off by a panic
			p.show(s.output[test])
		}
		if s.failures == 0 {
			p.total.failed++
		}
		fmt.Fprintf(p.out, "FAIL\t%s\t%.3fs\n", e.Package, e.Elapsed)
	case e.Action == "skip" || s.tests == 0:
		fmt.Fprintf(p.out, "?   \t%s\t[no tests]\n", e.Package)
	default:
		fmt.Fprintf(p.out, "ok  \t%s\t%.3fs\n", e.Package, e.Elapsed)
	}
}

// close counts packages that never ended: go test was killed.
func (p *printer) close() totals {
	for _, name := range slices.Sorted(maps.Keys(p.packages)) {
		for _, lines := range p.packages[name].output {
			p.show(lines)
		}
		fmt.Fprintf(p.out, "FAIL\t%s\t[did not end]\n", name)
		p.total.failed++
	}

	return p.total
}

func (p *printer) show(lines []string) {
	for _, line := range lines {
		_, _ = io.WriteString(p.out, line)
	}
}

func parentOf(test string) (string, bool) {
	i := strings.LastIndexByte(test, '/')
	if i < 0 {
		return "", false
	}

	return test[:i], true
}
