package audit

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Style of a text. The zero value has no colours.
type Style struct{ Colour bool }

// The escape sequences of a terminal.
const (
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	green  = "\x1b[32m"
	faint  = "\x1b[2m"
	bold   = "\x1b[1m"
	reset  = "\x1b[0m"
)

func (s Style) paint(colour, text string) string {
	if !s.Colour {
		return text
	}

	return colour + text + reset
}

// marks of the outcomes, and their colours.
var marks = map[Outcome]struct{ word, colour string }{
	OutcomePass:          {"pass", green},
	OutcomeFinding:       {"FINDING", red},
	OutcomeHidden:        {"hidden", yellow},
	OutcomeNotApplicable: {"n/a", faint},
	OutcomeUnseen:        {"unseen", yellow},
}

// Write prints a report for people: section by section, each check with what it has come to, and in the end the numbers.
func (r Report) Write(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}

	p.heading(r)
	section := ""
	for _, c := range r.bySection() {
		if c.Section != section {
			section = c.Section
			p.line("\n%s", s.paint(bold, strings.ToUpper(section)))
		}
		p.check(c)
	}
	p.summary(r)

	return p.err
}

// bySection keeps checks of one section together, in the order in which the sections begin.
func (r Report) bySection() []Check {
	var sections []string
	for _, c := range r.Checks {
		if !slices.Contains(sections, c.Section) {
			sections = append(sections, c.Section)
		}
	}
	// Numbered sections come first: a rule of ours may stand in one of them.
	slices.SortStableFunc(sections, strings.Compare)

	checks := slices.Clone(r.Checks)
	slices.SortStableFunc(checks, func(x, y Check) int {
		return slices.Index(sections, x.Section) - slices.Index(sections, y.Section)
	})

	return checks
}

// printer remembers the first error.
type printer struct {
	w     io.Writer
	style Style
	err   error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) heading(r Report) {
	p.line("%s, and the security profiles of Dogker", r.Benchmark)
	p.line("engine of node %s, version %s, API %s; looked at %s of Dogker's, %s of others, %s",
		r.Scope.Node, r.Scope.EngineVersion, r.Scope.APIVersion, counted(r.Scope.Services, "service"),
		counted(r.Scope.ForeignServices, "service"), counted(r.Scope.Containers, "container"))
	if r.Scope.Namespace != "" {
		p.line("only namespace %s: the sections on host, engine and swarm are left out", r.Scope.Namespace)
	}
	if len(r.Scope.OtherNodes) > 0 {
		p.line("not asked: the engines of %s. Set DOCKER_HOST to each of them, and audit again", strings.Join(r.Scope.OtherNodes, ", "))
	}
}

func (p *printer) check(c Check) {
	m := marks[c.Outcome]
	var notes []string
	if c.Passed > 1 || c.Passed == 1 && c.Outcome != OutcomePass {
		notes = append(notes, fmt.Sprintf("%d pass", c.Passed))
	}
	if c.Hidden > 0 {
		notes = append(notes, fmt.Sprintf("%d milder than asked for", c.Hidden))
	}
	if c.Outcome == OutcomeNotApplicable {
		notes = append(notes, whyAll(c.NotApplicable))
	}
	note := ""
	if len(notes) > 0 {
		note = "  " + p.style.paint(faint, "("+strings.Join(notes, ", ")+")")
	}
	p.line("%s %-12s %s%s", p.style.paint(m.colour, fmt.Sprintf("%-8s", m.word)), c.ID, c.Title, note)

	findings := slices.Clone(c.Findings)
	slices.SortStableFunc(findings, func(x, y Finding) int {
		if d := x.Severity.rank() - y.Severity.rank(); d != 0 {
			return d
		}

		return compareObjects(x.Object, y.Object)
	})
	for _, f := range findings {
		p.line("%21s %s  %s", "", p.style.paint(red, fmt.Sprintf("%-8s", f.Severity)), f.Object)
		p.line("%30s  found  %s", "", f.Found)
		p.line("%30s  right  %s", "", f.Right)
		p.line("%30s  mend   %s", "", f.Remedy)
	}
	for _, u := range c.Unseen {
		p.line("%21s %s  %s%s", "", p.style.paint(yellow, fmt.Sprintf("%-8s", "unseen")), u.Why, objects(u.Objects))
	}
}

func (p *printer) summary(r Report) {
	var found []string
	for _, s := range severities {
		if n := r.Summary.Findings[s]; n > 0 {
			found = append(found, fmt.Sprintf("%d %s", n, s))
		}
	}
	verdict := p.style.paint(green, "no findings")
	if len(found) > 0 {
		verdict = p.style.paint(red, counted(r.Count(), "finding")) + ": " + strings.Join(found, ", ")
	}
	p.line("\n%s. Of %s, %d pass, %d do not apply, %d cannot be seen, or not for all, from here.", verdict,
		counted(len(r.Checks), "check"), r.Summary.Checks[OutcomePass], r.Summary.Checks[OutcomeNotApplicable], r.Summary.Checks[OutcomeUnseen])

	var hidden []string
	for _, s := range severities {
		if n := r.Summary.Hidden[s]; n > 0 {
			hidden = append(hidden, fmt.Sprintf("%d %s", n, s))
		}
	}
	if len(hidden) > 0 {
		p.line("Not listed: %s. --severity %s lists them.", strings.Join(hidden, ", "), SeverityAdvice)
	}
}

func whyAll(reasons []Reason) string {
	var words []string
	for _, r := range reasons {
		words = append(words, r.Why)
	}

	return strings.Join(words, "; ")
}

// objects in brackets, not more than fit a line.
func objects(all []Object) string {
	const most = 4
	if len(all) == 0 {
		return ""
	}

	var names []string
	for _, o := range all[:min(most, len(all))] {
		names = append(names, o.String())
	}
	if rest := len(all) - most; rest > 0 {
		names = append(names, fmt.Sprintf("and %d more", rest))
	}

	return " (" + strings.Join(names, ", ") + ")"
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}

	return fmt.Sprintf("%d %ss", n, what)
}
